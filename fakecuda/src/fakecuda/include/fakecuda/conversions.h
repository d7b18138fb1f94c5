// Conversions between types, as a GPU's instructions do them.
#pragma once
#include "keywords.h"

namespace fakecuda {

template <class To, class From>
inline To bits(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same size");
  To result;
  memcpy(&result, &value, sizeof value);
  return result;
}

// The instruction cvt: numbers out of range become the nearest that there is, on x86 any becomes
// the lowest. NaN becomes 0, or from or to 64 bits the number whose only bit is the highest.
// Integers of 8 and 16 bits are the last bits of one of 32.
template <class To, class From>
inline To to_integer(From value) {
  if constexpr (sizeof(To) < 4) {
    return To(to_integer<std::conditional_t<std::is_signed_v<To>, int, unsigned>>(value));
  } else {
    using Limits = std::numeric_limits<To>;
    constexpr bool wide = sizeof(From) == 8 || sizeof(To) == 8;
    const From end = std::ldexp(From(1), Limits::digits);  // the first number that is too large
    if (value != value) return wide ? To((unsigned long long)1 << (8 * sizeof(To) - 1)) : To(0);
    if (value >= end) return Limits::max();
    if (value <= (Limits::is_signed ? -end : From(0))) return Limits::min();
    return To(value);
  }
}

// Types that are a number in half precision.
template <class T>
constexpr bool is_half = std::is_class_v<T> && sizeof(T) == 2 && std::is_convertible_v<T, float>;

template <class To>
constexpr bool is_number = std::is_integral_v<To> && !std::is_same_v<To, bool>;

// CuPy's element-wise kernels convert their operands and results by these: see nvrtc.cpp.
template <class To, class From>
inline To convert(const From& value) {
  if constexpr (is_number<To> && std::is_floating_point_v<From>)
    return to_integer<To>(value);
  else if constexpr (is_number<To> && is_half<From>)
    return to_integer<To>(float(value));
  else
    return To(value);
}
template <class To, class From>
inline void assign(To& to, const From& value) {
  if constexpr (is_number<To> && (std::is_floating_point_v<From> || is_half<From>))
    to = convert<To>(value);
  else
    to = value;
}

}  // namespace fakecuda

// ---- bits of numbers

inline int __float_as_int(float x) { return fakecuda::bits<int>(x); }
inline unsigned __float_as_uint(float x) { return fakecuda::bits<unsigned>(x); }
inline float __int_as_float(int x) { return fakecuda::bits<float>(x); }
inline float __uint_as_float(unsigned x) { return fakecuda::bits<float>(x); }
inline long long __double_as_longlong(double x) { return fakecuda::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return fakecuda::bits<double>(x); }
inline int __double2hiint(double x) { return int(__double_as_longlong(x) >> 32); }
inline int __double2loint(double x) { return int(__double_as_longlong(x)); }
inline double __hiloint2double(int high, int low) {
  return fakecuda::bits<double>((unsigned long long)unsigned(high) << 32 | unsigned(low));
}

// ---- numbers to integers: rn to the nearest, rz toward zero, ru up, rd down

#define FAKECUDA_TO_INTEGER(From, To, name)                                                     \
  inline To name##_rn(From x) { return fakecuda::to_integer<To>(std::nearbyint(x)); }           \
  inline To name##_rz(From x) { return fakecuda::to_integer<To>(x); }                           \
  inline To name##_ru(From x) { return fakecuda::to_integer<To>(std::ceil(x)); }                \
  inline To name##_rd(From x) { return fakecuda::to_integer<To>(std::floor(x)); }
FAKECUDA_TO_INTEGER(float, int, __float2int)
FAKECUDA_TO_INTEGER(float, unsigned, __float2uint)
FAKECUDA_TO_INTEGER(float, long long, __float2ll)
FAKECUDA_TO_INTEGER(float, unsigned long long, __float2ull)
FAKECUDA_TO_INTEGER(double, int, __double2int)
FAKECUDA_TO_INTEGER(double, unsigned, __double2uint)
FAKECUDA_TO_INTEGER(double, long long, __double2ll)
FAKECUDA_TO_INTEGER(double, unsigned long long, __double2ull)
