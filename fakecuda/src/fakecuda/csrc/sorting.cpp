// What CuPy compiles of Thrust, CUB and cuRAND into its own modules: put over its functions.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <numeric>
#include <vector>

#include "core.h"

#define API __attribute__((visibility("default")))
struct CUstream_st;
typedef std::complex<float> cf;
typedef std::complex<double> cd;

// CuPy's numbers of dtypes.
enum { I8, U8, I16, U16, I32, U32, I64, U64, F16, F32, F64, C64, C128, BOOL };

template <class F>
static void with_type(int id, F f) {
  switch (id) {
    case I8: return f((int8_t)0);
    case U8: return f((uint8_t)0);
    case I16: return f((int16_t)0);
    case U16: return f((uint16_t)0);
    case I32: return f((int32_t)0);
    case U32: return f((uint32_t)0);
    case I64: return f((int64_t)0);
    case U64: return f((uint64_t)0);
    case F16: return f((_Float16)0);
    case F32: return f(0.0f);
    case F64: return f(0.0);
    case C64: return f(cf(0));
    case C128: return f(cd(0));
    case BOOL: return f(false);
  }
}

template <class T>
static bool nan(const T& x) { return x != x; }
template <class T>
static bool less(const T& a, const T& b) {
  return nan(b) ? !nan(a) : !nan(a) && a < b;
}
template <class T>
static bool less(const std::complex<T>& a, const std::complex<T>& b) {  // as NumPy sorts
  bool an = nan(a.real()) || nan(a.imag()), bn = nan(b.real()) || nan(b.imag());
  if (an != bn) return bn;
  if (less(a.real(), b.real())) return true;
  if (less(b.real(), a.real())) return false;
  return less(a.imag(), b.imag());
}

API void thrust_sort(int id, void* data, size_t*, const std::vector<ptrdiff_t>& shape,
                     intptr_t stream, void*) {
  ptrdiff_t n = shape.back(), all = 1;
  for (auto s : shape) all *= s;
  fakecuda::enqueue((void*)stream, "launch", [=] {
    with_type(id, [=](auto zero) {
      typedef decltype(zero) T;
      T* p = static_cast<T*>(data);
      for (ptrdiff_t i = 0; n && i < all; i += n)
        std::stable_sort(p + i, p + i + n, [](const T& a, const T& b) { return less(a, b); });
    });
  });
}

API void thrust_argsort(int id, size_t* out, void* data, void*, const std::vector<ptrdiff_t>& shape,
                        intptr_t stream, void*) {
  ptrdiff_t n = shape.back(), all = 1;
  for (auto s : shape) all *= s;
  fakecuda::enqueue((void*)stream, "launch", [=] {
    with_type(id, [=](auto zero) {
      typedef decltype(zero) T;
      for (ptrdiff_t i = 0; n && i < all; i += n) {
        T* p = static_cast<T*>(data) + i;
        std::iota(out + i, out + i + n, size_t(0));
        std::stable_sort(out + i, out + i + n, [p](size_t a, size_t b) { return less(p[a], p[b]); });
        std::vector<T> sorted;  // Thrust sorts the keys, too
        for (ptrdiff_t j = 0; j < n; ++j) sorted.push_back(p[out[i + j]]);
        for (ptrdiff_t j = 0; j < n; ++j) p[j] = sorted[j];
      }
    });
  });
}

API void thrust_lexsort(int id, size_t* out, void* keys, size_t k, size_t n, intptr_t stream, void*) {
  fakecuda::enqueue((void*)stream, "launch", [=] {
    with_type(id, [=](auto zero) {
      typedef decltype(zero) T;
      std::iota(out, out + n, size_t(0));
      for (size_t i = 0; i < k; ++i) {
        T* p = static_cast<T*>(keys) + i * n;
        std::stable_sort(out, out + n, [p](size_t a, size_t b) { return less(p[a], p[b]); });
      }
    });
  });
}

// ---- CUB. In halves, as on a GPU no sum goes along a line.

