// cuBLAS over OpenBLAS.
//
// Arguments are checked as cuBLAS checks them: a handle that is not alive is
// CUBLAS_STATUS_NOT_INITIALIZED; negative sizes, leading dimensions that are too small, unknown
// enumerators and null scalars are CUBLAS_STATUS_INVALID_VALUE. cuBLAS takes leading dimensions of
// empty matrices, too, that are at least 1.
//
// Results are as exact as OpenBLAS's; there is no TF32, and CUBLAS_COMPUTE_32F_FAST_* are
// CUBLAS_COMPUTE_32F.
#include <library_types.h>

#include <cmath>
#include <functional>

#include "lapack.h"

namespace fakecuda::cublas {
namespace {

enum Status {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
};
enum PointerMode { CUBLAS_POINTER_MODE_HOST, CUBLAS_POINTER_MODE_DEVICE };
enum ComputeType {
  CUBLAS_COMPUTE_16F = 64,
  CUBLAS_COMPUTE_16F_PEDANTIC = 65,
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
  CUBLAS_COMPUTE_64F = 70,
  CUBLAS_COMPUTE_64F_PEDANTIC = 71,
};

struct Handle {
  void* stream = nullptr;
  int pointer_mode = CUBLAS_POINTER_MODE_HOST;
  int math_mode = 0;
};

Handles<Handle> handles;

template <class T>
int set(void* h, T Handle::*field, T value) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->*field = value;
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
int get(void* h, T Handle::*field, T* value) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *value = handle->*field;
  return CUBLAS_STATUS_SUCCESS;
}

int submit(const Handle& handle, Task task) {
  return enqueue(handle.stream, "launch", std::move(task)) ? CUBLAS_STATUS_EXECUTION_FAILED
                                                           : CUBLAS_STATUS_SUCCESS;
}

// alpha or beta: read at once from the host, or from the device when the stream comes to it.
template <class T>
class Scalar {
 public:
  Scalar(const Handle& handle, const T* pointer)
      : on_device_(handle.pointer_mode == CUBLAS_POINTER_MODE_DEVICE ? pointer : nullptr),
        value_(on_device_ || !pointer ? T(0) : *pointer) {}
  T get() const { return on_device_ ? *on_device_ : value_; }

 private:
  const T* on_device_;
  T value_;
};

// A result that goes to the device, or that the call waits for because it goes to the host.
// (A stream that is being captured cannot be waited for: CUBLAS_STATUS_EXECUTION_FAILED.)
template <class T, class Compute>
int submit_result(const Handle& handle, T* result, Compute compute) {
  if (!result) return CUBLAS_STATUS_INVALID_VALUE;
  if (int error = submit(handle, [=] { *result = compute(); })) return error;
  if (handle.pointer_mode == CUBLAS_POINTER_MODE_DEVICE) return CUBLAS_STATUS_SUCCESS;
  return synchronize(handle.stream, "sync by a result of cuBLAS") ? CUBLAS_STATUS_EXECUTION_FAILED
                                                                  : CUBLAS_STATUS_SUCCESS;
}

// A vector with BLAS's increments: one that goes backwards begins at its end.
template <class T>
class Vector {
 public:
  Vector(T* first, int n, int increment)
      : first_(first + (increment < 0 ? ptrdiff_t(1 - n) * increment : 0)), increment_(increment) {}
  T& operator[](int i) const { return first_[ptrdiff_t(i) * increment_]; }

 private:
  T* first_;
  ptrdiff_t increment_;
};

// OpenBLAS's own threads would touch device memory outside of the task that may.
const bool single_threaded = [] {
  scipy_openblas_set_num_threads(1);
  return true;
}();

// A batch of matrices at equal distances, to be used as an array of pointers.
template <class T>
struct Strided {
  T* first;
  long long stride;
  T* operator[](int i) const { return first + i * stride; }
};

template <class T, class A, class B, class C>
int submit_gemm(void* h, int transa, int transb, int m, int n, int k, const T* alpha, A a, int lda,
                B b, int ldb, const T* beta, C c, int ldc, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_operation(transa) || !is_operation(transb) || m < 0 || n < 0 || k < 0 || batch < 0 ||
      !fits(transa == CUBLAS_OP_N ? m : k, lda) || !fits(transb == CUBLAS_OP_N ? k : n, ldb) ||
      !fits(m, ldc) || !alpha || !beta) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!m || !n || !batch) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scale(*handle, alpha), keep(*handle, beta);
  return submit(*handle, [=] {
    for (int i = 0; i < batch; ++i) {
      gemm<T>(letter_of_operation(transa), letter_of_operation(transb), m, n, k, scale.get(), a[i],
              lda, b[i], ldb, keep.get(), c[i], ldc);
    }
  });
}

