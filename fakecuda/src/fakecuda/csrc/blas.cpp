// cuBLAS and cuSOLVER, of OpenBLAS.
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "core.h"

#define API extern "C" __attribute__((visibility("default")))
typedef float S;
typedef double D;
typedef std::complex<float> C;
typedef std::complex<double> Z;
template <class T>
struct RealOf { typedef T type; };
template <class T>
struct RealOf<std::complex<T>> { typedef T type; };
template <class T>
using R = typename RealOf<T>::type;
typedef long long ll;

#define CALL(name) scipy_##name##_
#define EACH(F) F(S, s, sy, or) F(D, d, sy, or) F(C, c, he, un) F(Z, z, he, un)
extern "C" {
#define F(T, p, h, o)                                                                             \
  void CALL(p##gemm)(const char*, const char*, int*, int*, int*, const T*, const T*, int*,        \
                     const T*, int*, const T*, T*, int*);                                         \
  void CALL(p##trsm)(const char*, const char*, const char*, const char*, int*, int*, const T*,    \
                     const T*, int*, T*, int*);                                                   \
  void CALL(p##syrk)(const char*, const char*, int*, int*, const T*, const T*, int*, const T*,    \
                     T*, int*);                                                                   \
  void CALL(p##getrf)(int*, int*, T*, int*, int*, int*);                                          \
  void CALL(p##getrs)(const char*, int*, int*, const T*, int*, const int*, T*, int*, int*);       \
  void CALL(p##getri)(int*, T*, int*, const int*, T*, int*, int*);                                \
  void CALL(p##potrf)(const char*, int*, T*, int*, int*);                                         \
  void CALL(p##potrs)(const char*, int*, int*, const T*, int*, T*, int*, int*);                   \
  void CALL(p##geqrf)(int*, int*, T*, int*, T*, T*, int*, int*);
EACH(F)
#undef F
void CALL(sorgqr)(int*, int*, int*, S*, int*, const S*, S*, int*, int*);
void CALL(dorgqr)(int*, int*, int*, D*, int*, const D*, D*, int*, int*);
void CALL(cungqr)(int*, int*, int*, C*, int*, const C*, C*, int*, int*);
void CALL(zungqr)(int*, int*, int*, Z*, int*, const Z*, Z*, int*, int*);
void CALL(ssyevd)(const char*, const char*, int*, S*, int*, S*, S*, int*, int*, int*, int*);
void CALL(dsyevd)(const char*, const char*, int*, D*, int*, D*, D*, int*, int*, int*, int*);
void CALL(cheevd)(const char*, const char*, int*, C*, int*, S*, C*, int*, S*, int*, int*, int*, int*);
void CALL(zheevd)(const char*, const char*, int*, Z*, int*, D*, Z*, int*, D*, int*, int*, int*, int*);
void CALL(sgesvd)(const char*, const char*, int*, int*, S*, int*, S*, S*, int*, S*, int*, S*, int*, int*);
void CALL(dgesvd)(const char*, const char*, int*, int*, D*, int*, D*, D*, int*, D*, int*, D*, int*, int*);
void CALL(cgesvd)(const char*, const char*, int*, int*, C*, int*, S*, C*, int*, C*, int*, C*, int*, S*, int*);
void CALL(zgesvd)(const char*, const char*, int*, int*, Z*, int*, D*, Z*, int*, Z*, int*, Z*, int*, D*, int*);
void CALL(sgeev)(const char*, const char*, int*, S*, int*, S*, S*, S*, int*, S*, int*, S*, int*, int*);
void CALL(dgeev)(const char*, const char*, int*, D*, int*, D*, D*, D*, int*, D*, int*, D*, int*, int*);
void CALL(cgeev)(const char*, const char*, int*, C*, int*, C*, C*, int*, C*, int*, C*, int*, S*, int*);
void CALL(zgeev)(const char*, const char*, int*, Z*, int*, Z*, Z*, int*, Z*, int*, Z*, int*, D*, int*);
}

struct Handle {
  void* stream = nullptr;
  int mode = 0, math = 0;
};
#define CREATE(prefix)                                                       \
  API int prefix##Create_any(void** h) { return *h = new Handle, 0; }

API int cublasCreate_v2(void** h) { return *h = new Handle, 0; }
API int cublasDestroy_v2(void* h) { return delete (Handle*)h, 0; }
API int cublasSetStream_v2(void* h, void* s) { return ((Handle*)h)->stream = s, 0; }
API int cublasGetStream_v2(void* h, void** s) { return *s = ((Handle*)h)->stream, 0; }
API int cublasSetPointerMode_v2(void* h, int m) { return ((Handle*)h)->mode = m, 0; }
API int cublasGetPointerMode_v2(void* h, int* m) { return *m = ((Handle*)h)->mode, 0; }
API int cublasSetMathMode(void* h, int m) { return ((Handle*)h)->math = m, 0; }
API int cublasGetMathMode(void* h, int* m) { return *m = ((Handle*)h)->math, 0; }
API int cublasGetVersion_v2(void*, int* v) { return *v = 120900, 0; }

static int put(void* h, fakecuda::Task call) {
  return fakecuda::enqueue(((Handle*)h)->stream, "launch", std::move(call)) ? 13 : 0;
}

// A scalar argument: on the host read at once, on the device when the stream comes to it.
template <class T>
static std::function<T()> scalar(void* h, const T* p) {
  if (((Handle*)h)->mode) return [p] { return *p; };
  T value = *p;
  return [value] { return value; };
}
// A result on the host is waited for.
template <class T>
static int result(void* h, std::function<T()> f, T* out) {
  if (int e = put(h, [=] { *out = f(); })) return e;
  if (((Handle*)h)->mode) return 0;
  return fakecuda::synchronize(((Handle*)h)->stream, "sync by a result of cuBLAS") ? 13 : 0;
}
static const char* op(int t) { return t == 0 ? "N" : t == 1 ? "T" : "C"; }
static const char* side(int s) { return s == 0 ? "L" : "R"; }
static const char* uplo(int u) { return u == 0 ? "L" : "U"; }
static const char* diag(int d) { return d == 0 ? "N" : "U"; }
static bool bad(int lda, int rows) { return lda < (rows > 1 ? rows : 1); }

#define F(T, p, h, o)                                                                             \
  static void gemm(int ta, int tb, int m, int n, int k, T alpha, const T* a, int lda, const T* b, \
                   int ldb, T beta, T* c, int ldc) {                                              \
    if (!m || !n) return;                                                                         \
    if (beta == T(0)) /* cuBLAS does not read it then */                                          \
      for (int j = 0; j < n; ++j) std::fill(c + (ll)j * ldc, c + (ll)j * ldc + m, T(0));          \
    CALL(p##gemm)(op(ta), op(tb), &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);          \
  }                                                                                               \
  static void getrf(int m, int n, T* a, int lda, int* piv, int* info) {                           \
    std::vector<int> own(piv ? 0 : std::min(m, n) + 1);                                           \
    CALL(p##getrf)(&m, &n, a, &lda, piv ? piv : own.data(), info);                                \
  }                                                                                               \
  static void getrs(int t, int n, int r, const T* a, int lda, const int* piv, T* b, int ldb,      \
                    int* info) {                                                                  \
    CALL(p##getrs)(op(t), &n, &r, a, &lda, piv, b, &ldb, info);                                   \
  }                                                                                               \
  static void getri(int n, T* a, int lda, const int* piv, int* info) {                            \
    std::vector<T> work(n * 64 + 1);                                                              \
    int size = int(work.size());                                                                  \
    CALL(p##getri)(&n, a, &lda, piv, work.data(), &size, info);                                   \
  }                                                                                               \
  static void potrf(int u, int n, T* a, int lda, int* info) {                                     \
    CALL(p##potrf)(uplo(u), &n, a, &lda, info);                                                   \
  }                                                                                               \
  static void potrs(int u, int n, int r, const T* a, int lda, T* b, int ldb, int* info) {         \
    CALL(p##potrs)(uplo(u), &n, &r, a, &lda, b, &ldb, info);                                      \
  }                                                                                               \
  static void geqrf(int m, int n, T* a, int lda, T* tau, int* info) {                             \
    std::vector<T> work(n * 64 + 1);                                                              \
    int size = int(work.size());                                                                  \
    CALL(p##geqrf)(&m, &n, a, &lda, tau, work.data(), &size, info);                               \
  }                                                                                               \
  static void orgqr(int m, int n, int k, T* a, int lda, const T* tau, int* info) {                \
    std::vector<T> work(n * 64 + 1);                                                              \
    int size = int(work.size());                                                                  \
    CALL(p##o##gqr)(&m, &n, &k, a, &lda, tau, work.data(), &size, info);                          \
  }                                                                                               \
  static void trsm(int s, int u, int t, int d, int m, int n, T alpha, const T* a, int lda, T* b,  \
                   int ldb) {                                                                     \
    CALL(p##trsm)(side(s), uplo(u), op(t), diag(d), &m, &n, &alpha, a, &lda, b, &ldb);            \
  }
EACH(F)
#undef F

template <class T>
static void eigh(int vectors, int u, int n, T* a, int lda, R<T>* w, int* info) {
  const char* job = vectors ? "V" : "N";
  int lw = 1 + 6 * n + 2 * n * n + n * n, lr = 1 + 5 * n + 2 * n * n, li = 3 + 5 * n;
  std::vector<T> work(lw);
  std::vector<R<T>> rwork(lr);
  std::vector<int> iwork(li);
  if constexpr (std::is_same_v<T, S>)
    CALL(ssyevd)(job, uplo(u), &n, a, &lda, w, work.data(), &lw, iwork.data(), &li, info);
  else if constexpr (std::is_same_v<T, D>)
    CALL(dsyevd)(job, uplo(u), &n, a, &lda, w, work.data(), &lw, iwork.data(), &li, info);
  else if constexpr (std::is_same_v<T, C>)
    CALL(cheevd)(job, uplo(u), &n, a, &lda, w, work.data(), &lw, rwork.data(), &lr, iwork.data(), &li, info);
  else
    CALL(zheevd)(job, uplo(u), &n, a, &lda, w, work.data(), &lw, rwork.data(), &lr, iwork.data(), &li, info);
}

template <class T>
static void svd(char ju, char jv, int m, int n, T* a, int lda, R<T>* s, T* u, int ldu, T* vt, int ldvt,
                int* info) {
  int lw = 8 * (m + n) * 32 + 64;
  std::vector<T> work(lw);
  std::vector<R<T>> rwork(5 * std::min(m, n) + 1);
  ldu = std::max(ldu, 1);
  ldvt = std::max(ldvt, 1);
  lda = std::max(lda, 1);
  if constexpr (std::is_same_v<T, S>)
    CALL(sgesvd)(&ju, &jv, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lw, info);
  else if constexpr (std::is_same_v<T, D>)
    CALL(dgesvd)(&ju, &jv, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lw, info);
  else if constexpr (std::is_same_v<T, C>)
    CALL(cgesvd)(&ju, &jv, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lw, rwork.data(), info);
  else
    CALL(zgesvd)(&ju, &jv, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work.data(), &lw, rwork.data(), info);
}

// As gesvdj and gesvda give it: V and not its conjugate transpose.
template <class T>
static void svd_v(bool vectors, bool econ, int m, int n, T* a, int lda, R<T>* s, T* u, int ldu, T* v, int ldv,
                  int* info) {
  int k = std::min(m, n), rows = econ ? k : n;
  std::vector<T> vt((size_t)rows * n + 1);
  char job = !vectors ? 'N' : econ ? 'S' : 'A';
  svd<T>(job, job, m, n, a, lda, s, u, ldu, vt.data(), std::max(rows, 1), info);
  if (vectors)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < n; ++j) {
        T x = vt[i + (size_t)j * rows];
        if constexpr (!std::is_same_v<T, R<T>>) x = std::conj(x);
        v[j + (size_t)i * ldv] = x;
      }
}

// ---- cuBLAS

template <class T>
static int any_gemm(void* h, int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda, ll sa,
                    const T* b, int ldb, ll sb, const T* beta, T* c, int ldc, ll sc, int batch) {
  if (m < 0 || n < 0 || k < 0 || bad(lda, ta ? k : m) || bad(ldb, tb ? n : k) || bad(ldc, m)) return 7;
  auto al = scalar(h, alpha), be = scalar(h, beta);
  return put(h, [=] {
    for (int i = 0; i < batch; ++i)
      gemm(ta, tb, m, n, k, al(), a + i * sa, lda, b + i * sb, ldb, be(), c + i * sc, ldc);
  });
}

template <class T>
static T conj_if(bool yes, T x) {
  if constexpr (std::is_same_v<T, R<T>>) return x;
  else return yes ? std::conj(x) : x;
}

#define F(T, U, p, X)                                                                              \
  API int cublas##U##gemm_v2(void* h, int ta, int tb, int m, int n, int k, const T* alpha,         \
                             const T* a, int lda, const T* b, int ldb, const T* beta, T* c,        \
                             int ldc) {                                                            \
    return any_gemm<T>(h, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);       \
  }                                                                                                \
  API int cublas##U##gemmStridedBatched(void* h, int ta, int tb, int m, int n, int k,              \
                                        const T* alpha, const T* a, int lda, ll sa, const T* b,    \
                                        int ldb, ll sb, const T* beta, T* c, int ldc, ll sc,       \
                                        int batch) {                                               \
    return any_gemm<T>(h, ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, batch);\
  }                                                                                                \
  API int cublas##U##gemmBatched(void* h, int ta, int tb, int m, int n, int k, const T* alpha,     \
                                 const T** a, int lda, const T** b, int ldb, const T* beta, T** c, \
                                 int ldc, int batch) {                                             \
    auto al = scalar(h, alpha), be = scalar(h, beta);                                              \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < batch; ++i)                                                              \
        gemm(ta, tb, m, n, k, al(), a[i], lda, b[i], ldb, be(), c[i], ldc);                        \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##gemv_v2(void* h, int t, int m, int n, const T* alpha, const T* a, int lda,    \
                             const T* x, int ix, const T* beta, T* y, int iy) {                    \
    if (m < 0 || n < 0 || bad(lda, m) || !ix || !iy) return 7;                                     \
    auto al = scalar(h, alpha), be = scalar(h, beta);                                              \
    return put(h, [=] {                                                                            \
      int rows = t ? n : m, columns = t ? m : n;                                                   \
      for (int i = 0; i < rows; ++i) {                                                             \
        T sum = 0;                                                                                 \
        for (int j = 0; j < columns; ++j)                                                          \
          sum += conj_if(t == 2, t ? a[j + (ll)i * lda] : a[i + (ll)j * lda]) * x[(ll)j * ix];     \
        T b = be();                                                                                \
        y[(ll)i * iy] = al() * sum + (b == T(0) ? T(0) : b * y[(ll)i * iy]);                       \
      }                                                                                            \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##scal_v2(void* h, int n, const T* alpha, T* x, int ix) {                       \
    auto al = scalar(h, alpha);                                                                    \
    return put(h, [=] { for (int i = 0; i < n; ++i) x[(ll)i * ix] *= al(); });                     \
  }                                                                                                \
  API int cublas##U##axpy_v2(void* h, int n, const T* alpha, const T* x, int ix, T* y, int iy) {   \
    auto al = scalar(h, alpha);                                                                    \
    return put(h, [=] { for (int i = 0; i < n; ++i) y[(ll)i * iy] += al() * x[(ll)i * ix]; });     \
  }                                                                                                \
  API int cublas##U##trsm_v2(void* h, int s, int u, int t, int d, int m, int n, const T* alpha,    \
                             const T* a, int lda, T* b, int ldb) {                                 \
    auto al = scalar(h, alpha);                                                                    \
    return put(h, [=] { trsm(s, u, t, d, m, n, al(), a, lda, b, ldb); });                          \
  }                                                                                                \
  API int cublas##U##trsmBatched(void* h, int s, int u, int t, int d, int m, int n,                \
                                 const T* alpha, const T* const* a, int lda, T* const* b, int ldb, \
                                 int batch) {                                                      \
    auto al = scalar(h, alpha);                                                                    \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < batch; ++i) trsm(s, u, t, d, m, n, al(), a[i], lda, b[i], ldb);          \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##syrk_v2(void* h, int u, int t, int n, int k, const T* alpha, const T* a,      \
                             int lda, const T* beta, T* c, int ldc) {                              \
    auto al = scalar(h, alpha), be = scalar(h, beta);                                              \
    return put(h, [=] {                                                                            \
      int nn = n, kk = k, la = lda, lc = ldc;                                                      \
      T x = al(), y = be();                                                                        \
      CALL(p##syrk)(uplo(u), op(t), &nn, &kk, &x, a, &la, &y, c, &lc);                             \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##geam(void* h, int ta, int tb, int m, int n, const T* alpha, const T* a,       \
                          int lda, const T* beta, const T* b, int ldb, T* c, int ldc) {            \
    auto al = scalar(h, alpha), be = scalar(h, beta);                                              \
    return put(h, [=] {                                                                            \
      T x = al(), y = be();                                                                        \
      for (int j = 0; j < n; ++j)                                                                  \
        for (int i = 0; i < m; ++i) {                                                              \
          T v = 0;                                                                                 \
          if (x != T(0)) v += x * conj_if(ta == 2, ta ? a[j + (ll)i * lda] : a[i + (ll)j * lda]);  \
          if (y != T(0)) v += y * conj_if(tb == 2, tb ? b[j + (ll)i * ldb] : b[i + (ll)j * ldb]);  \
          c[i + (ll)j * ldc] = v;                                                                  \
        }                                                                                          \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##dgmm(void* h, int s, int m, int n, const T* a, int lda, const T* x, int ix,   \
                          T* c, int ldc) {                                                         \
    return put(h, [=] {                                                                            \
      for (int j = 0; j < n; ++j)                                                                  \
        for (int i = 0; i < m; ++i)                                                                \
          c[i + (ll)j * ldc] = a[i + (ll)j * lda] * x[(ll)(s == 0 ? i : j) * ix];                  \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##getrfBatched(void* h, int n, T* const* a, int lda, int* piv, int* info,       \
                                  int batch) {                                                     \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < batch; ++i) getrf(n, n, a[i], lda, piv ? piv + (ll)i * n : nullptr, info + i); \
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##getrsBatched(void* h, int t, int n, int r, const T* const* a, int lda,        \
                                  const int* piv, T* const* b, int ldb, int* info, int batch) {    \
    *info = 0;                                                                                     \
    return put(h, [=] {                                                                            \
      int code;                                                                                    \
      for (int i = 0; i < batch; ++i) getrs(t, n, r, a[i], lda, piv + (ll)i * n, b[i], ldb, &code);\
    });                                                                                            \
  }                                                                                                \
  API int cublas##U##getriBatched(void* h, int n, const T* const* a, int lda, const int* piv,      \
                                  T* const* c, int ldc, int* info, int batch) {                    \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < batch; ++i) {                                                            \
        for (int j = 0; j < n; ++j)                                                                \
          std::copy(a[i] + (ll)j * lda, a[i] + (ll)j * lda + n, c[i] + (ll)j * ldc);               \
        getri(n, c[i], ldc, piv + (ll)i * n, info + i);                                            \
      }                                                                                            \
    });                                                                                            \
  }                                                                                                \
  API int cublas##X##nrm2_v2(void* h, int n, const T* x, int ix, R<T>* out) {                      \
    return result<R<T>>(h, [=] {                                                                   \
      R<T> sum = 0;                                                                                \
      for (int i = 0; i < n; ++i) sum = std::hypot(sum, R<T>(std::abs(x[(ll)i * ix])));            \
      return sum;                                                                                  \
    }, out);                                                                                       \
  }
F(S, S, s, S) F(D, D, d, D) F(C, C, c, Sc) F(Z, Z, z, Dz)
#undef F

#define DOT(T, name, conjugate)                                                                    \
  API int cublas##name##_v2(void* h, int n, const T* x, int ix, const T* y, int iy, T* out) {      \
    return result<T>(h, [=] {                                                                      \
      T sum = 0;                                                                                   \
      for (int i = 0; i < n; ++i) sum += conj_if(conjugate, x[(ll)i * ix]) * y[(ll)i * iy];        \
      return sum;                                                                                  \
    }, out);                                                                                       \
  }
DOT(S, Sdot, false) DOT(D, Ddot, false) DOT(C, Cdotu, false) DOT(C, Cdotc, true)
DOT(Z, Zdotu, false) DOT(Z, Zdotc, true)
#define GER(T, name, conjugate)                                                                    \
  API int cublas##name##_v2(void* h, int m, int n, const T* alpha, const T* x, int ix, const T* y, \
                            int iy, T* a, int lda) {                                               \
    auto al = scalar(h, alpha);                                                                    \
    return put(h, [=] {                                                                            \
      for (int j = 0; j < n; ++j)                                                                  \
        for (int i = 0; i < m; ++i)                                                                \
          a[i + (ll)j * lda] += al() * x[(ll)i * ix] * conj_if(conjugate, y[(ll)j * iy]);          \
    });                                                                                            \
  }
GER(S, Sger, false) GER(D, Dger, false) GER(C, Cgeru, false) GER(C, Cgerc, true)
GER(Z, Zgeru, false) GER(Z, Zgerc, true)

enum { R32 = 0, R64 = 1, R16 = 2, C32 = 4, C64 = 5 };
static int of_type(void* h, int type, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int lda,
                   ll sa, const void* b, int ldb, ll sb, const void* beta, void* c, int ldc, ll sc, int batch) {
#define G(code, T)                                                                                 \
  if (type == code)                                                                                \
    return any_gemm<T>(h, ta, tb, m, n, k, (const T*)alpha, (const T*)a, lda, sa, (const T*)b, ldb, sb, (const T*)beta, \
                       (T*)c, ldc, sc, batch);
  G(R32, S) G(R64, D) G(C32, C) G(C64, Z)
  if (type == R16) {
    float al = *(const float*)alpha, be = *(const float*)beta;
    typedef _Float16 H;
    return put(h, [=] {
      for (int i = 0; i < batch; ++i)
        for (int y = 0; y < n; ++y)
          for (int x = 0; x < m; ++x) {
            const H *pa = (const H*)a + i * sa, *pb = (const H*)b + i * sb;
            H* pc = (H*)c + i * sc + x + (ll)y * ldc;
            float sum = 0;
            for (int z = 0; z < k; ++z)
              sum += float(ta ? pa[z + (ll)x * lda] : pa[x + (ll)z * lda]) * float(tb ? pb[y + (ll)z * ldb] : pb[z + (ll)y * ldb]);
            *pc = H(al * sum + (be ? be * float(*pc) : 0));
          }
    });
  }
  fprintf(stderr, "[fakecuda] gemm of type %d\n", type);
  return 15;
}
API int cublasGemmEx(void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int at, int lda,
                     const void* b, int bt, int ldb, const void* beta, void* c, int ct, int ldc, int, int) {
  if (at != bt || at != ct) return 15;
  return of_type(h, at, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
API int cublasSgemmEx(void* h, int ta, int tb, int m, int n, int k, const float* alpha, const void* a, int at, int lda,
                      const void* b, int bt, int ldb, const float* beta, void* c, int ct, int ldc) {
  if (at != bt || at != ct) return 15;
  return of_type(h, at, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
API int cublasGemmStridedBatchedEx(void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a,
                                   int at, int lda, ll sa, const void* b, int bt, int ldb, ll sb, const void* beta,
                                   void* c, int ct, int ldc, ll sc, int batch, int, int) {
  if (at != bt || at != ct) return 15;
  return of_type(h, at, ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, batch);
}

// ---- cuSOLVER

API int cusolverDnCreate(void** h) { return *h = new Handle, 0; }
API int cusolverDnDestroy(void* h) { return delete (Handle*)h, 0; }
API int cusolverDnSetStream(void* h, void* s) { return ((Handle*)h)->stream = s, 0; }
API int cusolverDnGetStream(void* h, void** s) { return *s = ((Handle*)h)->stream, 0; }
API int cusolverGetProperty(int what, int* v) { return *v = what == 0 ? 11 : what == 1 ? 7 : 5, 0; }
API int cusolverSpCreate(void** h) { return *h = new Handle, 0; }
API int cusolverSpDestroy(void* h) { return delete (Handle*)h, 0; }
API int cusolverSpSetStream(void* h, void* s) { return ((Handle*)h)->stream = s, 0; }
#define OBJECT(name)                                                       \
  API int cusolverDnCreate##name(void** p) { return *p = new int(0), 0; }   \
  API int cusolverDnDestroy##name(void* p) { return delete (int*)p, 0; }
OBJECT(GesvdjInfo) OBJECT(SyevjInfo) OBJECT(Params)
API int cusolverDnXgesvdjSetMaxSweeps(void*, int) { return 0; }
API int cusolverDnXgesvdjSetTolerance(void*, double) { return 0; }
API int cusolverDnXgesvdjSetSortEig(void*, int) { return 0; }
API int cusolverDnXsyevjSetMaxSweeps(void*, int) { return 0; }
API int cusolverDnXsyevjSetTolerance(void*, double) { return 0; }
API int cusolverDnXsyevjSetSortEig(void*, int) { return 0; }

#define F(T, U, p, h_, o, O)                                                                       \
  API int cusolverDn##U##potrf_bufferSize(void*, int, int n, T*, int lda, int* w) {                \
    return bad(lda, n) ? 3 : (*w = n + 1, 0);                                                      \
  }                                                                                                \
  API int cusolverDn##U##potrf(void* h, int u, int n, T* a, int lda, T*, int, int* info) {         \
    if (bad(lda, n)) return 3;                                                                     \
    return put(h, [=] { potrf(u, n, a, lda, info); });                                             \
  }                                                                                                \
  API int cusolverDn##U##potrs(void* h, int u, int n, int r, const T* a, int lda, T* b, int ldb,   \
                               int* info) {                                                        \
    return put(h, [=] { potrs(u, n, r, a, lda, b, ldb, info); });                                  \
  }                                                                                                \
  API int cusolverDn##U##potrfBatched(void* h, int u, int n, T** a, int lda, int* info, int b) {   \
    return put(h, [=] { for (int i = 0; i < b; ++i) potrf(u, n, a[i], lda, info + i); });          \
  }                                                                                                \
  API int cusolverDn##U##potrsBatched(void* h, int u, int n, int r, T** a, int lda, T** x,         \
                                      int ldb, int* info, int b) {                                 \
    if (r != 1) return 3; /* cuSOLVER takes one right side */                                      \
    return put(h, [=] { for (int i = 0; i < b; ++i) potrs(u, n, r, a[i], lda, x[i], ldb, info); });\
  }                                                                                                \
  API int cusolverDn##U##getrf_bufferSize(void*, int m, int n, T*, int, int* w) {                  \
    return *w = m * n + 1, 0;                                                                      \
  }                                                                                                \
  API int cusolverDn##U##getrf(void* h, int m, int n, T* a, int lda, T*, int* piv, int* info) {    \
    if (bad(lda, m)) return 3;                                                                     \
    return put(h, [=] { getrf(m, n, a, lda, piv, info); });                                        \
  }                                                                                                \
  API int cusolverDn##U##getrs(void* h, int t, int n, int r, const T* a, int lda, const int* piv,  \
                               T* b, int ldb, int* info) {                                         \
    return put(h, [=] { getrs(t, n, r, a, lda, piv, b, ldb, info); });                             \
  }                                                                                                \
  API int cusolverDn##U##geqrf_bufferSize(void*, int m, int n, T*, int, int* w) {                  \
    return *w = m * n + 1, 0;                                                                      \
  }                                                                                                \
  API int cusolverDn##U##geqrf(void* h, int m, int n, T* a, int lda, T* tau, T*, int, int* info) { \
    if (bad(lda, m)) return 3;                                                                     \
    return put(h, [=] { geqrf(m, n, a, lda, tau, info); });                                        \
  }                                                                                                \
  API int cusolverDn##U##O##gqr_bufferSize(void*, int m, int n, int, const T*, int, const T*,      \
                                           int* w) {                                               \
    return *w = m * n + 1, 0;                                                                      \
  }                                                                                                \
  API int cusolverDn##U##O##gqr(void* h, int m, int n, int k, T* a, int lda, const T* tau, T*,     \
                                int, int* info) {                                                  \
    if (n > m || k > n || bad(lda, m)) return 3;                                                   \
    return put(h, [=] { orgqr(m, n, k, a, lda, tau, info); });                                     \
  }                                                                                                \
  API int cusolverDn##U##gesvd_bufferSize(void*, int m, int n, int* w) {                           \
    return m < n ? 3 : (*w = m + n + 1, 0);                                                        \
  }                                                                                                \
  API int cusolverDn##U##gesvd(void* h, char ju, char jv, int m, int n, T* a, int lda, R<T>* s,    \
                               T* u, int ldu, T* vt, int ldvt, T*, int, R<T>*, int* info) {        \
    if (m < n || bad(lda, m)) return 3; /* cuSOLVER takes no wide matrices */                      \
    return put(h, [=] { svd<T>(ju, jv, m, n, a, lda, s, u, ldu, vt, ldvt, info); });               \
  }                                                                                                \
  API int cusolverDn##U##gesvdj_bufferSize(void*, int, int, int m, int n, const T*, int,           \
                                           const R<T>*, const T*, int, const T*, int, int* w,      \
                                           void*) {                                                \
    return *w = m + n + 1, 0;                                                                      \
  }                                                                                                \
  API int cusolverDn##U##gesvdj(void* h, int job, int econ, int m, int n, T* a, int lda, R<T>* s,  \
                                T* u, int ldu, T* v, int ldv, T*, int, int* info, void*) {         \
    return put(h, [=] { svd_v<T>(job, econ, m, n, a, lda, s, u, ldu, v, ldv, info); });            \
  }                                                                                                \
  API int cusolverDn##U##gesvdjBatched_bufferSize(void*, int, int m, int n, T*, int, R<T>*, T*,    \
                                                  int, T*, int, int* w, void*, int) {              \
    return m > 32 || n > 32 ? 3 : (*w = m + n + 1, 0);                                             \
  }                                                                                                \
  API int cusolverDn##U##gesvdjBatched(void* h, int job, int m, int n, T* a, int lda, R<T>* s,     \
                                       T* u, int ldu, T* v, int ldv, T*, int, int* info, void*,    \
                                       int b) {                                                    \
    if (m > 32 || n > 32) return 3;                                                                \
    return put(h, [=] {                                                                            \
      int k = std::min(m, n);                                                                      \
      for (int i = 0; i < b; ++i)                                                                  \
        svd_v<T>(job, false, m, n, a + (ll)i * lda * n, lda, s + (ll)i * k, u + (ll)i * ldu * m,   \
                 ldu, v + (ll)i * ldv * n, ldv, info + i);                                         \
    });                                                                                            \
  }                                                                                                \
  API int cusolverDn##U##gesvdaStridedBatched_bufferSize(                                          \
      void*, int, int, int m, int n, const T*, int, ll, const R<T>*, ll, const T*, int, ll,        \
      const T*, int, ll, int* w, int) {                                                            \
    return *w = m + n + 1, 0;                                                                      \
  }                                                                                                \
  API int cusolverDn##U##gesvdaStridedBatched(                                                     \
      void* h, int job, int rank, int m, int n, const T* a, int lda, ll sa, R<T>* s, ll ss, T* u,  \
      int ldu, ll su, T* v, int ldv, ll sv, T*, int, int* info, D*, int b) {                       \
    if (rank > std::min(m, n)) return 3;                                                           \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < b; ++i) {                                                                \
        std::vector<T> copy(a + i * sa, a + i * sa + (ll)lda * n);                                 \
        svd_v<T>(job, true, m, n, copy.data(), lda, s + i * ss, u + i * su, ldu, v + i * sv, ldv,  \
                 info + i);                                                                        \
      }                                                                                            \
    });                                                                                            \
  }                                                                                                \
  API int cusolverDn##U##h_##evd_bufferSize(void*, int, int, int n, const T*, int, const R<T>*,    \
                                            int* w) {                                              \
    return *w = n + 1, 0;                                                                          \
  }                                                                                                \
  API int cusolverDn##U##h_##evd(void* h, int job, int u, int n, T* a, int lda, R<T>* w, T*, int,  \
                                 int* info) {                                                      \
    return put(h, [=] { eigh<T>(job, u, n, a, lda, w, info); });                                   \
  }                                                                                                \
  API int cusolverDn##U##h_##evj_bufferSize(void*, int, int, int n, const T*, int, const R<T>*,    \
                                            int* w, void*) {                                       \
    return *w = n + 1, 0;                                                                          \
  }                                                                                                \
  API int cusolverDn##U##h_##evj(void* h, int job, int u, int n, T* a, int lda, R<T>* w, T*, int,  \
                                 int* info, void*) {                                               \
    return put(h, [=] { eigh<T>(job, u, n, a, lda, w, info); });                                   \
  }                                                                                                \
  API int cusolverDn##U##h_##evjBatched_bufferSize(void*, int, int, int n, const T*, int,          \
                                                   const R<T>*, int* w, void*, int) {              \
    return *w = n + 1, 0;                                                                          \
  }                                                                                                \
  API int cusolverDn##U##h_##evjBatched(void* h, int job, int u, int n, T* a, int lda, R<T>* w,    \
                                        T*, int, int* info, void*, int b) {                        \
    return put(h, [=] {                                                                            \
      for (int i = 0; i < b; ++i)                                                                  \
        eigh<T>(job, u, n, a + (ll)i * lda * n, lda, w + (ll)i * n, info + i);                     \
    });                                                                                            \
  }
