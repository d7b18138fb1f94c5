"""Kernels of all kinds, compiled and run, against NumPy."""

import cupy as cp
import numpy as np
import pytest
from cupyx import jit
from scipy import special


def run(code, *arguments, name="f", blocks=1, threads=1, shared=0, **options):
    cp.RawKernel(code, name, **options)((blocks,), (threads,), arguments, shared_mem=shared)


def kernel(body, parameters):
    return f'extern "C" __global__ void f({parameters}) {{ int i = threadIdx.x; {body} }}'


# ---- the grid


def test_indices_of_threads_and_blocks():
    out = cp.zeros((2, 3, 2, 4, 3, 2), dtype=np.int32)
    code = r"""
    extern "C" __global__ void f(int* out) {
      int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
      int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
      out[block * blockDim.x * blockDim.y * blockDim.z + thread] = 100 * block + thread;
    }"""
    cp.RawKernel(code, "f")((2, 3, 2), (2, 3, 4), (out,))
    blocks, threads = np.arange(12)[:, None], np.arange(24)
    np.testing.assert_array_equal(out.get().reshape(12, 24), 100 * blocks + threads)


def test_arguments_of_all_kinds():
    code = r"""
    struct Pair { float x; double y; };
    extern "C" __global__ void f(double* out, bool a, signed char b, short c, int d, long long e,
                                 float g, double h, const complex<float> z, const Pair p) {
      out[0] = a; out[1] = b; out[2] = c; out[3] = d; out[4] = e; out[5] = g; out[6] = h;
      out[7] = z.real(); out[8] = z.imag(); out[9] = p.x; out[10] = p.y;
    }"""
    out = cp.zeros(11)
    pair = np.array((9.5, 10.5), dtype=np.dtype([("x", "f4"), ("y", "f8")], align=True))
    run(
        code, out, True, np.int8(-2), np.int16(-3), np.int32(4), np.int64(2**40), np.float32(1.5),
        2.5, np.complex64(7 - 8j), pair[()], translate_cucomplex=True,
    )  # fmt: skip
    np.testing.assert_array_equal(out.get(), [1, -2, -3, 4, 2**40, 1.5, 2.5, 7, -8, 9.5, 10.5])


# ---- shared memory and barriers


@pytest.mark.parametrize("dynamic", [False, True])
def test_block_reverses_by_shared_memory(dynamic):
    declaration = "extern __shared__ int s[];" if dynamic else "__shared__ int s[64];"
    code = kernel(f"{declaration} s[i] = x[i]; __syncthreads(); x[i] = s[63 - i];", "int* x")
    x = cp.arange(64, dtype=np.int32)
    run(code, x, threads=64, shared=256 if dynamic else 0)
    np.testing.assert_array_equal(x.get(), np.arange(64)[::-1])


@pytest.mark.parametrize(
    "declaration",
    [
        "extern __shared__ float s[];",
        "extern __shared__ __align__(16) float s[];",
        "extern   __shared__\n float  s [ ] ;",
        "__shared__ extern float s[];",
        "extern __shared__ /* as many as threads */ float s[]; // of the launch",
    ],
)
@pytest.mark.parametrize("place", ["function", "file"])
def test_ways_to_declare_dynamic_shared_memory(declaration, place):
    outside, inside = ("", declaration) if place == "function" else (declaration, "")
    code = (
        outside
        + "\n"
        + kernel(
            inside + "\n s[i] = i; __syncthreads(); x[i] = s[(i + 1) % blockDim.x];", "float* x"
        )
    )
    x = cp.zeros(5, dtype=np.float32)
    run(code, x, threads=5, shared=20)
    np.testing.assert_array_equal(x.get(), [1, 2, 3, 4, 0])


@pytest.mark.parametrize(("ctype", "dtype"), [("double", "f8"), ("short", "i2")])
def test_dynamic_shared_memory_of_templates_and_qualified_types(ctype, dtype):
    code = r"""
    namespace space { template<class T> struct Box { T x; }; }
    template<class T> __global__ void f(T* out) {
      extern __shared__ space::Box<T> s[];
      s[threadIdx.x].x = T(threadIdx.x);
      __syncthreads();
      out[threadIdx.x] = s[blockDim.x - 1 - threadIdx.x].x;
    }"""
    module = cp.RawModule(code=code, name_expressions=[f"f<{ctype}>"])
    out = cp.zeros(7, dtype=dtype)
    module.get_function(f"f<{ctype}>")((1,), (7,), (out,), shared_mem=64)
    np.testing.assert_array_equal(out.get(), np.arange(7)[::-1])


