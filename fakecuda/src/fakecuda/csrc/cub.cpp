// CuPy's reductions, scans and histograms, which it compiles from CUB (cupy/cuda/cupy_cub.cu). They
// have C++ names and are looked up dynamically, so that these definitions come before CuPy's.
//
// What follows CuPy's operators rather than NumPy's functions:
//  * a sum begins at zero and a product at one, so the sum of -0.0 is 0.0;
//  * minimum and maximum begin at infinity or minus infinity (complex: in both parts), for integers
//    at the largest or smallest; NaN is always chosen;
//  * argmin and argmax begin at the first number, and the first of equal numbers is chosen;
//  * half-precision sums are rounded to half precision at every step.
// Sums are formed by halves, neither from left to right nor in a GPU's order.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <vector>

#include "cupy_types.h"

struct CUstream_st;  // cudaStream_t points to it

namespace fakecuda {
namespace {

enum Operation {
  CUPY_CUB_SUM,
  CUPY_CUB_MIN,
  CUPY_CUB_MAX,
  CUPY_CUB_ARGMIN,
  CUPY_CUB_ARGMAX,
  CUPY_CUB_CUMSUM,
  CUPY_CUB_CUMPROD,
  CUPY_CUB_PROD,
};

// What all *_get_workspace_size functions say.
constexpr size_t kWorkspaceSize = 767;

// As CUB: a workspace that is too small is an error, which CuPy does not look at.
template <class Body>
void submit(CUstream_st* stream, void* workspace, size_t size, Body body) {
  if (size < kWorkspaceSize) {
    fprintf(stderr, "fakecuda: CUB was given a workspace of %zu bytes, but needs %zu\n", size,
            kWorkspaceSize);
    return;
  }
  enqueue(stream, "launch", [=] {
    spoil(workspace, size);
    body();
  });
}

template <class T>
T infinity() {
  if constexpr (is_complex<T>) {
    return T(infinity<Real<T>>(), infinity<Real<T>>());
  } else if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::max();
  } else {
    return T(__builtin_inf());
  }
}

template <class T>
T minus_infinity() {
  if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::lowest();
  } else {
    return -infinity<T>();
  }
}

template <class T>
T smaller(T a, T b) {
  if (is_nan(a)) return a;
  if (is_nan(b)) return b;
  return is_less(a, b) ? a : b;
}

template <class T>
T larger(T a, T b) {
  if (is_nan(a)) return a;
  if (is_nan(b)) return b;
  return is_less(a, b) ? b : a;
}

template <class T>
T sum(T a, T b) {
  return T(a + b);
}

template <class T>
T product(T a, T b) {
  return T(a * b);
}

template <class T>
T reduce(const T* in, int n, T start, T (*combine)(T, T)) {
  if (n <= 0) return start;
  // (not vector<T>, which packs bools)
  const auto values = std::make_unique<T[]>(size_t(n));
  std::copy_n(in, n, values.get());
  for (int left = n; left > 1; left = (left + 1) / 2) {
    const int half = (left + 1) / 2;
    for (int i = 0; i + half < left; ++i) values[i] = combine(values[i], values[i + half]);
  }
  return combine(start, values[0]);
}

template <class T>
T reduce(const T* in, int n, int operation) {
  switch (operation) {
    case CUPY_CUB_SUM:
      return reduce<T>(in, n, T(0), sum<T>);
    case CUPY_CUB_PROD:
      return reduce<T>(in, n, T(1), product<T>);
    case CUPY_CUB_MIN:
      return reduce<T>(in, n, infinity<T>(), smaller<T>);
    case CUPY_CUB_MAX:
      return reduce<T>(in, n, minus_infinity<T>(), larger<T>);
    default:
      throw std::runtime_error("Unsupported operation");
  }
}

// cub::KeyValuePair. On a GPU a complex number is aligned to its whole size.
template <class T>
struct KeyValuePair {
  int key;
  alignas(sizeof(T)) T value;
};

template <class T>
KeyValuePair<T> find_extreme(const T* in, int n, bool largest) {
  KeyValuePair<T> best = {0, in[0]};
  for (int i = 1; i < n && !is_nan(best.value); ++i) {
    const bool better = largest ? is_less(best.value, in[i]) : is_less(in[i], best.value);
    if (better || is_nan(in[i])) best = {i, in[i]};
  }
  return best;
}

