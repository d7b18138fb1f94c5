// cuSOLVER's dense functions over OpenBLAS.
//
// Arguments are checked as cuSOLVER checks them, and its limits are kept where they are narrower
// than LAPACK's; each is named at its function. Workspaces are filled with garbage, and one that is
// smaller than what the *_bufferSize function said is refused with a message. `info` is LAPACK's.
//
// Jacobi's methods (gesvdj, syevj) and the approximate gesvda compute with LAPACK's algorithms:
// more exact than on a GPU, whatever tolerance and number of sweeps are set.
#include <library_types.h>

#include <cstdio>

#include "lapack.h"

namespace fakecuda::cusolver {
namespace {

enum Status {
  CUSOLVER_STATUS_SUCCESS = 0,
  CUSOLVER_STATUS_NOT_INITIALIZED = 1,
  CUSOLVER_STATUS_INVALID_VALUE = 3,
  CUSOLVER_STATUS_EXECUTION_FAILED = 6,
  CUSOLVER_STATUS_NOT_SUPPORTED = 9,
};
enum EigMode { CUSOLVER_EIG_MODE_NOVECTOR, CUSOLVER_EIG_MODE_VECTOR };

struct Handle {
  void* stream = nullptr;
};

// Tolerances and sweeps of Jacobi's methods, which nothing here reads.
struct JacobiParameters {};
struct Parameters {};

Handles<Handle> handles;
Handles<JacobiParameters> jacobi;
Handles<Parameters> parameter_sets;

int submit(const Handle& handle, Task task) {
  return enqueue(handle.stream, "launch", std::move(task)) ? CUSOLVER_STATUS_EXECUTION_FAILED
                                                           : CUSOLVER_STATUS_SUCCESS;
}

// For results that go to the host.
int wait(const Handle& handle) {
  return synchronize(handle.stream, "sync by a result of cuSOLVER")
             ? CUSOLVER_STATUS_EXECUTION_FAILED
             : CUSOLVER_STATUS_SUCCESS;
}

char letter_of_job(int job) { return job == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N'; }

// What all *_bufferSize functions ask for, in elements: as much as the matrix has and a bit.
int workspace_size(int m, int n) {
  const long long size = (long long)m * n + m + n + 1;
  return int(std::min(size, 1LL << 30));
}

bool is_enough(const char* name, long long given, long long needed) {
  if (given >= needed) return true;
  fprintf(stderr, "fakecuda: %s was given a workspace of %lld, but needs %lld\n", name, given,
          needed);
  return false;
}

template <class T>
bool is_ormqr(int side, int trans, int m, int n, int k, int lda, int ldc) {
  const int rows = side == CUBLAS_SIDE_LEFT ? m : n;
  // The transpose of a real matrix, the conjugate transpose of a complex one.
  const int transposed = is_complex<T> ? CUBLAS_OP_C : CUBLAS_OP_T;
  return is_0_or_1(side) && (trans == CUBLAS_OP_N || trans == transposed) && m >= 0 && n >= 0 &&
         k >= 0 && k <= rows && fits(rows, lda) && fits(m, ldc);
}

bool is_svd_with_v(int job, int m, int n, int lda, int ldu, int ldv) {
  return is_0_or_1(job) && fits(m, lda) && n >= 0 &&
         (job == CUSOLVER_EIG_MODE_NOVECTOR || (fits(m, ldu) && fits(n, ldv)));
}

// Singular values and vectors as gesvdj and gesvda give them: V itself, not its conjugate
// transpose. `rank` is the number of vectors, -1 for square U and V.
template <class T>
void svd_with_v(int job, int rank, int m, int n, T* a, int lda, Real<T>* s, T* u, int ldu, T* v,
                int ldv, int* info) {
  const int least = std::min(m, n);
  std::vector<Real<T>> values(least + 1);
  if (job == CUSOLVER_EIG_MODE_NOVECTOR) {
    gesvd<T>('N', 'N', m, n, a, lda, values.data(), nullptr, 1, nullptr, 1, info);
    std::copy_n(values.begin(), rank < 0 ? least : rank, s);
    return;
  }
  const char kind = rank < 0 ? 'A' : 'S';
  const int columns_u = rank < 0 ? m : least, columns_v = rank < 0 ? n : least;
  std::vector<T> left(at(0, columns_u, m) + 1), right(at(0, n, columns_v) + 1);
  gesvd<T>(kind, kind, m, n, a, lda, values.data(), left.data(), m, right.data(), columns_v, info);
  std::copy_n(values.begin(), rank < 0 ? least : rank, s);
  for (int j = 0; j < (rank < 0 ? m : rank); ++j) {
    std::copy_n(left.data() + at(0, j, m), m, u + at(0, j, ldu));
  }
  for (int j = 0; j < (rank < 0 ? n : rank); ++j) {
    for (int i = 0; i < n; ++i) v[at(i, j, ldv)] = conjugate(right[at(j, i, columns_v)]);
  }
}

// Calls `f` with a zero of the type that a cudaDataType names.
template <class F>
int with_type(int type, F f) {
  switch (type) {
    case CUDA_R_32F:
      return f(float());
    case CUDA_R_64F:
      return f(double());
    case CUDA_C_32F:
      return f(Complex64());
    case CUDA_C_64F:
      return f(Complex128());
    default:
      return CUSOLVER_STATUS_NOT_SUPPORTED;
  }
}

int real_type(int type) {
  return type == CUDA_C_32F ? CUDA_R_32F : type == CUDA_C_64F ? CUDA_R_64F : type;
}

int complex_type(int type) {
  return type == CUDA_R_32F ? CUDA_C_32F : type == CUDA_R_64F ? CUDA_C_64F : type;
}

bool fits64(int64_t rows, int64_t ld) { return rows >= 0 && ld >= std::max<int64_t>(1, rows); }

// In bytes, on the device and on the host.
size_t workspace_bytes(int64_t n) { return 16 * (n * n + 2 * n + 1); }
constexpr size_t kHostWorkspaceBytes = 64;

bool are_enough(const char* name, int64_t n, size_t device_bytes, size_t host_bytes) {
  return is_enough(name, device_bytes, workspace_bytes(n)) &&
         is_enough(name, host_bytes, kHostWorkspaceBytes);
}

// Right eigenvectors only; the eigenvalues are complex, or real numbers for a real matrix: the
// real parts of all and then the imaginary parts.
bool is_geev(int jobvl, int jobvr, int64_t n, int type_a, int64_t lda, int type_w, int type_vr,
             int64_t ldvr, int compute_type) {
  return jobvl == CUSOLVER_EIG_MODE_NOVECTOR && is_0_or_1(jobvr) && fits64(n, lda) &&
         (type_w == type_a || type_w == complex_type(type_a)) && compute_type == type_a &&
         (jobvr == CUSOLVER_EIG_MODE_NOVECTOR || (type_vr == type_a && fits64(n, ldvr)));
}

template <class T>
void geev_into(char job, int n, T* a, int lda, void* w, bool complex_w, T* vr, int ldvr,
               int* info) {
  std::vector<std::complex<Real<T>>> values(n + 1);
  geev<T>(job, n, a, lda, values.data(), vr, std::max(1, ldvr), info);
  if (complex_w) {
    std::copy_n(values.begin(), n, static_cast<std::complex<Real<T>>*>(w));
    return;
  }
  auto* parts = static_cast<Real<T>*>(w);
  for (int i = 0; i < n; ++i) {
    parts[i] = values[i].real();
    parts[i + n] = values[i].imag();
  }
}

// ---- gesv and gels that refine what a lower precision has given. Here the higher precision is
// used throughout, and no iteration is needed. A and B stay; the call waits for `iterations`.

int mixed_buffer_size(void* h, int m, int n, int nrhs, int lda, int ldb, int ldx, size_t* bytes) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (n < 0 || m < n || nrhs < 0 || !fits(m, lda) || !fits(m, ldb) || !fits(n, ldx)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *bytes = workspace_bytes(std::max(m, n));
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
std::vector<T> packed(int m, int n, const T* a, int lda) {
  std::vector<T> copy(at(0, n, m) + 1);
  for (int j = 0; j < n; ++j) std::copy_n(a + at(0, j, lda), m, copy.data() + at(0, j, m));
  return copy;
}

template <class T, class Solve>
int submit_mixed(void* h, const char* name, int m, int n, int nrhs, T* a, int lda, T* b, int ldb,
                 T* x, int ldx, void* work, size_t bytes, int* iterations, Solve solve) {
  size_t needed;
  if (int error = mixed_buffer_size(h, m, n, nrhs, lda, ldb, ldx, &needed)) return error;
  if (!iterations || !is_enough(name, bytes, needed)) return CUSOLVER_STATUS_INVALID_VALUE;
  Handle* handle = handles.find(h);
  const int error = submit(*handle, [=] {
    spoil(work, bytes);
    std::vector<T> factors = packed<T>(m, n, a, lda), solution = packed<T>(m, nrhs, b, ldb);
    solve(factors.data(), solution.data());
    for (int j = 0; j < nrhs; ++j) {
      std::copy_n(solution.data() + at(0, j, m), n, x + at(0, j, ldx));
    }
    *iterations = 0;
  });
  return error ? error : wait(*handle);
}

template <class T>
int submit_gesv(void* h, int n, int nrhs, T* a, int lda, int* pivots, T* b, int ldb, T* x, int ldx,
                void* work, size_t bytes, int* iterations, int* info) {
  return submit_mixed<T>(h, "gesv", n, n, nrhs, a, lda, b, ldb, x, ldx, work, bytes, iterations,
                         [=](T* factors, T* solution) {
                           const int ld = std::max(1, n);
                           getrf<T>(n, n, factors, ld, pivots, info);
                           int ignored;
                           getrs<T>('N', n, nrhs, factors, ld, pivots, solution, ld, &ignored);
                         });
}

template <class T>
int submit_gels(void* h, int m, int n, int nrhs, T* a, int lda, T* b, int ldb, T* x, int ldx,
                void* work, size_t bytes, int* iterations, int* info) {
  return submit_mixed<T>(h, "gels", m, n, nrhs, a, lda, b, ldb, x, ldx, work, bytes, iterations,
                         [=](T* factors, T* solution) {
                           const int ld = std::max(1, m);
                           gels<T>(m, n, nrhs, factors, ld, solution, ld, info);
                         });
}

}  // namespace

// ---- handles and parameters

C_API int cusolverDnCreate(void** handle) {
  *handle = handles.create();
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnDestroy(void* handle) {
  return handles.destroy(handle) ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_NOT_INITIALIZED;
}

C_API int cusolverDnSetStream(void* h, void* stream) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  handle->stream = stream;
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnGetStream(void* h, void** stream) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  *stream = handle->stream;
  return CUSOLVER_STATUS_SUCCESS;
}

// CuPy makes the handles of all of cuSOLVER's parts; the sparse functions are not here.
C_API int cusolverSpCreate(void** handle) { return cusolverDnCreate(handle); }
C_API int cusolverSpDestroy(void* handle) { return cusolverDnDestroy(handle); }
C_API int cusolverSpSetStream(void* h, void* stream) { return cusolverDnSetStream(h, stream); }
C_API int cusolverSpGetStream(void* h, void** stream) { return cusolverDnGetStream(h, stream); }

C_API int cusolverGetProperty(int type, int* value) {
  const int version[] = {11, 7, 5};  // the first with geev is 11.7.0
  if (type < 0 || type > 2) return CUSOLVER_STATUS_INVALID_VALUE;
  *value = version[type];
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnCreateParams(void** parameters) {
  *parameters = parameter_sets.create();
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnDestroyParams(void* parameters) {
  return parameter_sets.destroy(parameters) ? CUSOLVER_STATUS_SUCCESS
                                            : CUSOLVER_STATUS_INVALID_VALUE;
}

#define JACOBI(object, x)                                                                        \
  C_API int cusolverDnCreate##object(void** parameters) {                                        \
    *parameters = jacobi.create();                                                               \
    return CUSOLVER_STATUS_SUCCESS;                                                              \
  }                                                                                              \
  C_API int cusolverDnDestroy##object(void* parameters) {                                        \
    return jacobi.destroy(parameters) ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_INVALID_VALUE; \
  }                                                                                              \
  C_API int cusolverDnX##x##SetMaxSweeps(void* parameters, int) {                                \
    return jacobi.find(parameters) ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_INVALID_VALUE;    \
  }                                                                                              \
  C_API int cusolverDnX##x##SetTolerance(void* parameters, double) {                             \
    return jacobi.find(parameters) ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_INVALID_VALUE;    \
  }                                                                                              \
  C_API int cusolverDnX##x##SetSortEig(void* parameters, int sorted) {                           \
    if (!jacobi.find(parameters)) return CUSOLVER_STATUS_INVALID_VALUE;                          \
    return sorted ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_NOT_SUPPORTED;                     \
  }
