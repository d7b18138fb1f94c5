// CUDA's own header, which has half precision for the host, and the functions that it has for a
// GPU alone: they go through float, as many of NVIDIA's do.
#pragma once
#include_next <cuda_fp16.h>
#include "fakecuda/atomics.h"

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

inline __half atomicAdd(__half* address, __half value) {
  return fakecuda::exchange(address, [=](__half old) { return __hadd(old, value); });
}
inline __half2 atomicAdd(__half2* address, __half2 value) {
  return fakecuda::exchange(address, [=](__half2 old) { return __hadd2(old, value); });
}
