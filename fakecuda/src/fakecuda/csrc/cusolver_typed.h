// The dense functions of cuSOLVER that exist for each of the four types. cusolver.cpp includes this
// file once for each, with the type T and with macros for the three patterns of names:
//   CUSOLVER(potrf)            cusolverDnSpotrf, cusolverDnCpotrf
//   CUSOLVER_SYMMETRIC(evd)    cusolverDnSsyevd, cusolverDnCheevd
//   CUSOLVER_ORTHOGONAL(gqr)   cusolverDnSorgqr, cusolverDnCungqr

// ---- Cholesky

C_API int CUSOLVER(potrf_bufferSize)(void* h, int uplo, int n, T*, int lda, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda)) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(n, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER(potrf)(void* h, int uplo, int n, T* a, int lda, T* work, int lwork, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda) || !is_enough("potrf", lwork, workspace_size(n, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    potrf<T>(letter_of_fill(uplo), n, a, lda, info);
  });
}

C_API int CUSOLVER(potrs)(void* h, int uplo, int n, int nrhs, const T* a, int lda, T* b, int ldb,
                          int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda) || nrhs < 0 || !fits(n, ldb)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] { potrs<T>(letter_of_fill(uplo), n, nrhs, a, lda, b, ldb, info); });
}

// cuSOLVER works in the other triangle of A, which holds garbage afterwards.
C_API int CUSOLVER(potrfBatched)(void* h, int uplo, int n, T* const* a, int lda, int* info,
                                 int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda) || batch < 0) return CUSOLVER_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    for (int i = 0; i < batch; ++i) {
      potrf<T>(letter_of_fill(uplo), n, a[i], lda, info + i);
      for (int j = 0; j < n; ++j) {
        const int first = uplo == CUBLAS_FILL_MODE_LOWER ? 0 : j + 1;
        const int last = uplo == CUBLAS_FILL_MODE_LOWER ? j : n;
        spoil(a[i] + at(first, j, lda), (last - first) * sizeof(T));
      }
    }
  });
}

// cuSOLVER takes a single right-hand side here. Its `info` is one number, about the arguments.
C_API int CUSOLVER(potrsBatched)(void* h, int uplo, int n, int nrhs, T* const* a, int lda,
                                 T* const* b, int ldb, int* info, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(uplo) || !fits(n, lda) || nrhs != 1 || !fits(n, ldb) || batch < 0) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    *info = 0;
    int ignored;
    for (int i = 0; i < batch; ++i) {
      potrs<T>(letter_of_fill(uplo), n, nrhs, a[i], lda, b[i], ldb, &ignored);
    }
  });
}

// ---- LU

C_API int CUSOLVER(getrf_bufferSize)(void* h, int m, int n, T*, int lda, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!fits(m, lda) || n < 0) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

// The size of this workspace is not passed; it is what getrf_bufferSize has said.
C_API int CUSOLVER(getrf)(void* h, int m, int n, T* a, int lda, T* work, int* pivots, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!fits(m, lda) || n < 0) return CUSOLVER_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    spoil(work, workspace_size(m, n) * sizeof(T));
    getrf<T>(m, n, a, lda, pivots, info);
  });
}

C_API int CUSOLVER(getrs)(void* h, int trans, int n, int nrhs, const T* a, int lda,
                          const int* pivots, T* b, int ldb, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_operation(trans) || !fits(n, lda) || nrhs < 0 || !fits(n, ldb)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    getrs<T>(letter_of_operation(trans), n, nrhs, a, lda, pivots, b, ldb, info);
  });
}

// ---- QR

// The leading dimension is not looked at: CuPy passes n, which is too small for high matrices.
C_API int CUSOLVER(geqrf_bufferSize)(void* h, int m, int n, T*, int /*lda*/, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (m < 0 || n < 0) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER(geqrf)(void* h, int m, int n, T* a, int lda, T* tau, T* work, int lwork,
                          int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!fits(m, lda) || n < 0 || !is_enough("geqrf", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    geqrf<T>(m, n, a, lda, tau, info);
  });
}

C_API int CUSOLVER_ORTHOGONAL(gqr_bufferSize)(void* h, int m, int n, int k, const T*, int lda,
                                              const T*, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!fits(m, lda) || n < 0 || n > m || k < 0 || k > n) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER_ORTHOGONAL(gqr)(void* h, int m, int n, int k, T* a, int lda, const T* tau,
                                   T* work, int lwork, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!fits(m, lda) || n < 0 || n > m || k < 0 || k > n ||
      !is_enough("orgqr", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    orgqr<T>(m, n, k, a, lda, tau, info);
  });
}

