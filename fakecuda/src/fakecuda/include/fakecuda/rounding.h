// Arithmetic with a given rounding: rn to the nearest, rz toward zero, ru up, rd down. None of it
// is merged into a multiply-add.
#pragma once
#include "keywords.h"

namespace fakecuda {

// While it lives, the CPU rounds so.
template <int kMode>
class Rounding {
 public:
  Rounding() : before_(fegetround()) { fesetround(kMode); }
  ~Rounding() { fesetround(before_); }

 private:
  int before_;
};
template <>
class Rounding<FE_TONEAREST> {};  // the default

// Operands and results are volatile: the compiler knows nothing of the rounding.
template <int kMode, class T>
inline T add(T x, T y) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, b = y, result = a + b;
  return result;
}
template <int kMode, class T>
inline T subtract(T x, T y) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, b = y, result = a - b;
  return result;
}
template <int kMode, class T>
inline T multiply(T x, T y) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, b = y, result = a * b;
  return result;
}
template <int kMode, class T>
inline T divide(T x, T y) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, b = y, result = a / b;
  return result;
}
template <int kMode, class T>
inline T multiply_add(T x, T y, T z) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, b = y, c = z, result = std::fma(a, b, c);
  return result;
}
template <int kMode, class T>
inline T reciprocal(T x) {
  return divide<kMode>(T(1), x);
}
template <int kMode, class T>
inline T square_root(T x) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile T a = x, result = std::sqrt(a);
  return result;
}
template <int kMode, class To, class From>
inline To convert_rounded(From x) {
  [[maybe_unused]] Rounding<kMode> rounding;
  volatile From a = x;
  volatile To result = To(a);
  return result;
}

}  // namespace fakecuda

#define FAKECUDA_ROUNDED(T, name, function, parameters, ...)                                 \
  inline T name##_rn parameters { return fakecuda::function<FE_TONEAREST, T>(__VA_ARGS__); } \
  inline T name##_rz parameters { return fakecuda::function<FE_TOWARDZERO, T>(__VA_ARGS__); } \
  inline T name##_ru parameters { return fakecuda::function<FE_UPWARD, T>(__VA_ARGS__); }    \
  inline T name##_rd parameters { return fakecuda::function<FE_DOWNWARD, T>(__VA_ARGS__); }

FAKECUDA_ROUNDED(float, __fadd, add, (float x, float y), x, y)
FAKECUDA_ROUNDED(float, __fsub, subtract, (float x, float y), x, y)
FAKECUDA_ROUNDED(float, __fmul, multiply, (float x, float y), x, y)
FAKECUDA_ROUNDED(float, __fdiv, divide, (float x, float y), x, y)
FAKECUDA_ROUNDED(float, __fmaf, multiply_add, (float x, float y, float z), x, y, z)
FAKECUDA_ROUNDED(float, __frcp, reciprocal, (float x), x)
FAKECUDA_ROUNDED(float, __fsqrt, square_root, (float x), x)
FAKECUDA_ROUNDED(double, __dadd, add, (double x, double y), x, y)
FAKECUDA_ROUNDED(double, __dsub, subtract, (double x, double y), x, y)
FAKECUDA_ROUNDED(double, __dmul, multiply, (double x, double y), x, y)
FAKECUDA_ROUNDED(double, __ddiv, divide, (double x, double y), x, y)
FAKECUDA_ROUNDED(double, __fma, multiply_add, (double x, double y, double z), x, y, z)
FAKECUDA_ROUNDED(double, __drcp, reciprocal, (double x), x)
FAKECUDA_ROUNDED(double, __dsqrt, square_root, (double x), x)

FAKECUDA_ROUNDED(float, __double2float, convert_rounded, (double x), x)
FAKECUDA_ROUNDED(float, __int2float, convert_rounded, (int x), x)
FAKECUDA_ROUNDED(float, __uint2float, convert_rounded, (unsigned x), x)
FAKECUDA_ROUNDED(float, __ll2float, convert_rounded, (long long x), x)
FAKECUDA_ROUNDED(float, __ull2float, convert_rounded, (unsigned long long x), x)
FAKECUDA_ROUNDED(double, __ll2double, convert_rounded, (long long x), x)
FAKECUDA_ROUNDED(double, __ull2double, convert_rounded, (unsigned long long x), x)
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }
