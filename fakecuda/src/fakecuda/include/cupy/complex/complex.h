// CuPy's complex numbers, aligned as in device code: complex<float> to 8 bytes, complex<double> to
// 16. Its header does that only for compilers that define __CUDACC__.
#pragma once
#include <cupy/complex/namespace.h>
#define __CUDACC__
#include_next <cupy/complex/complex.h>
#undef __CUDACC__
