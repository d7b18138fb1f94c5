// BLAS and LAPACK of OpenBLAS (the package scipy-openblas32), as templates over the four types.
//
// Matrices are in Fortran's order. Arguments that are letters in Fortran are chars here. Routines
// that want memory of their own get it here: in device memory it would be what CuPy hands over.
#pragma once
#include <algorithm>
#include <vector>

#include "library.h"

#define FAKECUDA_FORTRAN(name) scipy_##name##_

// For each of the four types: the type, the type of its real part, its letter, and the letters of
// its symmetric or Hermitian and of its orthogonal or unitary routines.
#define FAKECUDA_FOR_EACH_SCALAR(DO)        \
  DO(float, float, s, sy, or)               \
  DO(double, double, d, sy, or)             \
  DO(std::complex<float>, float, c, he, un) \
  DO(std::complex<double>, double, z, he, un)

extern "C" {
void scipy_openblas_set_num_threads(int threads);

#define FAKECUDA_DECLARE(T, R, p, h, o)                                                            \
  void FAKECUDA_FORTRAN(p##gemm)(const char* transa, const char* transb, const int* m,             \
                                 const int* n, const int* k, const T* alpha, const T* a,           \
                                 const int* lda, const T* b, const int* ldb, const T* beta, T* c,  \
                                 const int* ldc);                                                  \
  void FAKECUDA_FORTRAN(p##trsm)(const char* side, const char* uplo, const char* trans,            \
                                 const char* diag, const int* m, const int* n, const T* alpha,     \
                                 const T* a, const int* lda, T* b, const int* ldb);                \
  void FAKECUDA_FORTRAN(p##syrk)(const char* uplo, const char* trans, const int* n, const int* k,  \
                                 const T* alpha, const T* a, const int* lda, const T* beta, T* c,  \
                                 const int* ldc);                                                  \
  void FAKECUDA_FORTRAN(p##getrf)(const int* m, const int* n, T* a, const int* lda, int* pivots,   \
                                  int* info);                                                      \
  void FAKECUDA_FORTRAN(p##getrs)(const char* trans, const int* n, const int* nrhs, const T* a,    \
                                  const int* lda, const int* pivots, T* b, const int* ldb,         \
                                  int* info);                                                      \
  void FAKECUDA_FORTRAN(p##getri)(const int* n, T* a, const int* lda, const int* pivots, T* work,  \
                                  const int* lwork, int* info);                                    \
  void FAKECUDA_FORTRAN(p##potrf)(const char* uplo, const int* n, T* a, const int* lda,            \
                                  int* info);                                                      \
  void FAKECUDA_FORTRAN(p##potrs)(const char* uplo, const int* n, const int* nrhs, const T* a,     \
                                  const int* lda, T* b, const int* ldb, int* info);                \
  void FAKECUDA_FORTRAN(p##geqrf)(const int* m, const int* n, T* a, const int* lda, T* tau,        \
                                  T* work, const int* lwork, int* info);                           \
  void FAKECUDA_FORTRAN(p##gels)(const char* trans, const int* m, const int* n, const int* nrhs,   \
                                 T* a, const int* lda, T* b, const int* ldb, T* work,              \
                                 const int* lwork, int* info);                                     \
  void FAKECUDA_FORTRAN(p##o##gqr)(const int* m, const int* n, const int* k, T* a, const int* lda, \
                                   const T* tau, T* work, const int* lwork, int* info);            \
  void FAKECUDA_FORTRAN(p##o##mqr)(                                                                \
      const char* side, const char* trans, const int* m, const int* n, const int* k, const T* a,   \
      const int* lda, const T* tau, T* c, const int* ldc, T* work, const int* lwork, int* info);
FAKECUDA_FOR_EACH_SCALAR(FAKECUDA_DECLARE)
#undef FAKECUDA_DECLARE

// The routines that take one more argument for complex numbers.
#define FAKECUDA_DECLARE_REAL(T, p)                                                                \
  void FAKECUDA_FORTRAN(p##syevd)(const char* job, const char* uplo, const int* n, T* a,           \
                                  const int* lda, T* w, T* work, const int* lwork, int* iwork,     \
                                  const int* liwork, int* info);                                   \
  void FAKECUDA_FORTRAN(p##gesvd)(const char* jobu, const char* jobvt, const int* m, const int* n, \
                                  T* a, const int* lda, T* s, T* u, const int* ldu, T* vt,         \
                                  const int* ldvt, T* work, const int* lwork, int* info);          \
  void FAKECUDA_FORTRAN(p##geev)(const char* jobvl, const char* jobvr, const int* n, T* a,         \
                                 const int* lda, T* wr, T* wi, T* vl, const int* ldvl, T* vr,      \
                                 const int* ldvr, T* work, const int* lwork, int* info);           \
  void FAKECUDA_FORTRAN(p##sbmv)(const char* uplo, const int* n, const int* k, const T* alpha,     \
                                 const T* a, const int* lda, const T* x, const int* incx,          \
                                 const T* beta, T* y, const int* incy);
FAKECUDA_DECLARE_REAL(float, s)
FAKECUDA_DECLARE_REAL(double, d)
#undef FAKECUDA_DECLARE_REAL

#define FAKECUDA_DECLARE_COMPLEX(T, R, p)                                                          \
  void FAKECUDA_FORTRAN(p##heevd)(const char* job, const char* uplo, const int* n, T* a,           \
                                  const int* lda, R* w, T* work, const int* lwork, R* rwork,       \
                                  const int* lrwork, int* iwork, const int* liwork, int* info);    \
  void FAKECUDA_FORTRAN(p##gesvd)(const char* jobu, const char* jobvt, const int* m, const int* n, \
                                  T* a, const int* lda, R* s, T* u, const int* ldu, T* vt,         \
                                  const int* ldvt, T* work, const int* lwork, R* rwork,            \
                                  int* info);                                                      \
  void FAKECUDA_FORTRAN(p##geev)(const char* jobvl, const char* jobvr, const int* n, T* a,         \
                                 const int* lda, T* w, T* vl, const int* ldvl, T* vr,              \
                                 const int* ldvr, T* work, const int* lwork, R* rwork, int* info);
FAKECUDA_DECLARE_COMPLEX(std::complex<float>, float, c)
FAKECUDA_DECLARE_COMPLEX(std::complex<double>, double, z)
#undef FAKECUDA_DECLARE_COMPLEX
}  // extern "C"