def test_shared_memory_is_not_zero_at_first():
    code = kernel("__shared__ int s[32]; x[blockIdx.x * 32 + i] = s[i]; s[i] = 0;", "int* x")
    x = cp.zeros(64, dtype=np.int32)
    run(code, x, blocks=2, threads=32)
    assert (x.get() != 0).all()


def test_barriers_that_count():
    code = kernel(
        "out[i] = __syncthreads_count(i % 3 == 0) * 100 + __syncthreads_or(i == 5) * 10"
        " + __syncthreads_and(i < 60);",
        "int* out",
    )
    out = cp.zeros(64, dtype=np.int32)
    run(code, out, threads=64)
    np.testing.assert_array_equal(out.get(), 22 * 100 + 10)


# ---- warps


SHUFFLES = {
    "__shfl_sync(~0u, v, 5)": lambda i: i // 32 * 32 + 5,
    "__shfl_sync(~0u, v, 11, 8)": lambda i: i // 8 * 8 + 3,
    "__shfl_up_sync(~0u, v, 3)": lambda i: np.where(i % 32 >= 3, i - 3, i),
    "__shfl_up_sync(~0u, v, 2, 4)": lambda i: np.where(i % 4 >= 2, i - 2, i),
    "__shfl_down_sync(~0u, v, 3)": lambda i: np.where(i % 32 < 29, i + 3, i),
    "__shfl_down_sync(~0u, v, 2, 16)": lambda i: np.where(i % 16 < 14, i + 2, i),
    "__shfl_xor_sync(~0u, v, 9)": lambda i: i ^ 9,
    "__shfl_xor_sync(~0u, v, 8, 8)": lambda i: np.where(i % 32 & 8, i - 8, i),
}


@pytest.mark.parametrize("call", SHUFFLES)
@pytest.mark.parametrize(
    "dtype", ["int", "unsigned", "long long", "unsigned long long", "float", "double"]
)
def test_shuffles(call, dtype):
    code = kernel(f"{dtype} v = i * 3; out[i] = double({call});", "double* out")
    out = cp.zeros(64)
    run(code, out, threads=64)
    np.testing.assert_array_equal(out.get(), 3 * SHUFFLES[call](np.arange(64)))


VOTES = {
    "__ballot_sync(~0u, i % 2)": 0xAAAAAAAA,
    "__any_sync(~0u, i == 7)": 1,
    "__any_sync(~0u, i == 70)": 0,
    "__all_sync(~0u, i < 32)": 1,
    "__all_sync(~0u, i < 31)": 0,
    "__match_any_sync(~0u, 5)": 0xFFFFFFFF,
    "__reduce_add_sync(~0u, i)": 496,
    "__reduce_min_sync(~0u, i - 40)": 2**32 - 40,
    "__reduce_max_sync(~0u, i - 40)": 2**32 - 9,
    "__reduce_or_sync(~0u, 1u << i)": 0xFFFFFFFF,
    "__reduce_and_sync(~0u, ~(1u << i))": 0,
    "__reduce_xor_sync(~0u, unsigned(i))": 0,
    "__activemask()": 0xFFFFFFFF,
}


@pytest.mark.parametrize("call", VOTES)
def test_votes(call):
    out = cp.zeros(32, dtype=np.uint32)
    run(kernel(f"out[i] = {call};", "unsigned* out"), out, threads=32)
    np.testing.assert_array_equal(out.get(), VOTES[call])