JACOBI(GesvdjInfo, gesvdj)
JACOBI(SyevjInfo, syevj)
#undef JACOBI

// ---- one function for each type

namespace for_float {
using T = float;
#define CUSOLVER(name) cusolverDnS##name
#define CUSOLVER_SYMMETRIC(name) cusolverDnSsy##name
#define CUSOLVER_ORTHOGONAL(name) cusolverDnSor##name
#include "cusolver_typed.h"
#undef CUSOLVER
#undef CUSOLVER_SYMMETRIC
#undef CUSOLVER_ORTHOGONAL
}  // namespace for_float

namespace for_double {
using T = double;
#define CUSOLVER(name) cusolverDnD##name
#define CUSOLVER_SYMMETRIC(name) cusolverDnDsy##name
#define CUSOLVER_ORTHOGONAL(name) cusolverDnDor##name
#include "cusolver_typed.h"
#undef CUSOLVER
#undef CUSOLVER_SYMMETRIC
#undef CUSOLVER_ORTHOGONAL
}  // namespace for_double

namespace for_complex64 {
using T = Complex64;
#define CUSOLVER(name) cusolverDnC##name
#define CUSOLVER_SYMMETRIC(name) cusolverDnChe##name
#define CUSOLVER_ORTHOGONAL(name) cusolverDnCun##name
#include "cusolver_typed.h"
#undef CUSOLVER
#undef CUSOLVER_SYMMETRIC
#undef CUSOLVER_ORTHOGONAL
}  // namespace for_complex64