template <class T, class A, class B>
int submit_trsm(void* h, int side, int uplo, int trans, int diag, int m, int n, const T* alpha, A a,
                int lda, B b, int ldb, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(side) || !is_0_or_1(uplo) || !is_operation(trans) || !is_0_or_1(diag) || n < 0 ||
      batch < 0 || !alpha || !fits(side == CUBLAS_SIDE_LEFT ? m : n, lda) || !fits(m, ldb)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!m || !n || !batch) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scale(*handle, alpha);
  return submit(*handle, [=] {
    for (int i = 0; i < batch; ++i) {
      trsm<T>(letter_of_side(side), letter_of_fill(uplo), letter_of_operation(trans),
              letter_of_diag(diag), m, n, scale.get(), a[i], lda, b[i], ldb);
    }
  });
}

// Half precision with single-precision sums, which OpenBLAS does not have.
int submit_half_gemm(void* h, int transa, int transb, int m, int n, int k, const float* alpha,
                     Strided<const Half> a, int lda, Strided<const Half> b, int ldb,
                     const float* beta, Strided<Half> c, int ldc, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_operation(transa) || !is_operation(transb) || m < 0 || n < 0 || k < 0 || batch < 0 ||
      !fits(transa == CUBLAS_OP_N ? m : k, lda) || !fits(transb == CUBLAS_OP_N ? k : n, ldb) ||
      !fits(m, ldc) || !alpha || !beta) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const Scalar<float> scale(*handle, alpha), keep(*handle, beta);
  return submit(*handle, [=] {
    const float factor = scale.get(), old = keep.get();
    for (int matrix = 0; matrix < batch; ++matrix) {
      for (int j = 0; j < n; ++j) {
        for (int i = 0; i < m; ++i) {
          float sum = 0;
          for (int l = 0; l < k; ++l) {
            sum += float(a[matrix][transa == CUBLAS_OP_N ? at(i, l, lda) : at(l, i, lda)]) *
                   float(b[matrix][transb == CUBLAS_OP_N ? at(l, j, ldb) : at(j, l, ldb)]);
          }
          Half& out = c[matrix][at(i, j, ldc)];
          out = Half(factor * sum + (old == 0 ? 0 : old * float(out)));
        }
      }
    }
  });
}

bool is_single(int compute_type) {
  switch (compute_type) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
    case CUBLAS_COMPUTE_32F_FAST_16F:
    case CUBLAS_COMPUTE_32F_FAST_16BF:
    case CUBLAS_COMPUTE_32F_FAST_TF32:
      return true;
    default:
      return false;
  }
}

bool is_double(int compute_type) {
  return compute_type == CUBLAS_COMPUTE_64F || compute_type == CUBLAS_COMPUTE_64F_PEDANTIC;
}