def test_matches():
    code = kernel(
        "int all; out[i] = __match_any_sync(~0u, i % 4); all_same[i] = __match_all_sync(~0u, 7LL,"
        " &all) & unsigned(-all); __match_all_sync(~0u, i, &all); none[i] = all;",
        "unsigned* out, unsigned* all_same, int* none",
    )
    out, same = cp.zeros((2, 32), dtype=np.uint32)
    none = cp.ones(32, dtype=np.int32)
    run(code, out, same, none, threads=32)
    np.testing.assert_array_equal(out.get(), [0x11111111 << (i % 4) for i in range(32)])
    np.testing.assert_array_equal(same.get(), 0xFFFFFFFF)
    np.testing.assert_array_equal(none.get(), 0)


def test_lanes_that_are_not_there_or_have_ended_have_no_vote():
    code = kernel("if (i % 2) return; out[i] = __ballot_sync(~0u, 1);", "unsigned* out")
    out = cp.zeros(40, dtype=np.uint32)
    run(code, out, threads=40)
    np.testing.assert_array_equal(out.get()[::2], [0x55555555] * 16 + [0x55] * 4)


def test_half_a_warp_votes_while_the_other_waits_for_the_block():
    code = kernel(
        "if (i < 16) out[i] = __shfl_xor_sync(0xffff, i, 1); __syncthreads();"
        "if (i >= 16) out[i] = out[i - 16];",
        "int* out",
    )
    out = cp.zeros(32, dtype=np.int32)
    run(code, out, threads=32)
    np.testing.assert_array_equal(out.get(), np.tile(np.arange(16) ^ 1, 2))


# ---- atomics

ADDABLE = {"int": "i4", "unsigned": "u4", "unsigned long long": "u8", "float": "f4", "double": "f8"}
INTEGERS = {"int": "i4", "unsigned": "u4", "long long": "i8", "unsigned long long": "u8"}
WORDS = {"int": "i4", "unsigned": "u4", "unsigned long long": "u8"}


@pytest.mark.parametrize("scope", ["", "_block", "_system"])
@pytest.mark.parametrize("ctype", ADDABLE)
def test_atomic_add(ctype, scope):
    out = cp.full(1, 10, dtype=ADDABLE[ctype])
    code = kernel(f"old[i] = atomicAdd{scope}(out, ({ctype})2);", f"{ctype}* out, {ctype}* old")
    old = cp.zeros(50, dtype=ADDABLE[ctype])
    run(code, out, old, threads=50)
    assert out.get()[0] == 110
    np.testing.assert_array_equal(np.sort(old.get()), np.arange(10, 110, 2))


@pytest.mark.parametrize("ctype", INTEGERS)
def test_atomic_extremes(ctype):
    dtype = INTEGERS[ctype]
    values = np.array([5, 200, 3, 100]).astype(dtype) - np.array(
        0 if dtype[0] == "u" else 50, dtype
    )
    low, high = cp.full(1, 50, dtype=dtype), cp.full(1, 50, dtype=dtype)
    code = kernel(
        "atomicMin(low, x[i]); atomicMax(high, x[i]);", f"{ctype}* x, {ctype}* low, {ctype}* high"
    )
    run(code, cp.asarray(values), low, high, threads=4)
    assert low.get()[0] == min(values.min(), 50)
    assert high.get()[0] == max(values.max(), 50)


@pytest.mark.parametrize("ctype", INTEGERS)
@pytest.mark.parametrize(("name", "function"), [
    ("And", np.bitwise_and), ("Or", np.bitwise_or), ("Xor", np.bitwise_xor),
])  # fmt: skip
def test_atomic_bits(ctype, name, function):
    values = np.array([0b1011, 0b1110, 0b0111], dtype=INTEGERS[ctype])
    out = cp.full(1, 0b11010, dtype=INTEGERS[ctype])
    run(kernel(f"atomic{name}(out, x[i]);", f"{ctype}* out, {ctype}* x"), out, cp.asarray(values),
        threads=3)  # fmt: skip
    assert out.get()[0] == function.reduce([np.array(0b11010, INTEGERS[ctype]), *values])


