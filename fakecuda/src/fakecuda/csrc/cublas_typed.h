// The functions of cuBLAS that exist for each of the four types. cublas.cpp includes this file once
// for each, with the type T and with CUBLAS(name), which is cublasS##name, cublasD##name, ...

// ---- vectors

C_API int CUBLAS(scal_v2)(void* h, int n, const T* alpha, T* x, int incx) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!alpha) return CUBLAS_STATUS_INVALID_VALUE;
  if (n <= 0 || incx <= 0) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scalar(*handle, alpha);
  const Vector<T> vector(x, n, incx);
  return submit(*handle, [=] {
    for (int i = 0; i < n; ++i) vector[i] *= scalar.get();
  });
}

C_API int CUBLAS(axpy_v2)(void* h, int n, const T* alpha, const T* x, int incx, T* y, int incy) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!alpha) return CUBLAS_STATUS_INVALID_VALUE;
  if (n <= 0) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scalar(*handle, alpha);
  const Vector<const T> from(x, n, incx);
  const Vector<T> to(y, n, incy);
  return submit(*handle, [=] {
    for (int i = 0; i < n; ++i) to[i] += scalar.get() * from[i];
  });
}

// ---- matrices and vectors

C_API int CUBLAS(gemv_v2)(void* h, int trans, int m, int n, const T* alpha, const T* a, int lda,
                          const T* x, int incx, const T* beta, T* y, int incy) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_operation(trans) || n < 0 || !fits(m, lda) || !incx || !incy || !alpha || !beta) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!m || !n) return CUBLAS_STATUS_SUCCESS;
  const int rows = trans == CUBLAS_OP_N ? m : n, columns = trans == CUBLAS_OP_N ? n : m;
  const Scalar<T> scale(*handle, alpha), keep(*handle, beta);
  const Vector<const T> from(x, columns, incx);
  const Vector<T> to(y, rows, incy);
  return submit(*handle, [=] {
    const T factor = scale.get(), old = keep.get();
    for (int i = 0; i < rows; ++i) {
      T sum = 0;
      for (int j = 0; j < columns; ++j) {
        const T element = trans == CUBLAS_OP_N ? a[at(i, j, lda)] : a[at(j, i, lda)];
        sum += (trans == CUBLAS_OP_C ? conjugate(element) : element) * from[j];
      }
      to[i] = factor * sum + (old == T(0) ? T(0) : old * to[i]);
    }
  });
}

// ---- matrices

C_API int CUBLAS(gemm_v2)(void* h, int transa, int transb, int m, int n, int k, const T* alpha,
                          const T* a, int lda, const T* b, int ldb, const T* beta, T* c, int ldc) {
  return submit_gemm(h, transa, transb, m, n, k, alpha, Strided<const T>{a, 0}, lda,
                     Strided<const T>{b, 0}, ldb, beta, Strided<T>{c, 0}, ldc, 1);
}

C_API int CUBLAS(gemmStridedBatched)(void* h, int transa, int transb, int m, int n, int k,
                                     const T* alpha, const T* a, int lda, long long stride_a,
                                     const T* b, int ldb, long long stride_b, const T* beta, T* c,
                                     int ldc, long long stride_c, int batch) {
  return submit_gemm(h, transa, transb, m, n, k, alpha, Strided<const T>{a, stride_a}, lda,
                     Strided<const T>{b, stride_b}, ldb, beta, Strided<T>{c, stride_c}, ldc, batch);
}

// The arrays of pointers are on the device.
C_API int CUBLAS(gemmBatched)(void* h, int transa, int transb, int m, int n, int k, const T* alpha,
                              const T* const* a, int lda, const T* const* b, int ldb, const T* beta,
                              T* const* c, int ldc, int batch) {
  return submit_gemm(h, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, batch);
}

C_API int CUBLAS(trsm_v2)(void* h, int side, int uplo, int trans, int diag, int m, int n,
                          const T* alpha, const T* a, int lda, T* b, int ldb) {
  return submit_trsm(h, side, uplo, trans, diag, m, n, alpha, Strided<const T>{a, 0}, lda,
                     Strided<T>{b, 0}, ldb, 1);
}

C_API int CUBLAS(trsmBatched)(void* h, int side, int uplo, int trans, int diag, int m, int n,
                              const T* alpha, const T* const* a, int lda, T* const* b, int ldb,
                              int batch) {
  return submit_trsm(h, side, uplo, trans, diag, m, n, alpha, a, lda, b, ldb, batch);
}