namespace for_complex128 {
using T = Complex128;
#define CUSOLVER(name) cusolverDnZ##name
#define CUSOLVER_SYMMETRIC(name) cusolverDnZhe##name
#define CUSOLVER_ORTHOGONAL(name) cusolverDnZun##name
#include "cusolver_typed.h"
#undef CUSOLVER
#undef CUSOLVER_SYMMETRIC
#undef CUSOLVER_ORTHOGONAL
}  // namespace for_complex128

// The second letter is the lower precision.
#define MIXED(T, letters)                                                                          \
  C_API int cusolverDn##letters##gesv_bufferSize(void* h, int n, int nrhs, T*, int lda, int*, T*,  \
                                                 int ldb, T*, int ldx, void*, size_t* bytes) {     \
    return mixed_buffer_size(h, n, n, nrhs, lda, ldb, ldx, bytes);                                 \
  }                                                                                                \
  C_API int cusolverDn##letters##gesv(void* h, int n, int nrhs, T* a, int lda, int* pivots, T* b,  \
                                      int ldb, T* x, int ldx, void* work, size_t bytes,            \
                                      int* iterations, int* info) {                                \
    return submit_gesv(h, n, nrhs, a, lda, pivots, b, ldb, x, ldx, work, bytes, iterations, info); \
  }                                                                                                \
  C_API int cusolverDn##letters##gels_bufferSize(void* h, int m, int n, int nrhs, T*, int lda, T*, \
                                                 int ldb, T*, int ldx, void*, size_t* bytes) {     \
    return mixed_buffer_size(h, m, n, nrhs, lda, ldb, ldx, bytes);                                 \
  }                                                                                                \
  C_API int cusolverDn##letters##gels(void* h, int m, int n, int nrhs, T* a, int lda, T* b,        \
                                      int ldb, T* x, int ldx, void* work, size_t bytes,            \
                                      int* iterations, int* info) {                                \
    return submit_gels(h, m, n, nrhs, a, lda, b, ldb, x, ldx, work, bytes, iterations, info);      \
  }