@pytest.mark.parametrize("ctype", {**WORDS, "unsigned short": "u2"})
def test_atomic_compare_and_swap(ctype):
    dtype = {**WORDS, "unsigned short": "u2"}[ctype]
    out, old = cp.zeros(1, dtype=dtype), cp.zeros(4, dtype=dtype)
    code = kernel(
        f"old[i] = atomicCAS(out, ({ctype})i, ({ctype})(i + 1));", f"{ctype}* out, {ctype}* old"
    )
    run(code, out, old, threads=3)
    run(code, out, old[3:], threads=1)  # 3 is not 0
    assert out.get()[0] == 3
    np.testing.assert_array_equal(old.get(), [0, 1, 2, 3])


def test_other_atomics():
    code = kernel(
        "atomicSub(out, 2); atomicInc(wrap, 2); atomicDec(wrap + 1, 2); atomicExch(f, float(i));",
        "int* out, unsigned* wrap, float* f",
    )
    out, wrap = cp.full(1, 100, dtype="i4"), cp.array([0, 9], dtype="u4")
    f = cp.zeros(1, dtype="f4")
    run(code, out, wrap, f, threads=7)
    assert out.get()[0] == 86
    np.testing.assert_array_equal(wrap.get(), [1, 2])
    assert f.get()[0] == 6


@pytest.mark.parametrize(
    "call",
    [
        "atomicAdd((long*)p, 1l)", "atomicAdd((short*)p, short(1))", "atomicSub((float*)p, 1.f)",
        "atomicCAS((float*)p, 1.f, 2.f)", "atomicExch((double*)p, 1.0)",
        "atomicAnd((short*)p, short(1))",
    ],
)  # fmt: skip
def test_atomics_that_cuda_lacks_do_not_compile(call):
    with pytest.raises(cp.cuda.compiler.CompileException):
        run(kernel(f"{call};", "void* p"), cp.zeros(1))


# ---- integers

INTEGER_CALLS = {
    "__popc(x)": lambda x: x.bit_count(),
    "__clz(x)": lambda x: 32 - x.bit_length(),
    "__ffs(x)": lambda x: (x & -x).bit_length(),
    "__popcll((unsigned long long)x << 20)": lambda x: x.bit_count(),
    "__clzll((long long)x << 8)": lambda x: 56 - x.bit_length() if x else 64,
    "__ffsll((long long)x << 20)": lambda x: (x & -x).bit_length() + 20 if x else 0,
    "__brev(x)": lambda x: int(f"{x:032b}"[::-1], 2),
    "__brevll(x) >> 32": lambda x: int(f"{x:032b}"[::-1], 2),
    "__byte_perm(x, 0x55667788, 0x5140)": lambda x: (
        (x & 255) | 0x88 << 8 | (x >> 8 & 255) << 16 | 0x77 << 24
    ),
    "__umulhi(x, x)": lambda x: x * x >> 32,
    "__mulhi(x, 1 << 30)": lambda x: signed(x) * 2**30 >> 32,
    "__umul64hi((unsigned long long)x << 32, x)": lambda x: x * x >> 32,
    "__mul24(x, 3)": lambda x: signed(x << 8) // 256 * 3,
    "__umul24(x, 3)": lambda x: (x & 0xFFFFFF) * 3,
    "__sad(x, 5, 7u)": lambda x: abs(signed(x) - 5) + 7,
    "__usad(x, 5u, 7u)": lambda x: abs(x - 5) + 7,
    "__hadd(x, -3)": lambda x: (signed(x) - 3) >> 1,
    "__rhadd(x, -3)": lambda x: (signed(x) - 2) >> 1,
    "__uhadd(x, 3u)": lambda x: (x + 3) >> 1,
    "__urhadd(x, 3u)": lambda x: (x + 4) >> 1,
    "__funnelshift_l(x, 0x12345678, 12)": lambda x: (0x12345678 << 32 | x) >> 20,
    "__funnelshift_r(x, 0x12345678, 12)": lambda x: (0x12345678 << 32 | x) >> 12,
    "__funnelshift_lc(x, 0x12345678, 40)": lambda x: x,
    "__funnelshift_rc(x, 0x12345678, 40)": lambda x: 0x12345678,
    "max(x, 77u)": lambda x: max(x, 77),
    "min(x, 77u)": lambda x: min(x, 77),
}


