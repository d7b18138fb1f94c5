// CuPy's sorting functions, which it compiles from Thrust (cupy/cuda/cupy_thrust.cu). They have C++
// names and are looked up dynamically, so that these definitions come before CuPy's.
//
// All sorts are stable, and NaN is sorted to the end, with NumPy's order of complex numbers that
// have NaN in one part. (Thrust sorts float32 and float64 of one dimension by their bits, with NaN
// of negative sign in front. That is not modelled: such a NaN is what x86, unlike a GPU, makes of
// 0 / 0.) Thrust's temporary memory, which comes from CuPy's pool, is not modelled either.
#include <algorithm>
#include <numeric>
#include <vector>

#include "cupy_types.h"

namespace fakecuda {
namespace {

// Numbers before NaN. A complex number with NaN comes after those without; of those, NaN in the
// imaginary part alone comes first, then NaN in the real part alone.
template <class T>
bool comes_before(T a, T b) {
  if constexpr (is_complex<T>) {
    if (is_nan(a) != is_nan(b)) return is_nan(b);
    if (comes_before(a.real(), b.real())) return true;
    if (comes_before(b.real(), a.real())) return false;
    return comes_before(a.imag(), b.imag());
  } else {
    return is_nan(b) ? !is_nan(a) : a < b;
  }
}

// The last axis is sorted; a row is one line along it.
struct Rows {
  explicit Rows(const std::vector<ptrdiff_t>& shape) : length(shape.back()) {
    for (ptrdiff_t size : shape) total *= size;
    is_single = shape.size() == 1;
  }
  ptrdiff_t length, total = 1;
  bool is_single;
};

// Calls `f` with the first index of each row. For several rows Thrust sorts by the row's number as
// well, which it puts into a buffer that CuPy hands over.
template <class F>
void for_each_row(const Rows& rows, size_t* numbers, F f) {
  for (ptrdiff_t first = 0; first < rows.total; first += rows.length) {
    if (!rows.is_single) std::fill_n(numbers + first, rows.length, size_t(first / rows.length));
    f(first);
  }
}

void submit(intptr_t stream, Task task) {
  enqueue(reinterpret_cast<void*>(stream), "launch", std::move(task));
}

}  // namespace
}  // namespace fakecuda

EXPORT void thrust_sort(int type, void* data, size_t* row_numbers,
                        const std::vector<ptrdiff_t>& shape, intptr_t stream, void* /*pool*/) {
  using namespace fakecuda;
  submit(stream, [=, rows = Rows(shape)] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      for_each_row(rows, row_numbers, [=](ptrdiff_t first) {
        T* row = static_cast<T*>(data) + first;
        std::stable_sort(row, row + rows.length, comes_before<T>);
      });
    });
  });
}

// The data are sorted, too: CuPy passes a copy.
EXPORT void thrust_argsort(int type, size_t* indices, void* data, void* row_numbers,
                           const std::vector<ptrdiff_t>& shape, intptr_t stream, void* /*pool*/) {
  using namespace fakecuda;
  submit(stream, [=, rows = Rows(shape)] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      for_each_row(rows, static_cast<size_t*>(row_numbers), [=](ptrdiff_t first) {
        T* row = static_cast<T*>(data) + first;
        size_t* order = indices + first;
        std::iota(order, order + rows.length, size_t(0));
        std::stable_sort(order, order + rows.length,
                         [=](size_t a, size_t b) { return comes_before(row[a], row[b]); });
        const std::vector<T> unsorted(row, row + rows.length);
        for (ptrdiff_t i = 0; i < rows.length; ++i) row[i] = unsorted[order[i]];
      });
    });
  });
}

// `count` keys of the same length, the last of which is the most important.
EXPORT void thrust_lexsort(int type, size_t* indices, void* keys, size_t count, size_t length,
                           intptr_t stream, void* /*pool*/) {
  using namespace fakecuda;
  submit(stream, [=] {
    with_cupy_type(type, [=](auto zero) {
      using T = decltype(zero);
      std::iota(indices, indices + length, size_t(0));
      for (size_t i = 0; i < count; ++i) {
        const T* key = static_cast<const T*>(keys) + i * length;
        std::stable_sort(indices, indices + length,
                         [=](size_t a, size_t b) { return comes_before(key[a], key[b]); });
      }
    });
  });
}
