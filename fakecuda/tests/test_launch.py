"""Launches: limits, shared memory, barriers, faults of kernels, and modules."""

import struct

import cupy as cp
import numpy as np
import processes
import pytest
from cupy.cuda import driver, runtime
from statuses import driver_status

import fakecuda

INVALID_VALUE = 1
INVALID_IMAGE = 200
INVALID_PTX = 218
NOT_FOUND = 500


EMPTY = cp.RawKernel('extern "C" __global__ void empty() {}', "empty")

# ---- limits


@pytest.mark.parametrize(
    ("grid", "block"),
    [
        ((1,), (1024,)),
        ((1,), (16, 1, 64)),
        ((1, 65535), (1,)),
        ((1, 1, 65535), (1,)),
        ((70000,), (1,)),
    ],
)
def test_launches_at_the_limits(grid, block):
    EMPTY(grid, block, ())


@pytest.mark.parametrize(
    ("grid", "block"),
    [
        ((1,), (1025,)),
        ((1,), (32, 33)),
        ((1,), (1, 1, 65)),
        ((1, 65536), (1,)),
        ((1, 1, 65536), (1,)),
        ((1 << 31,), (1,)),
    ],
)
def test_launches_beyond_the_limits(grid, block):
    assert driver_status(EMPTY, grid, block, ()) == INVALID_VALUE


def dynamic_shared():
    return cp.RawKernel(
        """
        extern "C" __global__ void sum(const double* x, double* out, int n) {
          extern __shared__ double s[];
          for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = x[i];
          __syncthreads();
          double total = 0;
          for (int i = 0; i < n; ++i) total += s[i];
          out[threadIdx.x] = total;
        }""",
        "sum",
    )


def test_dynamic_shared_memory():
    kernel, out = dynamic_shared(), cp.zeros(64)
    x = cp.arange(6144.0)
    kernel((1,), (64,), (x, out, np.int32(6144)), shared_mem=48 << 10)
    assert (out.get() == np.arange(6144.0).sum()).all()
    args = ((1,), (64,), (x, out, np.int32(1)))
    assert driver_status(kernel, *args, shared_mem=(48 << 10) + 8) == INVALID_VALUE


def test_more_dynamic_shared_memory_must_be_asked_for():
    kernel, out = dynamic_shared(), cp.zeros(1)
    assert kernel.max_dynamic_shared_size_bytes == 48 << 10
    kernel.max_dynamic_shared_size_bytes = 227 << 10
    x = cp.arange(29056.0)
    kernel((1,), (1,), (x, out, np.int32(29056)), shared_mem=227 << 10)
    assert out.get()[0] == np.arange(29056.0).sum()
    with pytest.raises(driver.CUDADriverError):
        kernel.max_dynamic_shared_size_bytes = (227 << 10) + 1
    args = ((1,), (1,), (x, out, np.int32(1)))
    assert driver_status(kernel, *args, shared_mem=(227 << 10) + 8) == INVALID_VALUE


STATIC = """
extern "C" __global__ void look(unsigned char* out) {
  __shared__ unsigned char s[SIZE];
  extern __shared__ unsigned char d[];
  out[0] = s[0];
  out[1] = s[SIZE - 1];
  s[0] = s[SIZE - 1] = 0;
}
"""


def static_shared(size):
    return cp.RawKernel(STATIC, "look", options=(f"-DSIZE={size}",))


def test_static_and_dynamic_shared_memory_count_together():
    kernel, out = static_shared(40 << 10), cp.zeros(2, np.uint8)
    assert kernel.shared_size_bytes == 40 << 10
    kernel((1,), (1,), (out,), shared_mem=8 << 10)
    assert driver_status(kernel, (1,), (1,), (out,), shared_mem=(8 << 10) + 1) == INVALID_VALUE
    kernel.max_dynamic_shared_size_bytes = 100 << 10
    kernel((1,), (1,), (out,), shared_mem=100 << 10)


def test_too_much_static_shared_memory():
    kernel = static_shared((48 << 10) + 1)
    assert driver_status(kernel, (1,), (1,), (cp.zeros(2, np.uint8),)) == INVALID_PTX


def test_shared_memory_is_garbage_for_each_block():
    kernel, out = static_shared(100), cp.zeros(2, np.uint8)
    kernel((3,), (1,), (out,))
    assert out.get().all()
    dynamic = cp.RawKernel(
        """
        extern "C" __global__ void look(int* out) {
          extern __shared__ int d[];
          out[blockIdx.x] = d[7];
          d[7] = 0;
        }""",
        "look",
    )
    out = cp.zeros(3, np.int32)
    dynamic((3,), (1,), (out,), shared_mem=64)
    assert out.get().all()


BIG = """
struct Big {{ char bytes[{size}]; }};
extern "C" __global__ void big(Big b, char* out) {{ *out = b.bytes[{size} - 1]; }}
"""