MIXED(float, SS)
MIXED(float, SX)
MIXED(float, SH)
MIXED(double, DD)
MIXED(double, DS)
MIXED(double, DX)
MIXED(double, DH)
MIXED(Complex64, CC)
MIXED(Complex64, CY)
MIXED(Complex64, CK)
MIXED(Complex128, ZZ)
MIXED(Complex128, ZC)
MIXED(Complex128, ZY)
MIXED(Complex128, ZK)
#undef MIXED

// ---- the generic interface, where types are values and sizes have 64 bits

C_API int cusolverDnXsyevd_bufferSize(void* h, void*, int job, int uplo, int64_t n, int type_a,
                                      const void*, int64_t lda, int type_w, const void*,
                                      int compute_type, size_t* device_bytes, size_t* host_bytes) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(job) || !is_0_or_1(uplo) || !fits64(n, lda) || type_w != real_type(type_a) ||
      compute_type != type_a) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *device_bytes = workspace_bytes(n);
  *host_bytes = kHostWorkspaceBytes;
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnXsyevd(void* h, void*, int job, int uplo, int64_t n, int type_a, void* a,
                           int64_t lda, int type_w, void* w, int compute_type, void* device_work,
                           size_t device_bytes, void* host_work, size_t host_bytes, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(job) || !is_0_or_1(uplo) || !fits64(n, lda) || type_w != real_type(type_a) ||
      compute_type != type_a || !are_enough("Xsyevd", n, device_bytes, host_bytes)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  spoil(host_work, host_bytes);
  return with_type(type_a, [=](auto zero) {
    using T = decltype(zero);
    return submit(*handle, [=] {
      spoil(device_work, device_bytes);
      syevd<T>(letter_of_job(job), letter_of_fill(uplo), int(n), static_cast<T*>(a), int(lda),
               static_cast<Real<T>*>(w), info);
    });
  });
}

