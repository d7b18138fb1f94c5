// CUDA's own header, which has half precision for the host, and the functions that it has for a
// GPU alone: they go through float, as many of NVIDIA's do.
#pragma once
#include_next <cuda_fp16.h>
#include "fakecuda/atomics.h"
#include "fakecuda/conversions.h"

#define FAKECUDA_HALF(name, expression)                    \
  inline __half h##name(__half a) {                        \
    float x = __half2float(a);                             \
    return __float2half_rn(expression);                    \
  }                                                        \
  inline __half2 h2##name(__half2 a) {                     \
    return {h##name(__low2half(a)), h##name(__high2half(a))}; \
  }
FAKECUDA_HALF(sqrt, std::sqrt(x))
FAKECUDA_HALF(rsqrt, 1 / std::sqrt(x))
FAKECUDA_HALF(rcp, 1 / x)
FAKECUDA_HALF(exp, std::exp(x))
FAKECUDA_HALF(exp2, std::exp2(x))
FAKECUDA_HALF(exp10, std::pow(10.0f, x))
FAKECUDA_HALF(log, std::log(x))
FAKECUDA_HALF(log2, std::log2(x))
FAKECUDA_HALF(log10, std::log10(x))
FAKECUDA_HALF(sin, std::sin(x))
FAKECUDA_HALF(cos, std::cos(x))
FAKECUDA_HALF(tanh, std::tanh(x))
FAKECUDA_HALF(ceil, std::ceil(x))
FAKECUDA_HALF(floor, std::floor(x))
FAKECUDA_HALF(rint, std::nearbyint(x))
FAKECUDA_HALF(trunc, std::trunc(x))
#undef FAKECUDA_HALF

// In double precision a*b + c is exact.
inline __half __hfma(__half a, __half b, __half c) {
  return __double2half(double(__half2float(a)) * __half2float(b) + __half2float(c));
}
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}

#define FAKECUDA_FROM_HALF(To, name)                                                       \
  inline To __half2##name##_rn(__half x) { return __float2##name##_rn(__half2float(x)); }  \
  inline To __half2##name##_ru(__half x) { return __float2##name##_ru(__half2float(x)); }  \
  inline To __half2##name##_rd(__half x) { return __float2##name##_rd(__half2float(x)); }
FAKECUDA_FROM_HALF(int, int)
FAKECUDA_FROM_HALF(unsigned, uint)
FAKECUDA_FROM_HALF(long long, ll)
FAKECUDA_FROM_HALF(unsigned long long, ull)
#undef FAKECUDA_FROM_HALF

inline __half atomicAdd(__half* address, __half value) {
  return fakecuda::exchange(address, [=](__half old) { return __hadd(old, value); });
}
inline __half2 atomicAdd(__half2* address, __half2 value) {
  return fakecuda::exchange(address, [=](__half2 old) { return __hadd2(old, value); });
}