template <class T>
void scan(const T* in, T* out, int n, T (*combine)(T, T)) {
  for (int i = 0; i < n; ++i) out[i] = i ? combine(out[i - 1], in[i]) : in[i];
}

}  // namespace
}  // namespace fakecuda

using namespace fakecuda;

// ---- reductions

EXPORT size_t cub_device_reduce_get_workspace_size(void*, void*, int, CUstream_st*, int, int) {
  return kWorkspaceSize;
}

EXPORT void cub_device_reduce(void* workspace, size_t& size, void* in, void* out, int n,
                              CUstream_st* stream, int operation, int type) {
  submit(stream, workspace, size, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      const T* numbers = static_cast<const T*>(in);
      if (operation == CUPY_CUB_ARGMIN || operation == CUPY_CUB_ARGMAX) {
        *static_cast<KeyValuePair<T>*>(out) =
            find_extreme(numbers, n, operation == CUPY_CUB_ARGMAX);
      } else {
        *static_cast<T*>(out) = reduce(numbers, n, operation);
      }
    });
  });
}

EXPORT size_t cub_device_segmented_reduce_get_workspace_size(void*, void*, int, int, CUstream_st*,
                                                             int, int) {
  return kWorkspaceSize;
}

EXPORT void cub_device_segmented_reduce(void* workspace, size_t& size, void* in, void* out,
                                        int segments, int length, CUstream_st* stream,
                                        int operation, int type) {
  submit(stream, workspace, size, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      for (ptrdiff_t i = 0; i < segments; ++i) {
        static_cast<T*>(out)[i] = reduce(static_cast<const T*>(in) + i * length, length, operation);
      }
    });
  });
}

// ---- scans

EXPORT size_t cub_device_scan_get_workspace_size(void*, void*, int, CUstream_st*, int, int) {
  return kWorkspaceSize;
}

EXPORT void cub_device_scan(void* workspace, size_t& size, void* in, void* out, int n,
                            CUstream_st* stream, int operation, int type) {
  submit(stream, workspace, size, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      scan(static_cast<const T*>(in), static_cast<T*>(out), n,
           operation == CUPY_CUB_CUMSUM ? sum<T> : product<T>);
    });
  });
}

// ---- histograms. Bins are half open; what lies in none of them, NaN above all, is not counted.

EXPORT size_t cub_device_histogram_range_get_workspace_size(void*, void*, int, void*, size_t,
                                                            CUstream_st*, int) {
  return kWorkspaceSize;
}

EXPORT void cub_device_histogram_range(void* workspace, size_t& size, void* in, void* out,
                                       int levels, void* edges, size_t n, CUstream_st* stream,
                                       int type) {
  if (type == CUPY_TYPE_COMPLEX64 || type == CUPY_TYPE_COMPLEX128) {
    throw std::runtime_error("complex dtype is not yet supported");
  }
  submit(stream, workspace, size, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      if constexpr (!is_complex<T>) {
        // CuPy passes double edges for integers.
        using Edge = std::conditional_t<std::is_integral_v<T>, double, T>;
        const Edge* first = static_cast<const Edge*>(edges);
        auto* counts = static_cast<long long*>(out);
        std::fill_n(counts, levels - 1, 0);
        for (size_t i = 0; i < n; ++i) {
          const Edge value = Edge(static_cast<const T*>(in)[i]);
          const ptrdiff_t bin = std::upper_bound(first, first + levels, value) - first - 1;
          if (bin >= 0 && bin < levels - 1) ++counts[bin];
        }
      }
    });
  });
}

EXPORT size_t cub_device_histogram_even_get_workspace_size(void*, void*, int, int, int, size_t,
                                                           CUstream_st*, int) {
  return kWorkspaceSize;
}

EXPORT void cub_device_histogram_even(void* workspace, size_t& size, void* in, void* out,
                                      int levels, int lower, int upper, size_t n,
                                      CUstream_st* stream, int type) {
  submit(stream, workspace, size, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_integral_v<T>) {  // CuPy calls it for integers only
        auto* counts = static_cast<long long*>(out);
        std::fill_n(counts, levels - 1, 0);
        for (size_t i = 0; i < n; ++i) {
          const auto value = static_cast<__int128>(static_cast<const T*>(in)[i]);
          if (value < lower || value >= upper) continue;
          ++counts[int((value - lower) * (levels - 1) / (upper - lower))];
        }
      }
    });
  });
}