C_API int cusolverDnXgeev_bufferSize(void* h, void*, int jobvl, int jobvr, int64_t n, int type_a,
                                     const void*, int64_t lda, int type_w, const void*, int,
                                     const void*, int64_t, int type_vr, const void*, int64_t ldvr,
                                     int compute_type, size_t* device_bytes, size_t* host_bytes) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_geev(jobvl, jobvr, n, type_a, lda, type_w, type_vr, ldvr, compute_type)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *device_bytes = workspace_bytes(n);
  *host_bytes = kHostWorkspaceBytes;
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int cusolverDnXgeev(void* h, void*, int jobvl, int jobvr, int64_t n, int type_a, void* a,
                          int64_t lda, int type_w, void* w, int, void*, int64_t, int type_vr,
                          void* vr, int64_t ldvr, int compute_type, void* device_work,
                          size_t device_bytes, void* host_work, size_t host_bytes, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_geev(jobvl, jobvr, n, type_a, lda, type_w, type_vr, ldvr, compute_type) ||
      !are_enough("Xgeev", n, device_bytes, host_bytes)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  spoil(host_work, host_bytes);
  return with_type(type_a, [=](auto zero) {
    using T = decltype(zero);
    return submit(*handle, [=] {
      spoil(device_work, device_bytes);
      geev_into<T>(letter_of_job(jobvr), int(n), static_cast<T*>(a), int(lda), w,
                   type_w == complex_type(type_a), static_cast<T*>(vr), int(ldvr), info);
    });
  });
}

}  // namespace fakecuda::cusolver