def test_large_parameters():
    value = np.frombuffer(bytes(7999) + b"\7", "V8000")[0]
    out = cp.zeros(1, np.int8)
    cp.RawKernel(BIG.format(size=8000), "big")((1,), (1,), (value, out))
    assert out.get()[0] == 7
    too_big = cp.RawKernel(BIG.format(size=32760), "big")
    args = ((1,), (1,), (np.zeros((), "V32760")[()], out))
    assert driver_status(too_big, *args) == INVALID_PTX


def test_large_parameters_on_old_devices():
    out, errors = processes.output(
        f"""
        code = {BIG.format(size=4096)!r}
        args = ((1,), (1,), (np.zeros((), "V4096")[()], cp.zeros(1, np.int8)))
        print(code_of(cp.RawKernel(code, "big"), *args))
        """,
        FAKECUDA_ARCH="60",
    )
    assert out == [str(INVALID_PTX)]
    assert "the parameters of kernel 'big' take 4104 bytes; the limit is 4096" in errors


# ---- threads of a block


def test_indices():
    kernel = cp.RawKernel(
        """
        extern "C" __global__ void indices(int* out) {
          int i = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
          int j = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
          out[i * blockDim.x * blockDim.y * blockDim.z + j] += 1;
        }""",
        "indices",
    )
    out = cp.zeros(2 * 3 * 4 * 5 * 6 * 7, np.int32)
    kernel((2, 3, 4), (5, 6, 7), (out,))
    assert (out.get() == 1).all()


REVERSE = """
extern "C" __global__ void reverse(int* x) {{
  __shared__ int s[100];
  int i = threadIdx.x;
  s[i] = x[i];
  {barrier}
  x[i] = s[blockDim.x - 1 - i];
}}
"""


def test_barriers():
    x = cp.arange(100, dtype=np.int32)
    cp.RawKernel(REVERSE.format(barrier="__syncthreads();"), "reverse")((1,), (100,), (x,))
    assert (x.get() == np.arange(100)[::-1]).all()


def test_a_missing_barrier_shows():
    x = cp.arange(100, dtype=np.int32)
    cp.RawKernel(REVERSE.format(barrier=""), "reverse")((1,), (100,), (x,))
    assert (x.get() != np.arange(100)[::-1]).any()


def test_threads_that_have_ended_do_not_hold_a_barrier():
    kernel = cp.RawKernel(
        """
        extern "C" __global__ void some(int* x) {
          if (threadIdx.x >= 40) return;
          x[threadIdx.x] = 1;
          __syncthreads();
          x[threadIdx.x] += x[39 - threadIdx.x];
        }""",
        "some",
    )
    x = cp.zeros(40, np.int32)
    kernel((1,), (100,), (x,))
    assert x.get()[0] == 2


def test_shuffles():
    kernel = cp.RawKernel(
        """
        extern "C" __global__ void sum(double* x) {
          double v = x[threadIdx.x];
          for (int d = 16; d; d /= 2) v += __shfl_down_sync(~0u, v, d);
          x[threadIdx.x] = __shfl_sync(~0u, v, 0);
        }""",
        "sum",
    )
    x = cp.arange(64.0)
    kernel((1,), (64,), (x,))
    assert (x.get() == np.arange(64.0).reshape(2, 32).sum(1).repeat(32)).all()


def test_kernels_own_their_parameters():
    kernel = cp.RawKernel(
        """
        extern "C" __global__ void count(int* out, int n) {
          while (n > 0) { --n; out[blockIdx.x] += 1; }
        }""",
        "count",
    )
    out = cp.zeros(3, np.int32)
    kernel((3,), (1,), (out, np.int32(5)))
    assert (out.get() == 5).all()


# ---- faults