def signed(x):
    return (x + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("call", INTEGER_CALLS)
def test_integer_intrinsics(call):
    values = [0, 1, 2, 77, 0x80000000, 0xFFFFFFFF, 0x12345678, 0xDEADBEEF]
    x = cp.array(values, dtype=np.uint32)
    run(kernel(f"unsigned x = p[i]; p[i] = unsigned({call});", "unsigned* p"), x, threads=8)
    expected = [INTEGER_CALLS[call](v) % 2**32 for v in values]
    assert x.get().tolist() == expected


# ---- numbers

SPECIAL = [0.0, -0.0, 0.3, -0.7, 1.0, -1.0, 2.5, 1e-30, 1e30, np.inf, -np.inf, np.nan]


def evaluate(expression, values, dtype, out_dtype=None):
    ctypes = {"f4": "float", "f8": "double", "i4": "int", "u4": "unsigned", "i8": "long long"}
    ctypes["u8"] = "unsigned long long"
    x = cp.asarray(np.array(values, dtype=dtype))
    out = cp.zeros(len(values), dtype=out_dtype or dtype)
    parameters = f"const {ctypes[dtype]}* p, {ctypes[out_dtype or dtype]}* out"
    run(kernel(f"auto x = p[i]; out[i] = {expression};", parameters), x, out, threads=len(values))
    return out.get()


FUNCTIONS = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "fabs": np.abs,
    "erf": special.erf,
    "erfc": special.erfc,
    "tgamma": special.gamma,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "rcbrt": lambda x: 1 / np.cbrt(x),
    "erfinv": special.erfinv,
    "erfcinv": special.erfcinv,
    "erfcx": special.erfcx,
    "normcdf": special.ndtr,
    "normcdfinv": special.ndtri,
    "cyl_bessel_i0": special.i0,
    "cyl_bessel_i1": special.i1,
    "j0": special.j0,
    "j1": special.j1,
    "y0": special.y0,
}
BESSEL = ("cyl_bessel_i0", "cyl_bessel_i1", "j0", "j1", "y0")  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, dtype):
    values = np.array([*SPECIAL, 0.01, 0.5, 0.999, 1.7, 5.0, 20.0, -3.3], dtype=dtype)
    if name in ("y0", "tgamma", "rsqrt", "rcbrt"):  # signs at poles: libraries differ
        values = values[values > 0]
    if name in BESSEL:  # SciPy has NaN at infinity
        values = values[np.abs(values) < 100]
    call = f"{name}f(x)" if dtype == "f4" else f"{name}(x)"
    expected = FUNCTIONS[name](values.astype("f8")).astype(dtype)
    rtol = 2e-6 if dtype == "f4" else 1e-13
    np.testing.assert_allclose(evaluate(call, values, dtype), expected, rtol=rtol, atol=1e-35)


@pytest.mark.parametrize(("call", "expected"), [
    ("sinpi(x)", [0, 1, 0, -1, 0, 2**-0.5, 0]),
    ("cospi(x)", [1, 0, -1, 0, 1, 2**-0.5, 1]),
])  # fmt: skip
def test_angles_in_half_turns_are_exact(call, expected):
    out = evaluate(call, [0, 0.5, 1, 1.5, 2, 0.25, 1e300], "f8")
    np.testing.assert_allclose(out, expected, rtol=1e-15, atol=0)


def test_extremes_of_numbers_pass_nan():
    nan = float("nan")
    out = evaluate("fmax(x, 1.0) * 100 + fmin(x, 1.0) * 10 + max(x, 1.0)", [nan, 0.0, 2.0], "f8")
    np.testing.assert_array_equal(out, [111, 101, 212])


@pytest.mark.parametrize(("mode", "sums", "quotients"), [
    ("rn", 1, 1 / 3), ("ru", 1 + 2**-52, np.nextafter(1 / 3, 1)), ("rd", 1, 1 / 3),
    ("rz", 1, 1 / 3),
])  # fmt: skip
def test_rounding(mode, sums, quotients):
    assert evaluate(f"__dadd_{mode}(1.0, x)", [1e-20], "f8") == sums
    assert evaluate(f"__ddiv_{mode}(x, 3.0)", [1.0], "f8") == quotients
    assert evaluate(f"__fma_{mode}(x, 1.0, 1.0)", [1e-20], "f8") == sums
    narrow = {"rn": 0.1, "ru": 0.1, "rd": np.nextafter(np.float32(0.1), 0), "rz": 0}
    narrow["rz"] = narrow["rd"]
    assert evaluate(f"__double2float_{mode}(x)", [0.1], "f8", "f4") == np.float32(narrow[mode])