// GemmEx and its like, where types are values. Of the many combinations in NVIDIA's table these are
// here: all three matrices of one type, computed in single precision (half, single, complex single)
// or in double precision (double, complex double).
int submit_gemm_of_type(void* h, int transa, int transb, int m, int n, int k, const void* alpha,
                        const void* a, int type_a, int lda, long long stride_a, const void* b,
                        int type_b, int ldb, long long stride_b, const void* beta, void* c,
                        int type_c, int ldc, long long stride_c, int batch, int compute_type) {
  if (type_a != type_b || type_a != type_c) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto as = [=](auto zero) {
    using T = decltype(zero);
    return submit_gemm<T>(h, transa, transb, m, n, k, static_cast<const T*>(alpha),
                          Strided<const T>{static_cast<const T*>(a), stride_a}, lda,
                          Strided<const T>{static_cast<const T*>(b), stride_b}, ldb,
                          static_cast<const T*>(beta), Strided<T>{static_cast<T*>(c), stride_c},
                          ldc, batch);
  };
  if (is_single(compute_type)) {
    if (type_a == CUDA_R_32F) return as(float());
    if (type_a == CUDA_C_32F) return as(Complex64());
    if (type_a == CUDA_R_16F) {
      return submit_half_gemm(
          h, transa, transb, m, n, k, static_cast<const float*>(alpha),
          {static_cast<const Half*>(a), stride_a}, lda, {static_cast<const Half*>(b), stride_b},
          ldb, static_cast<const float*>(beta), {static_cast<Half*>(c), stride_c}, ldc, batch);
    }
  }
  if (is_double(compute_type)) {
    if (type_a == CUDA_R_64F) return as(double());
    if (type_a == CUDA_C_64F) return as(Complex128());
  }
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

// ---- results that are numbers

template <class T>
int nrm2(void* h, int n, const T* x, int incx, Real<T>* result) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (incx <= 0) n = 0;
  const Vector<const T> vector(x, n, incx);
  return submit_result(*handle, result, [=] {
    Real<T> norm = 0;
    for (int i = 0; i < n; ++i) norm = std::hypot(norm, std::abs(vector[i]));
    return norm;
  });
}

// What BLAS takes for the size of a complex number.
template <class T>
Real<T> sum_of_parts(T value) {
  if constexpr (is_complex<T>) {
    return std::abs(value.real()) + std::abs(value.imag());
  } else {
    return std::abs(value);
  }
}

template <class T>
int asum(void* h, int n, const T* x, int incx, Real<T>* result) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (incx <= 0) n = 0;
  const Vector<const T> vector(x, n, incx);
  return submit_result(*handle, result, [=] {
    Real<T> sum = 0;
    for (int i = 0; i < n; ++i) sum += sum_of_parts(vector[i]);
    return sum;
  });
}

// The first place, counted from one, of the largest or smallest number; 0 if there is none.
template <class T, class Better>
int extreme(void* h, int n, const T* x, int incx, int* result, Better better) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (incx <= 0) n = 0;
  const Vector<const T> vector(x, n, incx);
  return submit_result(*handle, result, [=] {
    int best = 0;
    for (int i = 1; i < n; ++i) {
      if (better(sum_of_parts(vector[i]), sum_of_parts(vector[best]))) best = i;
    }
    return n > 0 ? best + 1 : 0;
  });
}

template <class T>
int dot(void* h, bool conjugated, int n, const T* x, int incx, const T* y, int incy, T* result) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const Vector<const T> left(x, n, incx), right(y, n, incy);
  return submit_result(*handle, result, [=] {
    T sum = 0;
    for (int i = 0; i < n; ++i) sum += (conjugated ? conjugate(left[i]) : left[i]) * right[i];
    return sum;
  });
}

// ---- other functions whose names do not follow the pattern

template <class T>
int ger(void* h, bool conjugated, int m, int n, const T* alpha, const T* x, int incx, const T* y,
        int incy, T* a, int lda) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (n < 0 || !fits(m, lda) || !incx || !incy || !alpha) return CUBLAS_STATUS_INVALID_VALUE;
  const Scalar<T> scale(*handle, alpha);
  const Vector<const T> column(x, m, incx), row(y, n, incy);
  return submit(*handle, [=] {
    for (int j = 0; j < n; ++j) {
      const T factor = scale.get() * (conjugated ? conjugate(row[j]) : row[j]);
      for (int i = 0; i < m; ++i) a[at(i, j, lda)] += factor * column[i];
    }
  });
}

template <class T>
int scale_by_real(void* h, int n, const Real<T>* alpha, T* x, int incx) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!alpha) return CUBLAS_STATUS_INVALID_VALUE;
  if (n <= 0 || incx <= 0) return CUBLAS_STATUS_SUCCESS;
  const Scalar<Real<T>> scalar(*handle, alpha);
  const Vector<T> vector(x, n, incx);
  return submit(*handle, [=] {
    for (int i = 0; i < n; ++i) vector[i] *= scalar.get();
  });
}