template <class T, class F>
static T reduce(const T* p, ptrdiff_t n, T first, F f) {
  if (n <= 0) return first;
  std::vector<T> v(p, p + n);
  for (ptrdiff_t m = n; m > 1; m = (m + 1) / 2)
    for (ptrdiff_t i = 0; i + (m + 1) / 2 < m; ++i) v[i] = f(v[i], v[i + (m + 1) / 2]);
  return f(first, v[0]);
}

template <class T>
static T lowest(bool largest) {  // where CuPy lets CUB begin: infinity, but of complex numbers
  if constexpr (std::is_same_v<T, cf> || std::is_same_v<T, cd>) {
    auto m = std::numeric_limits<typename T::value_type>::max();
    return largest ? T(-m, -m) : T(m, m);
  } else if constexpr (std::is_same_v<T, _Float16>) {
    return T(largest ? -INFINITY : INFINITY);
  } else if constexpr (std::is_floating_point_v<T>) {
    return largest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  } else {
    return largest ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
  }
}

enum { SUM, MIN, MAX, ARGMIN, ARGMAX, CUMSUM, CUMPROD, PROD };
struct Found {
  int key;
};

template <class T>
static void reduce_one(const void* in, void* out, ptrdiff_t n, int op) {
  const T* p = static_cast<const T*>(in);
  T* o = static_cast<T*>(out);
  auto smaller = [](T a, T b) { return less(b, a) ? b : a; };
  auto larger = [](T a, T b) { return nan(a) ? a : nan(b) ? b : less(a, b) ? b : a; };
  auto least = [](T a, T b) { return nan(a) ? a : nan(b) ? b : less(b, a) ? b : a; };
  (void)smaller;
  switch (op) {
    case SUM: *o = reduce(p, n, T(0), [](T a, T b) { return T(a + b); }); break;
    case PROD: *o = reduce(p, n, T(1), [](T a, T b) { return T(a * b); }); break;
    case MIN: *o = reduce(p, n, lowest<T>(false), least); break;
    case MAX: *o = reduce(p, n, lowest<T>(true), larger); break;
    case ARGMIN:
    case ARGMAX: {
      struct Pair {
        int key;
        T value;
      };
      int best = 0;
      for (ptrdiff_t i = 1; i < n; ++i) {
        if (nan(p[best])) break;
        if (nan(p[i]) || (op == ARGMAX ? less(p[best], p[i]) : less(p[i], p[best]))) best = int(i);
      }
      *static_cast<Pair*>(out) = Pair{best, n ? p[best] : T(0)};
    }
  }
}

API void cub_device_reduce(void*, size_t&, void* in, void* out, int n, CUstream_st* s, int op, int id) {
  fakecuda::enqueue(s, "launch", [=] {
    with_type(id, [=](auto zero) { reduce_one<decltype(zero)>(in, out, n, op); });
  });
}
API void cub_device_segmented_reduce(void*, size_t&, void* in, void* out, int segments, int length,
                                     CUstream_st* s, int op, int id) {
  fakecuda::enqueue(s, "launch", [=] {
    with_type(id, [=](auto zero) {
      typedef decltype(zero) T;
      for (int i = 0; i < segments; ++i)
        reduce_one<T>(static_cast<T*>(in) + ptrdiff_t(i) * length, static_cast<T*>(out) + i, length, op);
    });
  });
}
API void cub_device_scan(void*, size_t&, void* in, void* out, int n, CUstream_st* s, int op, int id) {
  fakecuda::enqueue(s, "launch", [=] {
    with_type(id, [=](auto zero) {
      typedef decltype(zero) T;
      const T* p = static_cast<T*>(in);
      T* o = static_cast<T*>(out);
      T value = op == CUMSUM ? T(0) : T(1);
      for (int i = 0; i < n; ++i) o[i] = value = T(op == CUMSUM ? value + p[i] : value * p[i]);
    });
  });
}
API size_t cub_device_reduce_get_workspace_size(void*, void*, int, CUstream_st*, int, int) { return 512; }
API size_t cub_device_segmented_reduce_get_workspace_size(void*, void*, int, int, CUstream_st*, int, int) {
  return 512;
}
API size_t cub_device_scan_get_workspace_size(void*, void*, int, CUstream_st*, int, int) { return 512; }

