// CUDA's mathematical functions: the C library's, and those that it lacks.
#pragma once
#include "keywords.h"

using std::abs, std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh;
using std::cbrt, std::ceil, std::copysign, std::cos, std::cosh, std::erf, std::erfc, std::exp;
using std::exp2, std::expm1, std::fabs, std::fdim, std::floor, std::fma, std::fmax, std::fmin;
using std::fmod, std::frexp, std::hypot, std::ilogb, std::isfinite, std::isinf, std::isnan;
using std::ldexp, std::lgamma, std::llrint, std::llround, std::log, std::log10, std::log1p;
using std::log2, std::logb, std::lrint, std::lround, std::modf, std::nearbyint, std::nextafter;
using std::pow, std::remainder, std::remquo, std::rint, std::round, std::scalbln, std::scalbn;
using std::signbit, std::sin, std::sinh, std::sqrt, std::tan, std::tanh, std::tgamma, std::trunc;

// ---- extremes: of numbers, NaN loses

template <class T, class U>
using fakecuda_common = std::enable_if_t<std::is_arithmetic_v<T> && std::is_arithmetic_v<U>,
                                         std::common_type_t<T, U>>;
template <class T, class U>
inline fakecuda_common<T, U> max(T x, U y) {
  using C = std::common_type_t<T, U>;
  if constexpr (std::is_floating_point_v<C>) return std::fmax(C(x), C(y));
  return C(x) < C(y) ? C(y) : C(x);
}
template <class T, class U>
inline fakecuda_common<T, U> min(T x, U y) {
  using C = std::common_type_t<T, U>;
  if constexpr (std::is_floating_point_v<C>) return std::fmin(C(x), C(y));
  return C(y) < C(x) ? C(y) : C(x);
}
inline unsigned umax(unsigned x, unsigned y) { return x < y ? y : x; }
inline unsigned umin(unsigned x, unsigned y) { return y < x ? y : x; }