template <class T, class Routine>
int sbmv(Routine routine, void* h, int uplo, int n, int k, const T* alpha, const T* a, int lda,
         const T* x, int incx, const T* beta, T* y, int incy) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || n < 0 || k < 0 || lda < k + 1 || !incx || !incy || !alpha || !beta) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!n) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scale(*handle, alpha), keep(*handle, beta);
  return submit(*handle, [=] {
    const T factor = scale.get(), old = keep.get();
    const char fill = letter_of_fill(uplo);
    const Vector<T> to(y, n, incy);
    for (int i = 0; old == T(0) && i < n; ++i) to[i] = 0;
    routine(&fill, &n, &k, &factor, a, &lda, x, &incx, &old, y, &incy);
  });
}

// Calls `f(packed index, row, column)` for a triangle, column by column.
template <class F>
void for_packed(int uplo, int n, F f) {
  size_t index = 0;
  for (int j = 0; j < n; ++j) {
    const int first = uplo == CUBLAS_FILL_MODE_LOWER ? j : 0;
    const int last = uplo == CUBLAS_FILL_MODE_LOWER ? n : j + 1;
    for (int i = first; i < last; ++i) f(index++, i, j);
  }
}

template <class T>
int unpack(void* h, int uplo, int n, const T* packed, T* a, int lda) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda)) return CUBLAS_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    for_packed(uplo, n, [=](size_t index, int i, int j) { a[at(i, j, lda)] = packed[index]; });
  });
}

template <class T>
int pack(void* h, int uplo, int n, const T* a, int lda, T* packed) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda)) return CUBLAS_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    for_packed(uplo, n, [=](size_t index, int i, int j) { packed[index] = a[at(i, j, lda)]; });
  });
}

}  // namespace

// ---- handles

C_API int cublasCreate_v2(void** handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = handles.create();
  return CUBLAS_STATUS_SUCCESS;
}

C_API int cublasDestroy_v2(void* handle) {
  return handles.destroy(handle) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

C_API int cublasSetStream_v2(void* h, void* stream) { return set(h, &Handle::stream, stream); }

C_API int cublasGetStream_v2(void* h, void** stream) { return get(h, &Handle::stream, stream); }

C_API int cublasSetPointerMode_v2(void* h, int mode) {
  if (handles.find(h) && !is_0_or_1(mode)) return CUBLAS_STATUS_INVALID_VALUE;
  return set(h, &Handle::pointer_mode, mode);
}

C_API int cublasGetPointerMode_v2(void* h, int* mode) {
  return get(h, &Handle::pointer_mode, mode);
}

C_API int cublasSetMathMode(void* h, int mode) { return set(h, &Handle::math_mode, mode); }

C_API int cublasGetMathMode(void* h, int* mode) { return get(h, &Handle::math_mode, mode); }

C_API int cublasGetVersion_v2(void*, int* version) {
  *version = 120900;
  return CUBLAS_STATUS_SUCCESS;
}

// ---- one function for each type

namespace for_float {
using T = float;
#define CUBLAS(name) cublasS##name
#include "cublas_typed.h"
#undef CUBLAS
}  // namespace for_float

namespace for_double {
using T = double;
#define CUBLAS(name) cublasD##name
#include "cublas_typed.h"
#undef CUBLAS
}  // namespace for_double

namespace for_complex64 {
using T = Complex64;
#define CUBLAS(name) cublasC##name
#include "cublas_typed.h"
#undef CUBLAS
}  // namespace for_complex64

namespace for_complex128 {
using T = Complex128;
#define CUBLAS(name) cublasZ##name
#include "cublas_typed.h"
#undef CUBLAS
}  // namespace for_complex128

#define NUMBERS(T, letter, letters)                                                           \
  C_API int cublas##letters##nrm2_v2(void* h, int n, const T* x, int incx, Real<T>* result) { \
    return nrm2(h, n, x, incx, result);                                                       \
  }                                                                                           \
  C_API int cublas##letters##asum_v2(void* h, int n, const T* x, int incx, Real<T>* result) { \
    return asum(h, n, x, incx, result);                                                       \
  }                                                                                           \
  C_API int cublasI##letter##amax_v2(void* h, int n, const T* x, int incx, int* result) {     \
    return extreme(h, n, x, incx, result, std::greater<Real<T>>());                           \
  }                                                                                           \
  C_API int cublasI##letter##amin_v2(void* h, int n, const T* x, int incx, int* result) {     \
    return extreme(h, n, x, incx, result, std::less<Real<T>>());                              \
  }