F(S, S, s, sy, or, or) F(D, D, d, sy, or, or) F(C, C, c, he, un, un) F(Z, Z, z, he, un, un)
#undef F

API int cusolverDnXsyevd_bufferSize(void*, void*, int, int, int64_t n, int, const void*, int64_t, int, const void*, int,
                                    size_t* d, size_t* h) {
  return *d = n * 16 + 16, *h = 16, 0;
}
API int cusolverDnXsyevd(void* h, void*, int job, int u, int64_t n, int type, void* a, int64_t lda, int, void* w, int,
                         void*, size_t, void*, size_t, int* info) {
#define G(code, T) \
  if (type == code) return put(h, [=] { eigh<T>(job, u, int(n), (T*)a, int(lda), (R<T>*)w, info); });
  G(R32, S) G(R64, D) G(C32, C) G(C64, Z)
  return 3;
}
API int cusolverDnXgeev_bufferSize(void*, void*, int, int, int64_t n, int, const void*, int64_t, int, const void*, int,
                                   const void*, int64_t, int, const void*, int64_t, int, size_t* d, size_t* h) {
  return *d = n * 16 + 16, *h = 16, 0;
}
template <class T>
static void eig(bool vectors, int n, std::vector<T> a, T* w, T* v, int ldv, int* info) {
  int one = 1, lw = 64 * n + 1, lda = std::max(n, 1);
  std::vector<T> work(lw);
  std::vector<R<T>> rwork(2 * n + 1);
  if constexpr (std::is_same_v<T, C>)
    CALL(cgeev)("N", vectors ? "V" : "N", &n, a.data(), &lda, w, nullptr, &one, v, &ldv, work.data(), &lw, rwork.data(), info);
  else
    CALL(zgeev)("N", vectors ? "V" : "N", &n, a.data(), &lda, w, nullptr, &one, v, &ldv, work.data(), &lw, rwork.data(), info);
}
API int cusolverDnXgeev(void* h, void*, int jl, int jr, int64_t n, int ta, void* a, int64_t lda, int tw, void* w, int,
                        void*, int64_t, int tv, void* v, int64_t ldv, int, void*, size_t, void*, size_t, int* info) {
  if (jl) return 3;  // cuSOLVER has no left vectors
  return put(h, [=] {
    auto real = [&](auto zero) {  // of a pair of conjugate values, the vectors' real and imaginary part
      typedef decltype(zero) T;
      int m = int(n), one = 1, lw = 64 * m + 1, ldvr = int(ldv), l = int(lda);
      std::vector<T> re(m + 1), im(m + 1), work(lw);
      const char* job = jr ? "V" : "N";
      if constexpr (std::is_same_v<T, S>)
        CALL(sgeev)("N", job, &m, (T*)a, &l, re.data(), im.data(), nullptr, &one, (T*)v, &ldvr, work.data(), &lw, info);
      else
        CALL(dgeev)("N", job, &m, (T*)a, &l, re.data(), im.data(), nullptr, &one, (T*)v, &ldvr, work.data(), &lw, info);
      for (int i = 0; i < m; ++i) ((std::complex<T>*)w)[i] = std::complex<T>(re[i], im[i]);
    };
    auto whole = [&](auto zero) {
      typedef decltype(zero) T;
      std::vector<T> copy(n * n + 1);
      for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i) copy[i + j * n] = ((T*)a)[i + j * lda];
      eig<T>(jr, int(n), copy, (T*)w, (T*)v, int(ldv), info);
    };
    if (ta == R32) real(S());
    if (ta == R64) real(D());
    if (ta == C32) whole(C());
    if (ta == C64) whole(Z());
  });
}
