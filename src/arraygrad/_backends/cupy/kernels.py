"""CUDA C++ of the package's kernels, and functions that make CuPy kernel objects from it.

The kernels are ufuncs and reductions like CuPy's. They promote dtypes, broadcast and take Python
scalars as CuPy's do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from cupy import ReductionKernel

from ..numpy import index_dtype
from .private import create_reduction_func, create_ufunc

#: Integer dtypes, by their characters.
INTEGERS = "b B h H i I l L q Q".split()

#: Device functions for elementwise kernels.
ELEMENTWISE = r"""
namespace arraygrad {

// -- integers; C++ leaves undefined the least one over -1, and shifts that are negative or too long

template <typename T> __device__ bool is_minus_one(T y) { return T(-1) < T(0) && y == T(-1); }

template <typename T> __device__ T int_floor_divide(T x, T y) {
  if (y == 0) return 0;
  if (is_minus_one(y)) return T(0ull - static_cast<unsigned long long>(x));
  T quotient = x / y;
  return quotient - (x % y != 0 && (x < 0) != (y < 0));
}

template <typename T> __device__ T int_remainder(T x, T y) {
  if (y == 0 || is_minus_one(y)) return 0;
  T rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

template <typename T> __device__ bool is_within(T shift) {
  return static_cast<unsigned long long>(shift) < 8 * sizeof(T);
}

template <typename T> __device__ T left_shift(T x, T shift) {
  return is_within(shift) ? T(x << shift) : T(0);
}

template <typename T> __device__ T right_shift(T x, T shift) {
  return is_within(shift) ? T(x >> shift) : x < 0 ? T(-1) : T(0);
}

// -- real

template <typename T> __device__ T floor_divide(T x, T y) {
  if (y == 0) return x / y;
  if (isinf(x) != isinf(y)) return trunc(x / y);
  T rest = fmod(x, y);
  T quotient = (x - rest) / y;
  if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
  if (quotient == 0) return copysign(T(0), x / y);
  T rounded = floor(quotient);
  return quotient - rounded > T(0.5) ? rounded + 1 : rounded;
}

template <typename T> __device__ T remainder(T x, T y) {
  T rest = fmod(x, y);
  if (rest == 0) return copysign(T(0), y);
  return (rest < 0) != (y < 0) ? rest + y : rest;
}

__device__ inline int bits(float x) { return __float_as_int(x); }
__device__ inline long long bits(double x) { return __double_as_longlong(x); }
__device__ inline float from_bits(int x) { return __int_as_float(x); }
__device__ inline double from_bits(long long x) { return __longlong_as_double(x); }

template <typename T> __device__ T nextafter(T x, T y) {
  if (isnan(x) || isnan(y)) return x + y;
  // Integers in the order of the floats: both zeros are 0, negative numbers count down.
  const auto lowest = bits(T(-0.0));
  auto from = bits(x), to = bits(y);
  if (from < 0) from = lowest - from;
  if (to < 0) to = lowest - to;
  if (from == to) return y;
  from += from < to ? 1 : -1;
  if (from == 0) return copysign(T(0), x);
  return from_bits(from < 0 ? lowest - from : from);
}

// -- complex

template <typename T> __device__ complex<T> divide(const complex<T>& x, const complex<T>& y) {
  const T a = x.real(), b = x.imag(), c = y.real(), d = y.imag();
  if (c == 0 && d == 0) return complex<T>(a / fabs(c), b / fabs(c));
  if (fabs(c) >= fabs(d)) {
    const T ratio = d / c, scale = 1 / (c + d * ratio);
    return complex<T>((a + b * ratio) * scale, (b - a * ratio) * scale);
  }
  const T ratio = c / d, scale = 1 / (d + c * ratio);
  return complex<T>((a * ratio + b) * scale, (b * ratio - a) * scale);
}

template <typename T> __device__ complex<T> sign(const complex<T>& z) {
  T x = z.real(), y = z.imag();
  if (isnan(x) || isnan(y)) return complex<T>(x + y, x + y);
  if (isinf(x) && isinf(y)) return complex<T>(x - x, x - x);
  if (isinf(x)) return complex<T>(copysign(T(1), x), 0);
  if (isinf(y)) return complex<T>(0, copysign(T(1), y));
  const T larger = fmax(fabs(x), fabs(y));
  if (larger == 0) return complex<T>(0, 0);
  x /= larger;
  y /= larger;
  const T length = hypot(x, y);
  return complex<T>(x / length, y / length);
}

template <typename T> __device__ complex<T> complex_log(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  if (isinf(x) || isinf(y)) return complex<T>(isinf(x) ? fabs(x) : fabs(y), atan2(y, x));
  return log(z);
}

template <typename T> __device__ complex<T> scaled_log(const complex<T>& z, T scale) {
  const complex<T> w = complex_log(z);
  return complex<T>(w.real() * scale, w.imag() * scale);
}

__device__ inline float rounded_product(float x, float y) { return __fmul_rn(x, y); }
__device__ inline double rounded_product(double x, double y) { return __dmul_rn(x, y); }

template <typename T> __device__ T square(T x, T& lost) {
  const T result = rounded_product(x, x);
  lost = fma(x, x, -result);
  return result;
}

template <typename T> __device__ T sum(T x, T y, T& lost) {
  const T result = x + y, t = result - x;
  lost = (x - (result - t)) + (y - t);
  return result;
}

template <typename T> __device__ complex<T> complex_log1p(const complex<T>& z) {
  const T x = z.real(), y = z.imag(), angle = atan2(y, 1 + x);
  // Far out nothing cancels, and the squares would overflow; NaN goes this way too.
  if (!(fabs(x) < 4 && fabs(y) < 4))
    return complex<T>(complex_log(complex<T>(1 + x, y)).real(), angle);
  T xx_lost, yy_lost, first_lost, second_lost;
  const T xx = square(x, xx_lost), yy = square(y, yy_lost);
  const T first = sum(2 * x, xx, first_lost);
  const T second = sum(first, yy, second_lost);
  const T s = second + (first_lost + second_lost + xx_lost + yy_lost);
  // Farther in 1 + s cancels; 1 + x is exact there.
  if (!(s > T(-0.5))) return complex<T>(complex_log(complex<T>(1 + x, y)).real(), angle);
  return complex<T>(log1p(s) / 2, angle);
}

template <typename T> __device__ complex<T> complex_expm1(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  const complex<T> w = exp(z);
  const T half = sin(y / 2);
  const T near = expm1(x) * cos(y) - 2 * half * half;
  return complex<T>((isfinite(near) ? near : w.real() - 1) + T(0), w.imag());
}

template <typename T> __device__ complex<T> complex_acosh(const complex<T>& z) {
  if (z.real() == 0 && isnan(z.imag())) return complex<T>(z.imag(), T(M_PI / 2));
  return acosh(z);
}

template <typename T> __device__ complex<T> complex_tanh(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  if (isinf(x)) return complex<T>(copysign(T(1), x), copysign(T(0), y));
  if (x == 0 && !isfinite(y)) return complex<T>(x, y - y);
  return tanh(z);
}

}  // namespace arraygrad
"""


def loops(expression: str, *signatures: str) -> list[tuple[str, str]]:
    """One loop of a ufunc per signature, such as "ff->f", all with the same expression.