C_API int CUSOLVER_ORTHOGONAL(mqr_bufferSize)(void* h, int side, int trans, int m, int n, int k,
                                              const T*, int lda, const T*, const T*, int ldc,
                                              int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_ormqr<T>(side, trans, m, n, k, lda, ldc)) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER_ORTHOGONAL(mqr)(void* h, int side, int trans, int m, int n, int k, const T* a,
                                   int lda, const T* tau, T* c, int ldc, T* work, int lwork,
                                   int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_ormqr<T>(side, trans, m, n, k, lda, ldc) ||
      !is_enough("ormqr", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    ormqr<T>(letter_of_side(side), letter_of_operation(trans), m, n, k, a, lda, tau, c, ldc, info);
  });
}

// ---- singular values

// cuSOLVER's gesvd takes no matrices that are wider than high.
C_API int CUSOLVER(gesvd_bufferSize)(void* h, int m, int n, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (n < 0 || m < n) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER(gesvd)(void* h, signed char jobu, signed char jobvt, int m, int n, T* a, int lda,
                          Real<T>* s, T* u, int ldu, T* vt, int ldvt, T* work, int lwork,
                          Real<T>* /*rwork*/, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  const bool wants_u = jobu == 'A' || jobu == 'S', wants_vt = jobvt == 'A' || jobvt == 'S';
  if (!strchr("ASON", jobu) || !strchr("ASON", jobvt) || (jobu == 'O' && jobvt == 'O') || n < 0 ||
      m < n || !fits(m, lda) || (wants_u && !fits(m, ldu)) || (wants_vt && !fits(n, ldvt)) ||
      !is_enough("gesvd", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    gesvd<T>(char(jobu), char(jobvt), m, n, a, lda, s, u, ldu, vt, ldvt, info);
  });
}

C_API int CUSOLVER(gesvdj_bufferSize)(void* h, int job, int econ, int m, int n, const T*, int lda,
                                      const Real<T>*, const T*, int ldu, const T*, int ldv,
                                      int* lwork, void* parameters) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || !is_0_or_1(econ) || !jacobi.find(parameters)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER(gesvdj)(void* h, int job, int econ, int m, int n, T* a, int lda, Real<T>* s,
                           T* u, int ldu, T* v, int ldv, T* work, int lwork, int* info,
                           void* parameters) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || !is_0_or_1(econ) || !jacobi.find(parameters) ||
      !is_enough("gesvdj", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    svd_with_v<T>(job, econ ? std::min(m, n) : -1, m, n, a, lda, s, u, ldu, v, ldv, info);
  });
}

// cuSOLVER's batched gesvdj is for matrices of at most 32 rows and 32 columns.
C_API int CUSOLVER(gesvdjBatched_bufferSize)(void* h, int job, int m, int n, const T*, int lda,
                                             const Real<T>*, const T*, int ldu, const T*, int ldv,
                                             int* lwork, void* parameters, int batch) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || m > 32 || n > 32 || batch < 0 ||
      !jacobi.find(parameters)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER(gesvdjBatched)(void* h, int job, int m, int n, T* a, int lda, Real<T>* s, T* u,
                                  int ldu, T* v, int ldv, T* work, int lwork, int* info,
                                  void* parameters, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || m > 32 || n > 32 || batch < 0 ||
      !jacobi.find(parameters) || !is_enough("gesvdjBatched", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    for (int i = 0; i < batch; ++i) {
      svd_with_v<T>(job, -1, m, n, a + at(0, i * n, lda), lda, s + size_t(i) * std::min(m, n),
                    u + at(0, i * m, ldu), ldu, v + at(0, i * n, ldv), ldv, info + i);
    }
  });
}

// cuSOLVER's gesvda is for matrices that are at least as high as wide. It leaves A as it is.
C_API int CUSOLVER(gesvdaStridedBatched_bufferSize)(void* h, int job, int rank, int m, int n,
                                                    const T*, int lda, long long, const Real<T>*,
                                                    long long, const T*, int ldu, long long,
                                                    const T*, int ldv, long long, int* lwork,
                                                    int batch) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || m < n || rank < 0 || rank > n || batch < 0) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  *lwork = workspace_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

