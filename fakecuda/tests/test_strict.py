"""Strict mode: misaligned accesses of kernels are errors."""

import processes
import pytest

CODE = """
code = '''
extern "C" __global__ void load(const char* from, float* to) {
  int i = threadIdx.x;
  float4 v = *reinterpret_cast<const float4*>(from + 16 * i);
  to[i] = v.x + v.y + v.z + v.w;
}'''
x = cp.ones(64, np.float32)
out = cp.zeros(4, np.float32)
kernel = cp.RawKernel(code, "load")

def load(shift):
    kernel((1,), (4,), (np.uint64(x.data.ptr + shift), out))
    return code_of(runtime.deviceSynchronize)

"""


def test_aligned_accesses():
    out, errors = processes.output(
        CODE + "print(load(0), load(16), int(out.sum()))", FAKECUDA_STRICT="1"
    )
    assert out == ["0", "0", "16"]
    assert errors == ""


@pytest.mark.parametrize("shift", [4, 8])
def test_misaligned_accesses(shift):
    out, errors = processes.output(
        CODE + f"print(load({shift})); print(code_of(runtime.malloc, 8))", FAKECUDA_STRICT="1"
    )
    assert out == ["716", "716"]
    assert "kernel 'load', block (0, 0, 0), thread (0, 0, 0): misaligned access" in errors
    assert "needs an alignment of 16 bytes" in errors


def test_without_strict_mode():
    out, _ = processes.output(CODE + "print(load(4), int(out.sum()))", FAKECUDA_STRICT="0")
    assert out == ["0", "16"]


def test_cupys_own_kernels_are_aligned():
    out, errors = processes.output(
        """
        a = cp.arange(60, dtype=np.float32).reshape(3, 4, 5)
        z = a.astype(np.complex64)[:, ::2]
        half = a.astype(np.float16)[..., 1:]
        print(z.sum() == z.get().sum(), half.sum() == half.get().sum())
        print(a[:, 1].argmax() == 14, (cp.sort(a, axis=0) == a).all(), (a > 3).any())
        print((cp.sqrt(cp.square(a[1:, 1:])) == a[1:, 1:]).all())
        """,
        FAKECUDA_STRICT="1",
    )
    assert errors == ""
    assert out == ["True"] * 6
