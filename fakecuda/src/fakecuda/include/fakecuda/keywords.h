// CUDA's keywords and types.
#pragma once
// Standard headers come first: some use names that are keywords here. (With NVRTC a kernel has to
// include what it uses of them.)
#include <algorithm>
#include <cassert>
#include <cfenv>
#include <cfloat>
#include <climits>
#define _GLIBCXX_BITS_SPECFUN_H 1  // (without it g++ compiles Bessel functions for each kernel)
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
// From the CUDA runtime: float4, dim3, make_float4, ...
#include <vector_types.h>
#include <vector_functions.h>

#define FAKECUDA 1
// The compiler whose intrinsics these are. __CUDACC__ and __CUDA_ARCH__ are not defined: CUDA's own
// headers would then contain instructions of a GPU.
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 9

#undef __host__
#undef __device__
#undef __global__
#undef __shared__
#undef __constant__
#undef __managed__
#undef __forceinline__
#undef __noinline__
#undef __launch_bounds__
#undef __grid_constant__
#undef __align__
#define __host__
// Variables can be found by their names: see cuModuleGetGlobal.
#define __device__ __attribute__((visibility("default")))
#define __constant__ __attribute__((visibility("default")))
#define __managed__ __attribute__((visibility("default")))
#define __global__
#define __shared__ static  // blocks run one after the other
// The same in a section of its own, whose size the library then knows and which it fills with
// garbage for each block. (Sections differ in names, as g++ asks: shared.ld joins them. In
// templates g++ ignores sections.) nvrtc.cpp uses it where there is one kernel.
#define FAKECUDA_TEXT(x) FAKECUDA_TEXT_(x)
#define FAKECUDA_TEXT_(x) #x
#define FAKECUDA_SECTION ".bss.fakecuda_shared." FAKECUDA_TEXT(__COUNTER__)
#define FAKECUDA_SHARED static __attribute__((section(FAKECUDA_SECTION)))
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __maxnreg__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_assume(condition) ((void)0)

// What fibres.cpp of the library provides.
struct fakecuda_dim3 {
  unsigned x, y, z;
};
extern "C" {
extern fakecuda_dim3 fakecuda_threadIdx, fakecuda_blockIdx, fakecuda_blockDim, fakecuda_gridDim;
extern char* fakecuda_dynamic_shared;
void fakecuda_syncthreads();
void fakecuda_syncwarp(unsigned lanes);
int fakecuda_lane();
unsigned fakecuda_live_lanes();
void fakecuda_put(const void* value, int size);
void fakecuda_get(int lane, void* value, int size);
[[noreturn]] void fakecuda_device_fault(int code, const char* message);
}
#define threadIdx fakecuda_threadIdx
#define blockIdx fakecuda_blockIdx
#define blockDim fakecuda_blockDim
#define gridDim fakecuda_gridDim
#define warpSize 32