// For complex numbers, too, this is A times A's transpose: CUBLAS_OP_C is herk's.
C_API int CUBLAS(syrk_v2)(void* h, int uplo, int trans, int n, int k, const T* alpha, const T* a,
                          int lda, const T* beta, T* c, int ldc) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool supported = is_operation(trans) && !(is_complex<T> && trans == CUBLAS_OP_C);
  if (!is_0_or_1(uplo) || !supported || k < 0 || !fits(trans == CUBLAS_OP_N ? n : k, lda) ||
      !fits(n, ldc) || !alpha || !beta) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!n) return CUBLAS_STATUS_SUCCESS;
  const Scalar<T> scale(*handle, alpha), keep(*handle, beta);
  return submit(*handle, [=] {
    syrk<T>(letter_of_fill(uplo), letter_of_operation(trans), n, k, scale.get(), a, lda, keep.get(),
            c, ldc);
  });
}

// Sums of matrices. C may be A or B, if that one is not transposed and lies in the same way.
C_API int CUBLAS(geam)(void* h, int transa, int transb, int m, int n, const T* alpha, const T* a,
                       int lda, const T* beta, const T* b, int ldb, T* c, int ldc) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_operation(transa) || !is_operation(transb) || !alpha || !beta || m < 0 || n < 0 ||
      !fits(transa == CUBLAS_OP_N ? m : n, lda) || !fits(transb == CUBLAS_OP_N ? m : n, ldb) ||
      !fits(m, ldc) || (c == a && (transa != CUBLAS_OP_N || lda != ldc)) ||
      (c == b && (transb != CUBLAS_OP_N || ldb != ldc))) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const Scalar<T> scale_a(*handle, alpha), scale_b(*handle, beta);
  return submit(*handle, [=] {
    // A matrix whose factor is zero is not read.
    const auto term = [](T factor, int trans, const T* x, int ld, int i, int j) {
      if (factor == T(0)) return T(0);
      const T element = trans == CUBLAS_OP_N ? x[at(i, j, ld)] : x[at(j, i, ld)];
      return factor * (trans == CUBLAS_OP_C ? conjugate(element) : element);
    };
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < m; ++i) {
        c[at(i, j, ldc)] =
            term(scale_a.get(), transa, a, lda, i, j) + term(scale_b.get(), transb, b, ldb, i, j);
      }
    }
  });
}

C_API int CUBLAS(dgmm)(void* h, int side, int m, int n, const T* a, int lda, const T* x, int incx,
                       T* c, int ldc) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_0_or_1(side) || n < 0 || !fits(m, lda) || !fits(m, ldc)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const Vector<const T> diagonal(x, side == CUBLAS_SIDE_LEFT ? m : n, incx);
  return submit(*handle, [=] {
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < m; ++i) {
        c[at(i, j, ldc)] = a[at(i, j, lda)] * diagonal[side == CUBLAS_SIDE_LEFT ? i : j];
      }
    }
  });
}

// ---- factorizations of many small matrices: arrays of pointers on the device

C_API int CUBLAS(getrfBatched)(void* h, int n, T* const* a, int lda, int* pivots, int* info,
                               int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!fits(n, lda) || batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    for (int i = 0; i < batch; ++i) {
      getrf<T>(n, n, a[i], lda, pivots ? pivots + size_t(i) * n : nullptr, info + i);
    }
  });
}

// Here `info` is on the host: it is about the arguments.
C_API int CUBLAS(getrsBatched)(void* h, int trans, int n, int nrhs, const T* const* a, int lda,
                               const int* pivots, T* const* b, int ldb, int* info, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!info) return CUBLAS_STATUS_INVALID_VALUE;
  const int wrong = !is_operation(trans) ? 1
                    : n < 0              ? 2
                    : nrhs < 0           ? 3
                    : !fits(n, lda)      ? 5
                    : !fits(n, ldb)      ? 8
                    : batch < 0          ? 10
                                         : 0;
  *info = -wrong;
  if (wrong) return CUBLAS_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    int ignored;
    for (int i = 0; i < batch; ++i) {
      getrs<T>(letter_of_operation(trans), n, nrhs, a[i], lda,
               pivots ? pivots + size_t(i) * n : nullptr, b[i], ldb, &ignored);
    }
  });
}

// The inverse goes to another matrix; the factors stay.
C_API int CUBLAS(getriBatched)(void* h, int n, const T* const* a, int lda, const int* pivots,
                               T* const* c, int ldc, int* info, int batch) {
  Handle* handle = handles.find(h);
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!fits(n, lda) || !fits(n, ldc) || batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
  return submit(*handle, [=] {
    for (int i = 0; i < batch; ++i) {
      for (int j = 0; j < n; ++j) {
        std::copy_n(a[i] + at(0, j, lda), n, c[i] + at(0, j, ldc));
      }
      getri<T>(n, c[i], ldc, pivots ? pivots + size_t(i) * n : nullptr, info + i);
    }
  });
}