namespace fakecuda {

// What cuBLAS and cuSOLVER call the arguments that are letters in LAPACK.
enum Operation { CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C };
enum FillMode { CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER };
enum SideMode { CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT };
enum DiagType { CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT };

inline bool is_operation(int op) { return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C; }
inline char letter_of_operation(int op) { return "NTC"[op]; }
inline char letter_of_fill(int uplo) { return uplo == CUBLAS_FILL_MODE_UPPER ? 'U' : 'L'; }
inline char letter_of_side(int side) { return side == CUBLAS_SIDE_LEFT ? 'L' : 'R'; }
inline char letter_of_diag(int diag) { return diag == CUBLAS_DIAG_UNIT ? 'U' : 'N'; }
inline bool is_0_or_1(int value) { return value == 0 || value == 1; }

// Whether a matrix of that many rows has room in columns that are `ld` apart.
inline bool fits(int rows, int ld) { return rows >= 0 && ld >= std::max(1, rows); }

// The routines of one type under names without its letter.
template <class T>
struct Lapack;

#define FAKECUDA_NAME(T, R, p, h, o)                           \
  template <>                                                  \
  struct Lapack<T> {                                           \
    static constexpr auto gemm = FAKECUDA_FORTRAN(p##gemm);    \
    static constexpr auto trsm = FAKECUDA_FORTRAN(p##trsm);    \
    static constexpr auto syrk = FAKECUDA_FORTRAN(p##syrk);    \
    static constexpr auto getrf = FAKECUDA_FORTRAN(p##getrf);  \
    static constexpr auto getrs = FAKECUDA_FORTRAN(p##getrs);  \
    static constexpr auto getri = FAKECUDA_FORTRAN(p##getri);  \
    static constexpr auto potrf = FAKECUDA_FORTRAN(p##potrf);  \
    static constexpr auto potrs = FAKECUDA_FORTRAN(p##potrs);  \
    static constexpr auto geqrf = FAKECUDA_FORTRAN(p##geqrf);  \
    static constexpr auto gels = FAKECUDA_FORTRAN(p##gels);    \
    static constexpr auto orgqr = FAKECUDA_FORTRAN(p##o##gqr); \
    static constexpr auto ormqr = FAKECUDA_FORTRAN(p##o##mqr); \
    static constexpr auto syevd = FAKECUDA_FORTRAN(p##h##evd); \
    static constexpr auto gesvd = FAKECUDA_FORTRAN(p##gesvd);  \
    static constexpr auto geev = FAKECUDA_FORTRAN(p##geev);    \
  };
FAKECUDA_FOR_EACH_SCALAR(FAKECUDA_NAME)
#undef FAKECUDA_NAME

// An offset into a matrix, which may have more elements than an int counts.
inline size_t at(int row, int column, int ld) { return row + size_t(column) * ld; }

// Memory for a routine that works in blocks of columns.
template <class T>
std::vector<T> block_workspace(int columns) {
  return std::vector<T>(std::max(1, columns) * size_t(64));
}

template <class T>
void gemm(char transa, char transb, int m, int n, int k, T alpha, const T* a, int lda, const T* b,
          int ldb, T beta, T* c, int ldc) {
  // Where beta is zero C is not read: it may hold NaN. (Not all kernels of OpenBLAS promise that.)
  if (beta == T(0)) {
    for (int j = 0; j < n; ++j) std::fill_n(c + at(0, j, ldc), m, T(0));
  }
  Lapack<T>::gemm(&transa, &transb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}

template <class T>
void trsm(char side, char uplo, char trans, char diag, int m, int n, T alpha, const T* a, int lda,
          T* b, int ldb) {
  Lapack<T>::trsm(&side, &uplo, &trans, &diag, &m, &n, &alpha, a, &lda, b, &ldb);
}

template <class T>
void syrk(char uplo, char trans, int n, int k, T alpha, const T* a, int lda, T beta, T* c,
          int ldc) {
  if (beta == T(0)) {
    for (int j = 0; j < n; ++j) {
      T* column = c + at(0, j, ldc);
      std::fill(column + (uplo == 'U' ? 0 : j), column + (uplo == 'U' ? j + 1 : n), T(0));
    }
  }
  Lapack<T>::syrk(&uplo, &trans, &n, &k, &alpha, a, &lda, &beta, c, &ldc);
}

// NVIDIA's libraries, unlike LAPACK, factorize without pivots if they get no place for them.
template <class T>
void getrf(int m, int n, T* a, int lda, int* pivots, int* info) {
  if (pivots) {
    Lapack<T>::getrf(&m, &n, a, &lda, pivots, info);
    return;
  }
  *info = 0;
  for (int k = 0; k < std::min(m, n); ++k) {
    const T pivot = a[at(k, k, lda)];
    if (pivot == T(0)) {
      if (!*info) *info = k + 1;
      continue;
    }
    for (int i = k + 1; i < m; ++i) a[at(i, k, lda)] /= pivot;
    for (int j = k + 1; j < n; ++j) {
      for (int i = k + 1; i < m; ++i) a[at(i, j, lda)] -= a[at(i, k, lda)] * a[at(k, j, lda)];
    }
  }
}

// The pivots of a factorization that has none.
inline std::vector<int> no_pivots(int n) {
  std::vector<int> pivots(n + 1);
  for (int i = 0; i <= n; ++i) pivots[i] = i + 1;
  return pivots;
}

template <class T>
void getrs(char trans, int n, int nrhs, const T* a, int lda, const int* pivots, T* b, int ldb,
           int* info) {
  const std::vector<int> own = pivots ? std::vector<int>() : no_pivots(n);
  Lapack<T>::getrs(&trans, &n, &nrhs, a, &lda, pivots ? pivots : own.data(), b, &ldb, info);
}

template <class T>
void getri(int n, T* a, int lda, const int* pivots, int* info) {
  const std::vector<int> own = pivots ? std::vector<int>() : no_pivots(n);
  std::vector<T> work = block_workspace<T>(n);
  const int lwork = int(work.size());
  Lapack<T>::getri(&n, a, &lda, pivots ? pivots : own.data(), work.data(), &lwork, info);
}

template <class T>
void potrf(char uplo, int n, T* a, int lda, int* info) {
  Lapack<T>::potrf(&uplo, &n, a, &lda, info);
  // As LAPACK, and unlike OpenBLAS, take NaN for not positive.
  for (int i = 0; i < n && !*info; ++i) {
    if (is_nan(a[at(i, i, lda)])) *info = i + 1;
  }
}

template <class T>
void potrs(char uplo, int n, int nrhs, const T* a, int lda, T* b, int ldb, int* info) {
  Lapack<T>::potrs(&uplo, &n, &nrhs, a, &lda, b, &ldb, info);
}

template <class T>
void geqrf(int m, int n, T* a, int lda, T* tau, int* info) {
  std::vector<T> work = block_workspace<T>(n);
  const int lwork = int(work.size());
  Lapack<T>::geqrf(&m, &n, a, &lda, tau, work.data(), &lwork, info);
}

template <class T>
void orgqr(int m, int n, int k, T* a, int lda, const T* tau, int* info) {
  std::vector<T> work = block_workspace<T>(n);
  const int lwork = int(work.size());
  Lapack<T>::orgqr(&m, &n, &k, a, &lda, tau, work.data(), &lwork, info);
}

template <class T>
void ormqr(char side, char trans, int m, int n, int k, const T* a, int lda, const T* tau, T* c,
           int ldc, int* info) {
  std::vector<T> work(std::max({1, m, n}) * size_t(64) + 65 * 64);
  const int lwork = int(work.size());
  Lapack<T>::ormqr(&side, &trans, &m, &n, &k, a, &lda, tau, c, &ldc, work.data(), &lwork, info);
}

template <class T>
void gels(int m, int n, int nrhs, T* a, int lda, T* b, int ldb, int* info) {
  const char trans = 'N';
  std::vector<T> work = block_workspace<T>(m + n + nrhs);
  const int lwork = int(work.size());
  Lapack<T>::gels(&trans, &m, &n, &nrhs, a, &lda, b, &ldb, work.data(), &lwork, info);
}

// Eigenvalues of a symmetric or Hermitian matrix, in ascending order.
template <class T>
void syevd(char job, char uplo, int n, T* a, int lda, Real<T>* w, int* info) {
  const int lwork = 1 + 6 * n + 3 * n * n, lrwork = 1 + 5 * n + 2 * n * n, liwork = 3 + 5 * n;
  std::vector<T> work(lwork);
  std::vector<int> iwork(liwork);
  if constexpr (is_complex<T>) {
    std::vector<Real<T>> rwork(lrwork);
    Lapack<T>::syevd(&job, &uplo, &n, a, &lda, w, work.data(), &lwork, rwork.data(), &lrwork,
                     iwork.data(), &liwork, info);
  } else {
    Lapack<T>::syevd(&job, &uplo, &n, a, &lda, w, work.data(), &lwork, iwork.data(), &liwork, info);
  }
}

// Gives V's conjugate transpose, as LAPACK and cuSOLVER's gesvd do.
template <class T>
void gesvd(char jobu, char jobvt, int m, int n, T* a, int lda, Real<T>* s, T* u, int ldu, T* vt,
           int ldvt, int* info) {
  std::vector<T> work = block_workspace<T>(4 * (m + n));
  const int lwork = int(work.size());
  lda = std::max(lda, 1), ldu = std::max(ldu, 1), ldvt = std::max(ldvt, 1);
  if constexpr (is_complex<T>) {
    std::vector<Real<T>> rwork(5 * std::min(m, n) + 1);
    Lapack<T>::gesvd(&jobu, &jobvt, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lwork,
                     rwork.data(), info);
  } else {
    Lapack<T>::gesvd(&jobu, &jobvt, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lwork,
                     info);
  }
}

// Eigenvalues of a general matrix and right eigenvectors. Those of a real matrix are real numbers:
// for a pair of conjugate eigenvalues the real part of the vector, then the imaginary part.
template <class T>
void geev(char jobvr, int n, T* a, int lda, std::complex<Real<T>>* w, T* vr, int ldvr, int* info) {
  const char none = 'N';
  const int one = 1;
  std::vector<T> work = block_workspace<T>(n);
  const int lwork = int(work.size());
  if constexpr (is_complex<T>) {
    std::vector<Real<T>> rwork(2 * n + 1);
    Lapack<T>::geev(&none, &jobvr, &n, a, &lda, w, nullptr, &one, vr, &ldvr, work.data(), &lwork,
                    rwork.data(), info);
  } else {
    std::vector<T> real(n + 1), imag(n + 1);
    Lapack<T>::geev(&none, &jobvr, &n, a, &lda, real.data(), imag.data(), nullptr, &one, vr, &ldvr,
                    work.data(), &lwork, info);
    for (int i = 0; i < n; ++i) w[i] = {real[i], imag[i]};
  }
}

}  // namespace fakecuda
