"""How programs are compiled: options, names, errors, the cache."""

import os
from pathlib import Path

import cupy as cp
import numpy as np
import pytest
from cupy.cuda import compiler
from cupy_backends.cuda.libs import nvrtc
from processes import output


def compile_program(source, options=(), expressions=(), name="program.cu", headers=None):
    """The log of a program, and the names of its expressions."""
    headers = headers or {}
    texts, names = ([part.encode() for part in parts] for parts in (headers, headers.values()))
    program = nvrtc.createProgram(source, name, tuple(texts), tuple(names))
    for expression in expressions:
        nvrtc.addNameExpression(program, expression)
    try:
        nvrtc.compileProgram(program, options)
        return nvrtc.getProgramLog(program), [
            nvrtc.getLoweredName(program, expression) for expression in expressions
        ]
    except nvrtc.NVRTCError as error:
        return f"{error}\n{nvrtc.getProgramLog(program)}", []
    finally:
        nvrtc.destroyProgram(program)


def value(expression, options=(), head=""):
    """An integer that a kernel computes."""
    out = cp.zeros(1, dtype=np.int64)
    code = f'{head}\nextern "C" __global__ void f(long long* out) {{ *out = {expression}; }}'
    cp.RawKernel(code, "f", options=options)((1,), (1,), (out,))
    return int(out.get()[0])


# ---- options


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("-DN=3",), 3),
        (("-D", "N=4"), 4),
        (("--define-macro=N=5",), 5),
        (("--define-macro", "N=6"), 6),
        (("-DN=3", "-UN", "-DN=7"), 7),
        (('-DN=sizeof("a b c")',), 6),
        (("-DN='$'",), ord("$")),
    ],
)
def test_macros(options, expected):
    assert value("N", options) == expected


@pytest.mark.parametrize("option", ["-I{}", "--include-path={}"])
def test_include_path(tmp_path, option):
    folder = tmp_path / "with space and 'quote'"
    folder.mkdir()
    (folder / "own.h").write_text("#define N 11\n")
    assert value("N", (option.format(folder),), '#include "own.h"') == 11


def test_headers_by_name():
    source = '#include "a/b.h"\nextern "C" __global__ void f(int* x) { *x = N; }'
    log, _ = compile_program(source, headers={"#define N 5": "a/b.h"})
    assert log == ""


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--std=c++11", 201703), ("-std=c++17", 201703), ("--std=c++20", 202002)],
)
def test_language_version(option, expected):
    assert value("__cplusplus", (option,)) == expected


@pytest.mark.parametrize("option", ["--fmad=false", "-fmad=false", "--fmad=true"])
def test_contraction(option):
    x = cp.full(1, 1 + 2.0**-30)
    code = (
        'extern "C" __global__ void f(double* x)'
        "{ double y = *x; *x = y * y - (1 + ldexp(1.0, -29)); }"
    )
    cp.RawKernel(code, "f", options=(option,))((1,), (1,), (x,))
    assert x.get()[0] == (0 if "false" in option else 2.0**-60)


def test_options_without_meaning_here():
    options = "-arch=sm_80 --ftz=true -lineinfo --use_fast_math -G --maxrregcount=32 -w -rdc=true"
    log, _ = compile_program('extern "C" __global__ void f() {}', tuple(options.split()))
    assert log == ""


@pytest.mark.parametrize("option", ["--no-such-option", "-O7", "-march=native", "file.cu"])
def test_unknown_options_are_refused(option):
    log, _ = compile_program('extern "C" __global__ void f() {}', (option,))
    assert "NVRTC_ERROR_INVALID_OPTION (5)" in log
    assert f"unrecognized option {option}" in log


def test_architecture():
    arch = int(cp.cuda.Device().compute_capability) * 10
    assert value("__CUDA_ARCH__") == arch
    with_condition = "\n#if __CUDA_ARCH__ >= 600\n#define N 1\n#else\n#define N 2\n#endif\n"
    assert value("N", head=with_condition) == 1


# ---- names


def get(code, name):
    return cp.RawModule(code=code).get_function(name)


