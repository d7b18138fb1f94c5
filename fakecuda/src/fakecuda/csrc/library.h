// What the libraries above the runtime (cuBLAS, cuSOLVER, cuFFT, ...) share.
#pragma once
#include <complex>
#include <cstring>
#include <set>
#include <type_traits>
#include <utility>

#include "core.h"

namespace fakecuda {

using Complex64 = std::complex<float>;
using Complex128 = std::complex<double>;
using Half = _Float16;

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

template <class T>
constexpr bool is_complex = !std::is_same_v<T, Real<T>>;

template <class T>
T conjugate(T value) {
  if constexpr (is_complex<T>) {
    return std::conj(value);
  } else {
    return value;
  }
}

template <class T>
bool is_nan(T value) {
  if constexpr (is_complex<T>) {
    return is_nan(value.real()) || is_nan(value.imag());
  } else {
    return value != value;
  }
}

// The objects that a library has handed out as opaque handles. A handle that was never made, or
// that has been destroyed, is not found.
template <class T>
class Handles {
 public:
  T* create() {
    Lock lock(mutex);
    return *live_.insert(new T).first;
  }

  T* find(void* handle) {
    Lock lock(mutex);
    auto found = live_.find(static_cast<T*>(handle));
    return found == live_.end() ? nullptr : *found;
  }

  bool destroy(void* handle) {
    Lock lock(mutex);
    T* object = find(handle);
    if (!object) return false;
    live_.erase(object);
    delete object;
    return true;
  }

 private:
  std::set<T*> live_;
};

// Fills a workspace with garbage: what a library leaves there is not to be relied on, and a buffer
// that is smaller than it claims to be is found out.
inline void spoil(void* workspace, size_t bytes) {
  if (workspace) memset(workspace, 0xA7, bytes);
}

}  // namespace fakecuda