// ---- random numbers: Philox 4x32-10 with Box and Muller, in a state of cuRAND's size

struct State {
  uint32_t counter[4], output[4], key[2];
  uint32_t used;
  int has_normal;
  float normal;
  int has_double;
  double double_normal;
};
static_assert(sizeof(State) <= 64, "");

static void philox(State& s) {
  uint32_t c[4], k0 = s.key[0], k1 = s.key[1];
  memcpy(c, s.counter, sizeof c);
  for (int r = 0; r < 10; ++r) {
    uint64_t a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    uint32_t n[4] = {uint32_t(b >> 32) ^ c[1] ^ k0, uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ k1,
                     uint32_t(a)};
    memcpy(c, n, sizeof c);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  memcpy(s.output, c, sizeof c);
  s.used = 0;
  if (!++s.counter[0] && !++s.counter[1]) ++s.counter[2];
}
static uint32_t bits(State& s) {
  if (s.used >= 4) philox(s);
  return s.output[s.used++];
}
static double uniform(State& s) {
  uint64_t a = bits(s), b = bits(s);
  double r = ((a << 21 ^ b) & ((1ull << 53) - 1)) * 0x1p-53 + 0x1p-54;
  return r >= 1 ? 0 : r;
}
static float uniform_float(State& s) {
  float r = bits(s) * 0x1p-32f + 0x1p-33f;
  return r >= 1 ? 0 : r;
}

template <class T, class F>
static void draw(intptr_t state, ssize_t states, intptr_t out, ssize_t size, intptr_t stream, F f) {
  fakecuda::enqueue((void*)stream, "launch", [=] {
    auto s = reinterpret_cast<State*>(state);
    auto o = reinterpret_cast<T*>(out);
    for (ssize_t i = 0; i < size; ++i) o[i] = f(*reinterpret_cast<State*>(state + i % states * 64));
    (void)s;
  });
}

#define ARGS int, intptr_t state, ssize_t states, intptr_t out, ssize_t size, intptr_t stream
#define PASS state, states, out, size, stream
API void init_curand_generator(int, intptr_t state, uint64_t seed, ssize_t size, intptr_t stream) {
  fakecuda::enqueue((void*)stream, "launch", [=] {
    for (ssize_t i = 0; i < size; ++i) {
      State s{};
      s.key[0] = uint32_t(seed);
      s.key[1] = uint32_t(seed >> 32);
      s.counter[2] = uint32_t(i);
      s.counter[3] = uint32_t(uint64_t(i) >> 32);
      s.used = 4;
      memcpy(reinterpret_cast<void*>(state + i * 64), &s, sizeof s);
    }
  });
}
API void random_uniform(ARGS) { draw<double>(PASS, uniform); }
API void random_uniform_float(ARGS) { draw<float>(PASS, uniform_float); }
API void raw(ARGS) { draw<int32_t>(PASS, bits); }
API void interval_32(ARGS, uint32_t mx, uint32_t mask) {
  draw<uint32_t>(PASS, [=](State& s) {
    uint32_t v;
    while ((v = bits(s) & mask) > mx) {
    }
    return v;
  });
}
API void interval_64(ARGS, uint64_t mx, uint64_t mask) {
  draw<uint64_t>(PASS, [=](State& s) {
    uint64_t v;
    do {
      uint64_t hi = bits(s);
      v = (hi << 32 | bits(s)) & mask;
    } while (v > mx);
    return v;
  });
}
API void exponential(ARGS) {
  draw<double>(PASS, [](State& s) { return -std::log(1.0 - uniform(s)); });
}
API void standard_normal(ARGS) {
  draw<double>(PASS, [](State& s) {
    double u = uniform(s), v = uniform(s);
    return std::sqrt(-2 * std::log(1 - u)) * std::sin(2 * M_PI * v);
  });
}
API void standard_normal_float(ARGS) {
  draw<float>(PASS, [](State& s) {
    double u = uniform(s), v = uniform(s);
    return float(std::sqrt(-2 * std::log(1 - u)) * std::sin(2 * M_PI * v));
  });
}
