// What CuPy's own compiled code (its uses of Thrust and CUB) calls the element types of an array.
#pragma once
#include <stdexcept>

#include "library.h"

namespace fakecuda {

enum CupyType {
  CUPY_TYPE_INT8,
  CUPY_TYPE_UINT8,
  CUPY_TYPE_INT16,
  CUPY_TYPE_UINT16,
  CUPY_TYPE_INT32,
  CUPY_TYPE_UINT32,
  CUPY_TYPE_INT64,
  CUPY_TYPE_UINT64,
  CUPY_TYPE_FLOAT16,
  CUPY_TYPE_FLOAT32,
  CUPY_TYPE_FLOAT64,
  CUPY_TYPE_COMPLEX64,
  CUPY_TYPE_COMPLEX128,
  CUPY_TYPE_BOOL,
};

// Calls `f` with a zero of the type.
template <class F>
void with_cupy_type(int type, F f) {
  switch (type) {
    case CUPY_TYPE_INT8:
      return f(int8_t());
    case CUPY_TYPE_UINT8:
      return f(uint8_t());
    case CUPY_TYPE_INT16:
      return f(int16_t());
    case CUPY_TYPE_UINT16:
      return f(uint16_t());
    case CUPY_TYPE_INT32:
      return f(int32_t());
    case CUPY_TYPE_UINT32:
      return f(uint32_t());
    case CUPY_TYPE_INT64:
      return f(int64_t());
    case CUPY_TYPE_UINT64:
      return f(uint64_t());
    case CUPY_TYPE_FLOAT16:
      return f(Half());
    case CUPY_TYPE_FLOAT32:
      return f(float());
    case CUPY_TYPE_FLOAT64:
      return f(double());
    case CUPY_TYPE_COMPLEX64:
      return f(Complex64());
    case CUPY_TYPE_COMPLEX128:
      return f(Complex128());
    case CUPY_TYPE_BOOL:
      return f(bool());
    default:
      throw std::runtime_error("Unsupported dtype ID");
  }
}

// NumPy's order of complex numbers, by the real and then the imaginary part. Nothing is less or
// greater than a NaN.
template <class T>
bool is_less(T a, T b) {
  if constexpr (is_complex<T>) {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
  } else {
    return a < b;
  }
}

}  // namespace fakecuda