@pytest.mark.parametrize(
    "code",
    [
        'extern "C" __global__ void f(int* x) { *x = 7; }',
        'extern "C" { __global__ void f(int* x) { *x = 7; } }',
        'extern "C" __global__ void __launch_bounds__(128, 2) f(int* x) { *x = 7; }',
        'extern "C" __launch_bounds__(8 * (1 + 1))\n__global__ void f(int* x) { *x = 7; }',
        'extern "C" void __global__ f(int* x) { *x = 7; }',
        'extern "C" __global__ void f(int*);\nextern "C" __global__ void f(int* x) { *x = 7; }',
        '// extern "C" __global__ void g();\nextern "C" __global__ void f(int* x) { *x = 7; } //',
        '/* __global__ void h(); */ extern "C" __global__ void f(int* x) { *x = 7; }',
        'static const char* s = "__global__ void g(";'
        "extern \"C\" __global__ void f(int* x) { *x = s[0] == '_' ? 7 : 0; }",
        '#define KERNEL(name) extern "C" __global__ void name(int* x)\nKERNEL(f) { *x = 7; }',
        '#if 0\nextern "C" __global__ void g(Unknown x);\n#else\n'
        'extern "C" __global__ void f(int* x) { *x = 7; }\n#endif',
        "namespace n { __global__ void f(int* x) { *x = 1; } }\n"
        'extern "C" __global__ void f(int* x) { *x = 7; }',
        "template<class T> __global__ void g(T* x) { *x = 1; }\n"
        'extern "C" __global__ void f(int* x) { *x = 7; }',
    ],
)
def test_kernels_are_found(code):
    x = cp.zeros(1, dtype=np.int32)
    get(code, "f")((1,), (1,), (x,))
    assert x.get()[0] == 7


@pytest.mark.parametrize(
    "code",
    [
        "__global__ void f(int* x) { *x = 7; }",  # its name is _Z1fPi
        'namespace n { extern "C++" __global__ void f(int* x) { *x = 7; } }',
        "template<class T> __global__ void f(T* x) { *x = 7; }",
        'extern "C" __device__ void f(int* x) { *x = 7; }',
        '#if 0\nextern "C" __global__ void f(int* x) { *x = 7; }\n#endif\n',
    ],
)
def test_what_cuda_does_not_find_by_that_name(code):
    with pytest.raises(cp.cuda.driver.CUDADriverError, match="NOT_FOUND"):
        get(code, "f")


def test_name_expressions():
    code = r"""
    namespace n {
      template<class T, int N> __global__ void fill(T* x) { *x = T(N); }
      template<class... T> __global__ void count(int* x) { *x = sizeof...(T); }
      __global__ void plain(int* x) { *x = 3; }
    }"""
    names = ["n::fill<double, 5>", "n::fill<short, 'a'>", "n::count<int, float, int>", "n::plain"]
    module = cp.RawModule(code=code, name_expressions=names)
    for name, dtype, expected in zip(names, ["f8", "i2", "i4", "i4"], [5, 97, 3, 3], strict=True):
        x = cp.zeros(1, dtype=dtype)
        module.get_function(name)((1,), (1,), (x,))
        assert x.get()[0] == expected
    log, lowered = compile_program(code, expressions=names)
    assert log == ""
    assert len(set(lowered)) == 4


def test_name_expressions_that_are_wrong():
    log, _ = compile_program("template<class T> __global__ void f(T*) {}", expressions=["g<int>"])
    assert "NVRTC_ERROR_COMPILATION (6)" in log
    program = nvrtc.createProgram("__global__ void f() {}", "p", (), ())
    with pytest.raises(nvrtc.NVRTCError, match="NO_LOWERED_NAMES_BEFORE_COMPILATION"):
        nvrtc.getLoweredName(program, "f")
    nvrtc.compileProgram(program, ())
    with pytest.raises(nvrtc.NVRTCError, match="NO_NAME_EXPRESSIONS_AFTER_COMPILATION"):
        nvrtc.addNameExpression(program, "f")
    with pytest.raises(nvrtc.NVRTCError, match="NAME_EXPRESSION_NOT_VALID"):
        nvrtc.getLoweredName(program, "f")
    nvrtc.destroyProgram(program)


def test_variables_by_name():
    code = r"""
    extern "C" {
    __constant__ int table[3];
    __device__ double scale = 2;
    __global__ void f(double* x) { *x = (table[0] + table[1] + table[2]) * scale; }
    }"""
    module = cp.RawModule(code=code)
    pointer = module.get_global("table")
    cp.ndarray(3, np.int32, pointer)[...] = cp.array([1, 10, 100], dtype=np.int32)
    cp.ndarray(1, np.float64, module.get_global("scale"))[...] *= 4
    x = cp.zeros(1)
    module.get_function("f")((1,), (1,), (x,))
    assert x.get()[0] == 888
    with pytest.raises(cp.cuda.driver.CUDADriverError, match="NOT_FOUND"):
        module.get_global("none")


# ---- errors


def test_errors_name_file_and_line():
    source = 'extern "C" __global__ void f(int* x) {\n  *x = 1;\n\n  *x = missing;\n}'
    log, _ = compile_program(source, name="folder/own.cu")
    assert "NVRTC_ERROR_COMPILATION (6)" in log
    assert "folder/own.cu(4): error:" in log
    assert "missing" in log