NUMBERS(float, s, S)
NUMBERS(double, d, D)
NUMBERS(Complex64, c, Sc)
NUMBERS(Complex128, z, Dz)
#undef NUMBERS

#define PRODUCTS(T, dot_name, ger_name, conjugated)                                            \
  C_API int cublas##dot_name##_v2(void* h, int n, const T* x, int incx, const T* y, int incy,  \
                                  T* result) {                                                 \
    return dot(h, conjugated, n, x, incx, y, incy, result);                                    \
  }                                                                                            \
  C_API int cublas##ger_name##_v2(void* h, int m, int n, const T* alpha, const T* x, int incx, \
                                  const T* y, int incy, T* a, int lda) {                       \
    return ger(h, conjugated, m, n, alpha, x, incx, y, incy, a, lda);                          \
  }
PRODUCTS(float, Sdot, Sger, false)
PRODUCTS(double, Ddot, Dger, false)
PRODUCTS(Complex64, Cdotu, Cgeru, false)
PRODUCTS(Complex64, Cdotc, Cgerc, true)
PRODUCTS(Complex128, Zdotu, Zgeru, false)
PRODUCTS(Complex128, Zdotc, Zgerc, true)
#undef PRODUCTS

C_API int cublasCsscal_v2(void* h, int n, const float* alpha, Complex64* x, int incx) {
  return scale_by_real(h, n, alpha, x, incx);
}
C_API int cublasZdscal_v2(void* h, int n, const double* alpha, Complex128* x, int incx) {
  return scale_by_real(h, n, alpha, x, incx);
}

#define REAL_ONLY(T, letter, lower)                                                              \
  C_API int cublas##letter##sbmv_v2(void* h, int uplo, int n, int k, const T* alpha, const T* a, \
                                    int lda, const T* x, int incx, const T* beta, T* y,          \
                                    int incy) {                                                  \
    return sbmv(FAKECUDA_FORTRAN(lower##sbmv), h, uplo, n, k, alpha, a, lda, x, incx, beta, y,   \
                incy);                                                                           \
  }                                                                                              \
  C_API int cublas##letter##tpttr(void* h, int uplo, int n, const T* packed, T* a, int lda) {    \
    return unpack(h, uplo, n, packed, a, lda);                                                   \
  }                                                                                              \
  C_API int cublas##letter##trttp(void* h, int uplo, int n, const T* a, int lda, T* packed) {    \
    return pack(h, uplo, n, a, lda, packed);                                                     \
  }
REAL_ONLY(float, S, s)
REAL_ONLY(double, D, d)
#undef REAL_ONLY

// ---- types as values

C_API int cublasGemmEx(void* h, int transa, int transb, int m, int n, int k, const void* alpha,
                       const void* a, int type_a, int lda, const void* b, int type_b, int ldb,
                       const void* beta, void* c, int type_c, int ldc, int compute_type,
                       int /*algorithm*/) {
  return submit_gemm_of_type(h, transa, transb, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb,
                             0, beta, c, type_c, ldc, 0, 1, compute_type);
}

C_API int cublasGemmStridedBatchedEx(void* h, int transa, int transb, int m, int n, int k,
                                     const void* alpha, const void* a, int type_a, int lda,
                                     long long stride_a, const void* b, int type_b, int ldb,
                                     long long stride_b, const void* beta, void* c, int type_c,
                                     int ldc, long long stride_c, int batch, int compute_type,
                                     int /*algorithm*/) {
  return submit_gemm_of_type(h, transa, transb, m, n, k, alpha, a, type_a, lda, stride_a, b, type_b,
                             ldb, stride_b, beta, c, type_c, ldc, stride_c, batch, compute_type);
}

C_API int cublasSgemmEx(void* h, int transa, int transb, int m, int n, int k, const float* alpha,
                        const void* a, int type_a, int lda, const void* b, int type_b, int ldb,
                        const float* beta, void* c, int type_c, int ldc) {
  return submit_gemm_of_type(h, transa, transb, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb,
                             0, beta, c, type_c, ldc, 0, 1, CUBLAS_COMPUTE_32F);
}

}  // namespace fakecuda::cublas