def test_contraction_and_what_prevents_it():
    x = 1 + 2.0**-30
    fused = evaluate("x * x - (1 + ldexp(1.0, -29))", [x], "f8")
    exact = evaluate("__dmul_rn(x, x) - (1 + ldexp(1.0, -29))", [x], "f8")
    assert fused == 2.0**-60
    assert exact == 0


CONVERSIONS = {  # toward zero; out of range the nearest that there is; NaN by the sizes
    ("f4", "i4"): ("__float2int_rz", [1, -1, 2**31 - 1, -(2**31), 2**31 - 1, -(2**31), 0]),
    ("f4", "u4"): ("__float2uint_rz", [1, 0, 2**32 - 1, 0, 2**32 - 1, 0, 0]),
    ("f8", "i4"): ("__double2int_rz", [1, -1, 2**31 - 1, -(2**31), 2**31 - 1, -(2**31), -(2**31)]),
    ("f8", "u4"): ("__double2uint_rz", [1, 0, 2**32 - 1, 0, 2**32 - 1, 0, 2**31]),
    ("f4", "i8"): ("__float2ll_rz", [1, -1, 2**63 - 1, -(2**63), 2**63 - 1, -(2**63), -(2**63)]),
    ("f8", "u8"): ("__double2ull_rz", [1, 0, 2**64 - 1, 0, 2**64 - 1, 0, 2**63]),
}
OUT_OF_RANGE = [1.7, -1.7, 1e20, -1e20, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize(("source", "target"), CONVERSIONS)
def test_conversions_to_integers(source, target):
    name, expected = CONVERSIONS[source, target]
    assert evaluate(f"{name}(x)", OUT_OF_RANGE, source, target).tolist() == expected
    # CuPy's element-wise kernels convert so, too.
    x = cp.asarray(np.array(OUT_OF_RANGE, dtype=source))
    assert x.astype(target).get().tolist() == expected
    out = cp.zeros(7, dtype=target)
    cp.add(x, 0, out=out, casting="unsafe")
    assert out.get().tolist() == expected


def test_conversions_from_half_precision():
    x = cp.array([1.7, -2.5, np.inf, np.nan], dtype=np.float16)
    assert x.astype(np.int32).get().tolist() == [1, -2, 2**31 - 1, 0]
    assert x.astype(bool).get().tolist() == [True] * 4


def test_rounded_conversions():
    values = [0.5, 1.5, -0.5, 2.5]
    for mode, expected in [
        ("rn", [0, 2, 0, 2]), ("ru", [1, 2, 0, 3]), ("rd", [0, 1, -1, 2]), ("rz", [0, 1, 0, 2]),
    ]:  # fmt: skip
        assert evaluate(f"__double2int_{mode}(x)", values, "f8", "i4").tolist() == expected


def test_bits_of_numbers():
    values = np.array(SPECIAL, dtype="f4")
    expected = values.view("i4").tolist()
    assert evaluate("__float_as_int(x)", values, "f4", "i4").tolist() == expected
    halves = "__hiloint2double(__double2hiint(x), __double2loint(x))"
    out = evaluate(halves, SPECIAL, "f8")
    assert out.view("i8").tolist() == np.array(SPECIAL).view("i8").tolist()


def test_half_precision():
    code = r"""
    #include <cuda_fp16.h>
    extern "C" __global__ void f(const __half* x, const __half* y, __half* out, __half* total) {
      int i = threadIdx.x;
      __half2 both = __halves2half2(x[i], y[i]);
      out[i] = __hfma(x[i], y[i], hsqrt(x[i])) + __high2half(both) * __float2half(0.5f);
      atomicAdd(total, x[i]);
      out[i] = x[i] < y[i] ? out[i] : __hneg(out[i]);
    }"""
    x = np.array([1, 4, 9, 0.25], dtype=np.float16)
    y = np.array([2, 3, 0.5, -1], dtype=np.float16)
    out, total = cp.zeros(4, dtype=np.float16), cp.zeros(1, dtype=np.float16)
    run(code, cp.asarray(x), cp.asarray(y), out, total, threads=4)
    expected = x * y + np.sqrt(x) + y * np.float16(0.5)
    np.testing.assert_allclose(out.get(), np.where(x < y, expected, -expected), rtol=2e-3)
    assert total.get()[0] == np.float16(14.25)


def test_vector_types():
    code = r"""
    extern "C" __global__ void f(float4* x, double2* y, int* sizes) {
      float4 v = x[0];
      x[0] = make_float4(v.w, v.z, v.y, v.x);
      y[0] = make_double2(y[0].y, y[0].x);
      int3 three = make_int3(1, 2, 3);
      dim3 d(4, 5);
      sizes[0] = alignof(float2), sizes[1] = alignof(float4), sizes[2] = alignof(double2);
      sizes[3] = sizeof(three), sizes[4] = d.x * 100 + d.y * 10 + d.z;
      sizes[5] = alignof(complex<float>), sizes[6] = alignof(complex<double>);
    }"""
    x, y = cp.arange(4, dtype="f4"), cp.arange(2.0)
    sizes = cp.zeros(7, dtype="i4")
    run("#include <cupy/complex.cuh>\n" + code, x, y, sizes)
    assert x.get().tolist() == [3, 2, 1, 0]
    assert y.get().tolist() == [1, 0]
    assert sizes.get().tolist() == [8, 16, 16, 12, 451, 8, 16]


# ---- what CuPy writes kernels with


def test_elementwise_kernels():
    square = cp.ElementwiseKernel("T x, T y", "T z", "z = (x - y) * (x - y)", "squared_difference")
    for dtype in "bBhHiIlLfdFD":
        x, y = np.arange(6, dtype=dtype), np.full(6, 2, dtype=dtype)
        np.testing.assert_array_equal(square(cp.asarray(x), cp.asarray(y)).get(), (x - y) * (x - y))
    strided = cp.asarray(np.arange(24.0).reshape(4, 6)[::2, ::-2])
    np.testing.assert_array_equal(square(strided, 1.0).get(), (strided.get() - 1) ** 2)
    raw = cp.ElementwiseKernel("raw T x", "T y", "y = x[_ind.size() - 1 - i]", "reversed")
    np.testing.assert_array_equal(raw(cp.arange(5.0), size=5).get(), np.arange(5.0)[::-1])


def test_reduction_kernels():
    length = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "length")
    x = np.arange(1200.0).reshape(20, 60)
    np.testing.assert_allclose(length(cp.asarray(x), axis=1).get(), np.linalg.norm(x, axis=1))
    np.testing.assert_allclose(length(cp.asarray(x)).get(), np.linalg.norm(x))