def test_lines_stay_when_the_source_is_rewritten():
    source = (
        'extern "C" __global__ void f(int* x) {\nextern __shared__\nint\ns[];\n*x = s[0];\noops;\n}'
    )
    log, _ = compile_program(source)
    assert "program.cu(6): error:" in log


def test_exception_of_cupy():
    with pytest.raises(compiler.CompileException, match=r"\(3\): error:") as info:
        cp.RawKernel('extern "C" __global__ void f() {\n int i;\n i = "text";\n}', "f").compile()
    assert "int i;" in info.value.source


@pytest.mark.parametrize("keep", ["0", "1"])
def test_files_of_programs(tmp_path, monkeypatch, keep):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("FAKECUDA_KEEP", keep)
    compile_program('extern "C" __global__ void f() {}')
    compile_program('extern "C" __global__ void f() { missing; }')
    assert len(list(tmp_path.glob("fakecuda-*/kernel.cpp"))) == 2 * int(keep)
    assert bool(list(tmp_path.iterdir())) == bool(int(keep))


def test_asserts():
    code = (
        'extern "C" __global__ void f(int* x) { assert(x[threadIdx.x] == 0); x[threadIdx.x] = 1; }'
    )
    x = cp.zeros(4, dtype=np.int32)
    cp.RawKernel(code, "f")((1,), (4,), (x,))
    assert x.get().tolist() == [1] * 4


def test_asserts_that_fail():
    printed, errors = output("""
        code = 'extern "C" __global__ void f(int* x) { assert(x[threadIdx.x] == 0); }'
        cp.RawKernel(code, "f")((2,), (4,), (cp.array([0, 0, 1, 0], dtype="i4"),))
        print(code_of(runtime.deviceSynchronize))
    """)
    assert printed == ["710"]
    assert "Assertion `x[threadIdx.x] == 0` failed." in errors
    assert "kernel 'f', block (0, 0, 0), thread (2, 0, 0)" in errors


# ---- the cache


def test_kernels_are_compiled_once():
    code = f"""
        number = {np.random.default_rng().integers(2**31)}
        cp.RawKernel('extern "C" __global__ void f(int* x) {{*x = %d;}}' % number, "f").compile()
        import os
        print(fakecuda.counts().get("compile", 0), os.environ["CUPY_CACHE_DIR"])
    """
    (first, folder), _ = output(code)
    (second, same), _ = output(code)
    (strict, other), _ = output(code, FAKECUDA_STRICT="1")
    assert int(first) == int(second) + 1 == int(strict)
    assert folder == same != other


def test_kernels_outlive_a_new_installation():
    """CuPy's key contains what an empty program becomes; no build or installation may be in it."""
    program = nvrtc.createProgram("", "", (), ())
    nvrtc.compileProgram(program, ())
    folder = Path(os.environ["CUPY_CACHE_DIR"])
    assert nvrtc.getPTX(program).decode() == f"// fakecuda {folder.name}"


def test_versions():
    assert nvrtc.getVersion()[0] == cp.cuda.runtime.runtimeGetVersion() // 1000
    assert nvrtc.getSupportedArchs() == (int(cp.cuda.Device().compute_capability),)


# ---- what the system refuses


def test_each_library_has_a_new_name():
    """dlopen gives the old library for a name that it has seen, whatever is in the file now."""
    printed, _ = output(
        """
        import os, re
        for i in range(3):
            cp.RawModule(code=f'extern "C" __global__ void f{i}() {{}}').get_function(f"f{i}")
        names = re.findall(r"/fakecuda-kernel-(\\d+)-(\\d+)", open("/proc/self/maps").read())
        assert {int(process) for process, _ in names} == {os.getpid()}
        print(*sorted({int(serial) for _, serial in names}))
        """
    )
    assert printed == [str(i) for i in range(len(printed))]
    assert len(printed) >= 3


FAILS = """
from cupy_backends.cuda.libs import nvrtc
program = nvrtc.createProgram('extern "C" __global__ void f() {}', "program.cu", (), ())
try:
    nvrtc.compileProgram(program, ())
except nvrtc.NVRTCError as error:
    print(error, nvrtc.getProgramLog(program))
"""


def test_a_compiler_whose_end_is_not_known_has_failed():
    change = "import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    printed, _ = output(change + FAILS)
    assert "how it ended is not known" in " ".join(printed)


def test_a_source_that_cannot_be_written_is_not_compiled():
    change = "import os, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    printed, _ = output(change + FAILS)
    assert "kernel.cpp" in " ".join(printed)