namespace fakecuda {

// Newton's method on erf, in the form that converges with the third order, from an approximation
// of Winitzki. `error` says how far from the goal erf(x) is.
template <class Error>
inline double solve_erf(double x, int steps, Error error) {
  for (int i = 0; i < steps; ++i) {
    double step = error(x) * std::sqrt(M_PI) / 2 * std::exp(x * x);
    x -= step / (1 + x * step);
  }
  return x;
}
inline double erfinv(double y) {
  if (!(std::fabs(y) < 1)) return std::fabs(y) == 1 ? y * INFINITY : NAN;
  if (y == 0) return y;
  double log = std::log1p(-y * y), t = 2 / (M_PI * 0.147) + log / 2;
  double x = std::copysign(std::sqrt(std::sqrt(t * t - log / 0.147) - t), y);
  return solve_erf(x, 4, [=](double x) {  // near 1, by what is left to 1
    if (y > 0.5) return (1 - y) - std::erfc(x);
    if (y < -0.5) return std::erfc(-x) - (1 + y);
    return std::erf(x) - y;
  });
}
inline double erfcinv(double y) {
  if (!(y > 0 && y < 2)) return y == 0 ? INFINITY : y == 2 ? -INFINITY : NAN;
  if (y > 0.5) return erfinv(1 - y);
  double t = std::sqrt(-2 * std::log(y / 2));
  double x = 0.70711 * ((2.30753 + t * 0.27061) / (1 + t * (0.99229 + t * 0.04481)) - t);
  return solve_erf(-x, 6, [=](double x) { return y - std::erfc(x); });
}
inline double erfcx(double x) {
  if (x < -27) return INFINITY;
  if (x < 25) {
    double square = x * x, rest = std::fma(x, x, -square);
    return std::exp(square) * std::erfc(x) * (1 + rest);
  }
  double sum = 1, term = 1;  // the asymptotic series
  for (int k = 1; k < 12; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum / (x * std::sqrt(M_PI));
}

// The modified Bessel functions of order 0 and 1, exp(-|x|) times.
inline double scaled_bessel_i(int order, double x) {
  double size = std::fabs(x), sign = order && x < 0 ? -1 : 1;
  if (size < 30) {  // the power series
    long double half = size / 2, term = order ? half : 1, sum = term;
    for (int k = 1; k < 200; ++k) sum += term *= half * half / (k * (long double)(k + order));
    return sign * double(sum * std::exp(-(long double)size));
  }
  double mu = 4.0 * order * order, term = 1, sum = 1;  // the asymptotic series
  for (int k = 1; k < 30; ++k) {
    double next = term * -(mu - (2 * k - 1) * (2 * k - 1)) / (8.0 * k * size);
    if (std::fabs(next) > std::fabs(term)) break;
    sum += term = next;
  }
  return sign * sum / std::sqrt(2 * M_PI * size);
}
inline double bessel_i(int order, double x) {
  return std::isinf(x) ? (order ? x : INFINITY)
                       : scaled_bessel_i(order, x) * std::exp(std::fabs(x));
}

// sin(pi x) and cos(pi x): exact at multiples of a half.
inline double sinpi(double x) {
  double r = std::remainder(x, 2.0);  // from -1 to 1
  if (std::fabs(r) > 0.5) r = std::copysign(1 - std::fabs(r), r);
  return r == 0 ? std::copysign(0.0, x) : std::sin(M_PI * r);
}
inline double cospi(double x) {
  double r = std::fabs(std::remainder(x, 2.0));
  return r == 0.5 ? 0.0 : r < 0.5 ? std::cos(M_PI * r) : -std::cos(M_PI * (1 - r));
}

}  // namespace fakecuda

// ---- functions that the C library lacks: name of doubles, name of floats, namef

#define FAKECUDA_FUNCTION(name, expression)                                   \
  inline double name(double x) { return expression; }                        \
  inline float name(float x) { return float(::name(double(x))); }             \
  inline float name##f(float x) { return float(::name(double(x))); }
FAKECUDA_FUNCTION(rsqrt, 1 / std::sqrt(x))
FAKECUDA_FUNCTION(rcbrt, 1 / std::cbrt(x))
FAKECUDA_FUNCTION(sinpi, fakecuda::sinpi(x))
FAKECUDA_FUNCTION(cospi, fakecuda::cospi(x))
FAKECUDA_FUNCTION(erfinv, fakecuda::erfinv(x))
FAKECUDA_FUNCTION(erfcinv, fakecuda::erfcinv(x))
FAKECUDA_FUNCTION(erfcx, fakecuda::erfcx(x))
FAKECUDA_FUNCTION(normcdf, std::erfc(-x * std::sqrt(0.5)) / 2)
FAKECUDA_FUNCTION(normcdfinv, -std::sqrt(2.0) * fakecuda::erfcinv(2 * x))
FAKECUDA_FUNCTION(cyl_bessel_i0, fakecuda::bessel_i(0, x))
FAKECUDA_FUNCTION(cyl_bessel_i1, fakecuda::bessel_i(1, x))

inline void sincospi(double x, double* s, double* c) { *s = sinpi(x), *c = cospi(x); }
inline void sincospif(float x, float* s, float* c) { *s = sinpif(x), *c = cospif(x); }
inline double rhypot(double x, double y) { return 1 / std::hypot(x, y); }
inline float rhypotf(float x, float y) { return 1 / std::hypot(x, y); }
inline double norm3d(double x, double y, double z) { return std::hypot(x, y, z); }
inline float norm3df(float x, float y, float z) { return std::hypot(x, y, z); }
inline double rnorm3d(double x, double y, double z) { return 1 / std::hypot(x, y, z); }
inline float rnorm3df(float x, float y, float z) { return 1 / std::hypot(x, y, z); }

// ---- fast versions for floats; here as exact as the others

inline float __sinf(float x) { return std::sin(x); }
inline float __cosf(float x) { return std::cos(x); }
inline float __tanf(float x) { return std::tan(x); }
inline void __sincosf(float x, float* s, float* c) { *s = std::sin(x), *c = std::cos(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __exp10f(float x) { return std::pow(10.0f, x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __log10f(float x) { return std::log10(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __fdividef(float x, float y) { return x / y; }
inline float fdividef(float x, float y) { return x / y; }
inline float __frsqrt_rn(float x) { return 1 / std::sqrt(x); }
inline float __saturatef(float x) { return x > 0 ? std::fmin(x, 1.0f) : 0; }  // NaN becomes 0