DEEP = """
__device__ int deep(int n, volatile int* x) {
  volatile int local[1000];
  local[n % 1000] = n;
  return n ? deep(n + 1, x) + local[x[0]] : 0;
}
"""
FAULTS = {
    "d": ("x[0] = y / (threadIdx.x - 3);", 719, "integer division by zero"),
    "s": ("x[0] = deep(y, x);", 700, "the stack of a thread is full"),
    "t": ("if (threadIdx.x == 3) __trap();", 719, "executed __trap()"),
    "w": (
        "if (threadIdx.x == 3) __syncwarp(); else __syncthreads();",
        702,
        "a GPU would hang here",
    ),
    "a": ("assert(threadIdx.x != 3);", 710, "Assertion"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults(kind):
    body, expected, says = FAULTS[kind]
    code = DEEP + 'extern "C" __global__ void bad(int* x, int y) { ' + body + " }"
    out, errors = processes.output(
        f"""
        kernel = cp.RawKernel({code!r}, "bad")
        kernel((2,), (32,), (cp.zeros(32, np.int32), np.int32(1)))
        print(code_of(runtime.deviceSynchronize))
        """
    )
    assert out == [str(expected)]
    assert "kernel 'bad', block (0, 0, 0), thread (" in errors
    assert says in errors


def test_faults_stay():
    out, errors = processes.output(
        """
        code = 'extern "C" __global__ void bad(int* x) { x[1000 * blockIdx.y] = 1; }'
        kernel = cp.RawKernel(code, "bad")
        x = cp.zeros(10, np.int32)
        kernel((1, 4), (1,), (x,))          # as on a GPU, the launch itself succeeds
        print(code_of(runtime.deviceSynchronize))
        print(code_of(runtime.malloc, 10))
        print(code_of(kernel, (1,), (1,), (x,)))
        print(code_of(runtime.streamCreate))
        print(code_of(cp.cuda.Stream.null.synchronize))
        """
    )
    assert out == ["700"] * 5
    assert errors.count("block (0, 1, 0), thread (0, 0, 0): illegal access") == 1


def test_late_faults_come_with_the_wait():
    out, _ = processes.output(
        """
        code = 'extern "C" __global__ void bad(int* x) { x[5000] = 1; }'
        kernel = cp.RawKernel(code, "bad")
        x = cp.zeros(10, np.int32)
        with fakecuda.late():
            kernel((1,), (1,), (x,))
            print(code_of(runtime.streamCreate))
            print(code_of(runtime.deviceSynchronize))
        """
    )
    assert out == ["0", "700"]


def test_errors_have_names():
    assert str(runtime.CUDARuntimeError(716)) == "cudaErrorMisalignedAddress: misaligned address"
    assert str(runtime.CUDARuntimeError(906)).startswith("cudaErrorStreamCaptureImplicit: ")
    assert str(driver.CUDADriverError(700)) == (
        "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"
    )
    assert str(driver.CUDADriverError(400)) == "CUDA_ERROR_INVALID_HANDLE: invalid resource handle"


# ---- modules


def test_functions_that_a_module_lacks():
    module = cp.RawModule(code='extern "C" __global__ void there() {}')
    module.get_function("there")
    assert driver_status(module.get_function, "missing") == NOT_FOUND


def test_variables_of_modules():
    module = cp.RawModule(
        code="""
        extern "C" {
        __constant__ double factor[2];
        __device__ int seen;
        __global__ void scale(double* x) {
          x[threadIdx.x] *= factor[threadIdx.x];
          seen = 5;
        }
        }"""
    )
    pointer = module.get_global("factor")
    cp.ndarray(2, memptr=pointer)[:] = cp.asarray([2.0, 3.0])
    x = cp.ones(2)
    module.get_function("scale")((1,), (2,), (x,))
    assert (x.get() == [2, 3]).all()
    assert int(cp.ndarray((), np.int32, memptr=module.get_global("seen"))) == 5
    assert runtime.pointerGetAttributes(pointer.ptr).type == 2
    assert driver_status(module.get_global, "missing") == NOT_FOUND


def test_images_that_are_no_modules():
    assert driver_status(cp.cuda.function.Module().load, b"nonsense" * 10) == INVALID_IMAGE


def cubin(functions, objects=()):
    """The least ELF file for a GPU that has these symbols in its table."""
    names, symbols = b"\0", struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0)
    for kind, name in [(2, name) for name in functions] + [(1, name) for name in objects]:
        symbols += struct.pack("<IBBHQQ", len(names), 1 << 4 | kind, 0, 1, 0, 64)
        names += name.encode() + b"\0"
    sections = b"\0.symtab\0.strtab\0"
    at = 64
    headers = bytes(64)
    for name, kind, data, link in [(1, 2, symbols, 2), (9, 3, names + sections, 0)]:
        headers += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, len(data), link, 0, 1, 24)
        at += len(data)
    # The names of sections are behind those of symbols; a third header starts there.
    start = at - len(sections)
    headers += struct.pack("<IIQQQQIIQQ", 9, 3, 0, 0, start, len(sections), 0, 0, 1, 0)
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 190, 1, 0, 0, at, 0, 64, 0, 0, 64, 4, 3)
    return head + symbols + names + sections + headers


def test_cubins():
    """Kernels of a real cubin can be found and launched, and do nothing."""
    module = cp.cuda.function.Module()
    module.load(cubin(["first", "second"], ["table"]))
    kernel = module.get_function("second")
    fakecuda.reset_counts()
    kernel((1,), (32,), (cp.zeros(3),))
    assert fakecuda.counts()["launch"] >= 1
    assert driver_status(module.get_function, "third") == NOT_FOUND
    assert runtime.pointerGetAttributes(module.get_global_var("table")).type == 2