    float16 has a loop if float32 has one, and computes in float32.
    """
    found = []
    for signature in signatures:
        if set(signature) <= set("f->"):
            narrow = re.sub(r"\b(in\d)\b", r"float(\1)", expression)
            found.append((signature.replace("f", "e"), f"out0 = {narrow}"))
        found.append((signature, f"out0 = {expression}"))
    return found


def binary_integer_loops(expression: str) -> list[tuple[str, str]]:
    """The loops of a function of two integers."""
    return loops(expression, *(f"{t}{t}->{t}" for t in INTEGERS))


def ufunc(name: str, doc: str, *all_loops: tuple[str, str]) -> Any:
    """Make a ufunc. `doc` says why it replaces CuPy's."""
    return create_ufunc(f"arraygrad_{name}", all_loops, preamble=ELEMENTWISE, doc=doc)


def real_or_complex(name: str, complex_expression: str, doc: str) -> Any:
    """Make a ufunc: CUDA's function of that name for real numbers, ours for complex ones."""
    return ufunc(
        name,
        doc,
        *loops(f"{name}(in0)", "f->f", "d->d"),
        *loops(f"arraygrad::{complex_expression}", "F->F", "D->D"),
    )


def logical(name: str, expression: str) -> Any:
    """Make a ufunc of truth values, for one operand or two."""
    types = [f"{t}->?" for t in "? b B h H i I l L q Q f d F D".split()]
    if "in1" in expression:
        types = [t[0] + t for t in types]
    return ufunc(name, "CuPy has no loops for complex numbers.", *loops(expression, *types))


#: The state of a reduction to the first extreme element: a value and its index, -1 for none.
EXTREME = r"""
template <typename T> struct Extreme {
  T value;
  IndexT index;
  __device__ Extreme() : index(-1) {}
  __device__ Extreme(T v, IndexT i) : value(v), index(i) {}
};

template <bool largest, typename T>
__device__ Extreme<T> extreme(const Extreme<T>& a, const Extreme<T>& b) {
  if (a.index < 0) return b;
  if (b.index < 0) return a;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  const bool a_first = a.index < b.index;
  bool take_a;
  if (a_nan || b_nan) take_a = a_nan && (!b_nan || a_first);
  else if (a.value == b.value) take_a = a_first;
  else take_a = largest ? a.value > b.value : a.value < b.value;
  return take_a ? a : b;
}
"""


def extreme(name: str, largest: bool, result: str) -> Any:
    """Make a reduction to the first extreme element: its "value" or its "index".

    NaN is more extreme than any number.
    """
    types = "? b B h H i I l L q Q f d F D".split()
    index = result == "index"
    return create_reduction_func(
        f"arraygrad_{name}",
        tuple(f"{t}->{index_dtype.char if index else t}" for t in types),
        (
            "Extreme<type_in0_raw>(in0, _J)",
            f"extreme<{str(largest).lower()}>(a, b)",
            f"out0 = a.{result}",
            "Extreme<type_in0_raw>",
        ),
        None,
        EXTREME,
        sort_reduce_axis=not index,
    )


#: Sums of squares that neither overflow nor underflow: those of small and of large numbers apart,
#: scaled by powers of two (Blue, 1978, A portable Fortran program to find the Euclidean norm).
SQUARES = r"""
template <typename T> struct Squares {
  static constexpr bool wide = sizeof(T) == 8;
  T small, middle, large;
  __device__ Squares() : small(0), middle(0), large(0) {}
  __device__ Squares(T x) : small(0), middle(0), large(0) { add(x); }
  __device__ Squares(const complex<T>& z) : small(0), middle(0), large(0) {
    add(z.real());
    add(z.imag());
  }
  static __device__ T up() { return wide ? T(0x1p537) : T(0x1p75f); }
  static __device__ T down() { return wide ? T(0x1p-538) : T(0x1p-76f); }
  __device__ void add(T x) {
    x = abs(x);
    if (x > (wide ? T(0x1p486) : T(0x1p52f))) {
      x *= down();
      large += x * x;
    } else if (x < (wide ? T(0x1p-511) : T(0x1p-63f))) {
      x *= up();
      small += x * x;
    } else {
      middle += x * x;  // NaN, too
    }
  }
  __device__ Squares operator+(const Squares& other) const {
    Squares sum(*this);
    sum.small += other.small;
    sum.middle += other.middle;
    sum.large += other.large;
    return sum;
  }
  __device__ T root() const {
    if (large > 0) return sqrt(large + middle * down() * down()) / down();
    if (small > 0) return hypot(sqrt(middle), sqrt(small) / up());
    return sqrt(middle);
  }
};
"""

#: Square root of the sum of squared absolute values.
euclidean_norm = create_reduction_func(
    "arraygrad_norm",
    ("f->f", "d->d", "F->f", "D->d"),
    ("Squares<type_out0_raw>(in0)", "a + b", "out0 = a.root()", "Squares<type_out0_raw>"),
    0,
    SQUARES,
)


@lru_cache
def deviation_norm(dtype: Any) -> Any:
    """Make the reduction of ``(x, mean)`` to the Euclidean norm of the differences."""
    single = dtype.char in "fF"
    state = f"Squares<{'float' if single else 'double'}>"
    return ReductionKernel(
        f"{dtype.name} x, {dtype.name} mean",
        f"{'float32' if single else 'float64'} out",
        f"{state}(x - mean)",
        "a + b",
        "out = a.root()",
        f"{state}()",
        f"arraygrad_deviation_{dtype.char}",
        reduce_type=state,
        preamble=SQUARES,
    )


#: Device functions for random numbers.
PHILOX = r"""
namespace arraygrad {

// Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011): four words
// for each place, attempt and key of three words.
struct Words {
  unsigned int w[4];
  __device__ unsigned long long pair(int i) const {
    return static_cast<unsigned long long>(w[i + 1]) << 32 | w[i];
  }
};

__device__ inline Words philox(unsigned long long place, unsigned int attempt, unsigned int k0,
                               unsigned int k1, unsigned int k2) {
  unsigned int c0 = static_cast<unsigned int>(place);
  unsigned int c1 = static_cast<unsigned int>(place >> 32);
  unsigned int c2 = attempt, c3 = k2;
  for (int round = 0; round < 10; ++round) {
    const unsigned long long a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
    c0 = static_cast<unsigned int>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<unsigned int>(b);
    c2 = static_cast<unsigned int>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<unsigned int>(a);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return Words{{c0, c1, c2, c3}};
}

// From 0, to 1 exclusive.
__device__ inline void uniform(const Words& x, float& out) { out = (x.w[0] >> 8) * 0x1p-24f; }
__device__ inline void uniform(const Words& x, double& out) { out = (x.pair(0) >> 11) * 0x1p-53; }

// From 0 exclusive, to 1.
__device__ inline void positive(const Words& x, float& out) { out = (x.w[0] + 0.5f) * 0x1p-32f; }
__device__ inline void positive(const Words& x, double& out) {
  out = ((x.pair(0) >> 11) + 0.5) * 0x1p-53;
}

__device__ inline void angle(const Words& x, float& out) {
  out = x.w[2] * (6.2831853071795865f * 0x1p-32f);
}
__device__ inline void angle(const Words& x, double& out) {
  out = (x.pair(2) >> 11) * (6.283185307179586 * 0x1p-53);
}

template <typename T> __device__ T random(const Words& x) {
  T u;
  uniform(x, u);
  return u;
}

template <typename T> __device__ T standard_exponential(const Words& x) {
  T u;
  positive(x, u);
  return T(0) - log(u);
}

// Box and Muller, 1958.
template <typename T> __device__ T standard_normal(const Words& x) {
  T u, turn;
  positive(x, u);
  angle(x, turn);
  return sqrt(T(-2) * log(u)) * cos(turn);
}

}  // namespace arraygrad
"""