def test_fusion():
    @cp.fuse()
    def f(x, y):
        return cp.where(x > y, cp.sqrt(x) * y, -x) + 1

    x, y = np.arange(9.0), np.full(9, 4.0)
    expected = np.where(x > y, np.sqrt(x) * y, -x) + 1
    np.testing.assert_allclose(f(cp.asarray(x), cp.asarray(y)).get(), expected)


@pytest.mark.filterwarnings("ignore:cupyx.jit:FutureWarning")
def test_jit():
    @jit.rawkernel()
    def reverse(x, y, size):
        shared = jit.shared_memory(np.float32, 32)
        i = jit.threadIdx.x
        shared[i] = x[i]
        jit.syncthreads()
        y[i] = shared[size - 1 - i] + jit.shfl_sync(0xFFFFFFFF, x[i], 3)

    x, y = cp.arange(32, dtype="f4"), cp.zeros(32, dtype="f4")
    reverse((1,), (32,), (x, y, np.uint32(32)))
    np.testing.assert_array_equal(y.get(), np.arange(32)[::-1] + 3)


def test_scatter():
    x = cp.zeros(3)
    cp.add.at(x, cp.array([0, 2, 0, 2, 2]), cp.ones(5))
    assert x.get().tolist() == [2, 0, 3]