// `residuals`, ||A - U S V^H|| of each matrix, is on the host: with it the call waits.
C_API int CUSOLVER(gesvdaStridedBatched)(void* h, int job, int rank, int m, int n, const T* a,
                                         int lda, long long stride_a, Real<T>* s,
                                         long long stride_s, T* u, int ldu, long long stride_u,
                                         T* v, int ldv, long long stride_v, T* work, int lwork,
                                         int* info, double* residuals, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_svd_with_v(job, m, n, lda, ldu, ldv) || m < n || rank < 0 || rank > n || batch < 0 ||
      !is_enough("gesvdaStridedBatched", lwork, workspace_size(m, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  const int error = submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    for (int i = 0; i < batch; ++i) {
      const T* first = a + i * stride_a;
      std::vector<T> copy(first, first + at(0, n, lda));
      svd_with_v<T>(job, rank, m, n, copy.data(), lda, s + i * stride_s, u + i * stride_u, ldu,
                    v + i * stride_v, ldv, info + i);
      if (residuals) residuals[i] = 0;
    }
  });
  return error || !residuals ? error : wait(*handle);
}

// ---- eigenvalues of symmetric and Hermitian matrices

C_API int CUSOLVER_SYMMETRIC(evd_bufferSize)(void* h, int job, int uplo, int n, const T*, int lda,
                                             const Real<T>*, int* lwork) {
  if (!handles.find(h)) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(job) || !is_0_or_1(uplo) || !fits(n, lda)) return CUSOLVER_STATUS_INVALID_VALUE;
  *lwork = workspace_size(n, n);
  return CUSOLVER_STATUS_SUCCESS;
}

C_API int CUSOLVER_SYMMETRIC(evd)(void* h, int job, int uplo, int n, T* a, int lda, Real<T>* w,
                                  T* work, int lwork, int* info) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(job) || !is_0_or_1(uplo) || !fits(n, lda) ||
      !is_enough("syevd", lwork, workspace_size(n, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    syevd<T>(letter_of_job(job), letter_of_fill(uplo), n, a, lda, w, info);
  });
}

C_API int CUSOLVER_SYMMETRIC(evj_bufferSize)(void* h, int job, int uplo, int n, const T* a, int lda,
                                             const Real<T>* w, int* lwork, void* parameters) {
  if (!jacobi.find(parameters)) return CUSOLVER_STATUS_INVALID_VALUE;
  return CUSOLVER_SYMMETRIC(evd_bufferSize)(h, job, uplo, n, a, lda, w, lwork);
}

C_API int CUSOLVER_SYMMETRIC(evj)(void* h, int job, int uplo, int n, T* a, int lda, Real<T>* w,
                                  T* work, int lwork, int* info, void* parameters) {
  if (!jacobi.find(parameters)) return CUSOLVER_STATUS_INVALID_VALUE;
  return CUSOLVER_SYMMETRIC(evd)(h, job, uplo, n, a, lda, w, work, lwork, info);
}

C_API int CUSOLVER_SYMMETRIC(evjBatched_bufferSize)(void* h, int job, int uplo, int n, const T* a,
                                                    int lda, const Real<T>* w, int* lwork,
                                                    void* parameters, int batch) {
  if (batch < 0 || !jacobi.find(parameters)) return CUSOLVER_STATUS_INVALID_VALUE;
  return CUSOLVER_SYMMETRIC(evd_bufferSize)(h, job, uplo, n, a, lda, w, lwork);
}

C_API int CUSOLVER_SYMMETRIC(evjBatched)(void* h, int job, int uplo, int n, T* a, int lda,
                                         Real<T>* w, T* work, int lwork, int* info,
                                         void* parameters, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUSOLVER_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(job) || !is_0_or_1(uplo) || !fits(n, lda) || batch < 0 ||
      !jacobi.find(parameters) || !is_enough("syevjBatched", lwork, workspace_size(n, n))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  return submit(*handle, [=] {
    spoil(work, lwork * sizeof(T));
    for (int i = 0; i < batch; ++i) {
      syevd<T>(letter_of_job(job), letter_of_fill(uplo), n, a + at(0, i * n, lda), lda,
               w + size_t(i) * n, info + i);
    }
  });
}
