// Random numbers: the functions that CuPy's Generator compiles from cuRAND's device interface
// (cupy/random/cupy_distributions.cu; C++ names, looked up dynamically), and cuRAND's own library,
// which cupy.random.RandomState and functions like cupy.random.rand use.
#include <algorithm>
#include <vector>

#include "distributions.h"
#include "library.h"

namespace fakecuda::curand {
namespace {

enum GeneratorType { CURAND_XOR_WOW, CURAND_MRG32k3a, CURAND_PHILOX_4x32_10 };

template <class F>
void with_state(int generator, F f) {
  switch (generator) {
    case CURAND_XOR_WOW:
      return f(Xorwow());
    case CURAND_MRG32k3a:
      return f(Mrg32k3a());
    default:
      return f(Philox());
  }
}

// An argument of a distribution: an array of any shape and strides, described on the device by its
// address, its number of dimensions, its sizes and its strides in bytes.
template <class T>
class Argument {
 public:
  explicit Argument(intptr_t description)
      : description_(reinterpret_cast<const int64_t*>(description)) {}

  T operator[](ptrdiff_t index) const {
    const int64_t dimensions = description_[1];
    ptrdiff_t offset = 0;
    for (int64_t d = dimensions - 1; d >= 0; --d) {
      const int64_t size = description_[2 + d], stride = description_[2 + dimensions + d];
      offset += index % size * stride;
      index /= size;
    }
    return *reinterpret_cast<const T*>(description_[0] + offset);
  }

 private:
  const int64_t* description_;
};

// Where the numbers come from and go to: what all functions below have as arguments.
struct Draw {
  int generator;
  intptr_t states;
  ptrdiff_t state_count;
  intptr_t out;
  ptrdiff_t size;
  intptr_t stream;
};

// Thread i draws the numbers i, i + state_count, ... from its own state.
template <class T, class F>
void submit(const Draw& draw, F number) {
  enqueue(reinterpret_cast<void*>(draw.stream), "launch", [=] {
    with_state(draw.generator, [=](auto kind) {
      auto* states = reinterpret_cast<decltype(kind)*>(draw.states);
      T* out = reinterpret_cast<T*>(draw.out);
      for (ptrdiff_t i = 0; i < draw.size; ++i) {
        out[i] = T(number(states[i % draw.state_count], i));
      }
    });
  });
}

template <class State>
uint32_t below_or_equal(State& state, uint32_t largest, uint32_t mask) {
  uint32_t value;
  do value = state.bits() & mask;
  while (value > largest);
  return value;
}

template <class State>
uint64_t below_or_equal(State& state, uint64_t largest, uint64_t mask) {
  uint64_t value;
  do {
    const uint64_t high = state.bits();
    value = (high << 32 | state.bits()) & mask;
  } while (value > largest);
  return value;
}

}  // namespace
}  // namespace fakecuda::curand

using namespace fakecuda;
using curand::Argument;
using curand::submit;

#define DRAW \
  int generator, intptr_t states, ssize_t state_count, intptr_t out, ssize_t size, intptr_t stream
#define DRAWN {generator, states, state_count, out, size, stream}

EXPORT void init_curand_generator(int generator, intptr_t states, uint64_t seed, ssize_t count,
                                  intptr_t stream) {
  enqueue(reinterpret_cast<void*>(stream), "launch", [=] {
    curand::with_state(generator, [=](auto kind) {
      auto* all = reinterpret_cast<decltype(kind)*>(states);
      for (ssize_t i = 0; i < count; ++i) all[i].start(seed, i);
    });
  });
}

EXPORT void raw(DRAW) {
  submit<uint32_t>(DRAWN, [](auto& state, ptrdiff_t) { return state.bits(); });
}

EXPORT void interval_32(DRAW, uint32_t largest, uint32_t mask) {
  submit<uint32_t>(
      DRAWN, [=](auto& state, ptrdiff_t) { return curand::below_or_equal(state, largest, mask); });
}

EXPORT void interval_64(DRAW, uint64_t largest, uint64_t mask) {
  submit<uint64_t>(
      DRAWN, [=](auto& state, ptrdiff_t) { return curand::below_or_equal(state, largest, mask); });
}

EXPORT void random_uniform(DRAW) {
  submit<double>(DRAWN, [](auto& state, ptrdiff_t) { return curand::half_open(state); });
}

EXPORT void random_uniform_float(DRAW) {
  submit<float>(DRAWN, [](auto& state, ptrdiff_t) {
    const float value = curand::uniform_float(state);
    return value >= 1 ? 0 : value;
  });
}

EXPORT void standard_normal(DRAW) {
  submit<double>(DRAWN, [](auto& state, ptrdiff_t) { return curand::normal(state); });
}

EXPORT void standard_normal_float(DRAW) {
  submit<float>(DRAWN, [](auto& state, ptrdiff_t) { return curand::normal_float(state); });
}

EXPORT void exponential(DRAW) {
  submit<double>(DRAWN, [](auto& state, ptrdiff_t) { return curand::exponential(state); });
}

EXPORT void standard_gamma(DRAW, intptr_t shapes) {
  submit<double>(DRAWN, [shape = Argument<double>(shapes)](auto& state, ptrdiff_t i) {
    return curand::standard_gamma(state, shape[i]);
  });
}

EXPORT void beta(DRAW, intptr_t as, intptr_t bs) {
  submit<double>(DRAWN, [a = Argument<double>(as), b = Argument<double>(bs)](
                            auto& state, ptrdiff_t i) { return curand::beta(state, a[i], b[i]); });
}

EXPORT void geometric(DRAW, intptr_t ps) {
  submit<int64_t>(DRAWN, [p = Argument<double>(ps)](auto& state, ptrdiff_t i) {
    return curand::geometric(state, p[i]);
  });
}

EXPORT void logseries(DRAW, intptr_t ps) {
  submit<int64_t>(DRAWN, [p = Argument<double>(ps)](auto& state, ptrdiff_t i) {
    return curand::logseries(state, p[i]);
  });
}

EXPORT void poisson(DRAW, intptr_t means) {
  submit<int64_t>(DRAWN, [mean = Argument<double>(means)](auto& state, ptrdiff_t i) {
    return curand::poisson(state, mean[i]);
  });
}

// The last argument is where CuPy's algorithm keeps constants from one number to the next.
EXPORT void binomial(DRAW, intptr_t ns, intptr_t ps, intptr_t /*constants*/) {
  submit<int64_t>(DRAWN,
                  [n = Argument<int>(ns), p = Argument<double>(ps)](auto& state, ptrdiff_t i) {
                    return curand::binomial(state, n[i], p[i]);
                  });
}

EXPORT void hypergeometric(DRAW, intptr_t goods, intptr_t bads, intptr_t samples) {
  submit<int64_t>(DRAWN, [good = Argument<int64_t>(goods), bad = Argument<int64_t>(bads),
                          sample = Argument<int64_t>(samples)](auto& state, ptrdiff_t i) {
    return curand::hypergeometric(state, good[i], bad[i], sample[i]);
  });
}

#undef DRAW
#undef DRAWN

// ---- cuRAND's library. All its generators are Philox here: the numbers are not those of a GPU.

namespace fakecuda::curand {
namespace {

enum Status {
  CURAND_STATUS_SUCCESS = 0,
  CURAND_STATUS_NOT_INITIALIZED = 101,
  CURAND_STATUS_TYPE_ERROR = 103,
  CURAND_STATUS_OUT_OF_RANGE = 104,
  CURAND_STATUS_LENGTH_NOT_MULTIPLE = 105,
  CURAND_STATUS_LAUNCH_FAILURE = 201,
};
enum RngType {
  CURAND_RNG_PSEUDO_DEFAULT = 100,
  CURAND_RNG_PSEUDO_XORWOW = 101,
  CURAND_RNG_PSEUDO_MRG32K3A = 121,
  CURAND_RNG_PSEUDO_MTGP32 = 141,
  CURAND_RNG_PSEUDO_MT19937 = 142,
  CURAND_RNG_PSEUDO_PHILOX4_32_10 = 161,
};

struct Generator {
  int type = CURAND_RNG_PSEUDO_DEFAULT;
  void* stream = nullptr;
  Philox state;

  Generator() { state.start(0, 0); }
};

Handles<Generator> generators;

template <class T, class F>
int generate(void* handle, T* out, size_t n, F number) {
  Generator* generator = generators.find(handle);
  if (!generator) return CURAND_STATUS_NOT_INITIALIZED;
  const auto task = [=] {
    for (size_t i = 0; i < n; ++i) out[i] = T(number(generator->state));
  };
  return enqueue(generator->stream, "launch", task) ? CURAND_STATUS_LAUNCH_FAILURE
                                                    : CURAND_STATUS_SUCCESS;
}

// Pseudo-random normal numbers are made in pairs.
template <class T, class F>
int generate_pairs(void* handle, T* out, size_t n, F number) {
  if (n % 2) return CURAND_STATUS_LENGTH_NOT_MULTIPLE;
  return generate(handle, out, n, number);
}

}  // namespace

C_API int curandGetVersion(int* version) {
  *version = 10310;
  return CURAND_STATUS_SUCCESS;
}

C_API int curandCreateGenerator(void** handle, int type) {
  switch (type) {
    case CURAND_RNG_PSEUDO_DEFAULT:
    case CURAND_RNG_PSEUDO_XORWOW:
    case CURAND_RNG_PSEUDO_MRG32K3A:
    case CURAND_RNG_PSEUDO_MTGP32:
    case CURAND_RNG_PSEUDO_MT19937:
    case CURAND_RNG_PSEUDO_PHILOX4_32_10: {
      Generator* generator = generators.create();
      generator->type = type;
      *handle = generator;
      return CURAND_STATUS_SUCCESS;
    }
    default:
      return CURAND_STATUS_TYPE_ERROR;
  }
}

C_API int curandDestroyGenerator(void* handle) {
  Generator* generator = generators.find(handle);
  if (!generator) return CURAND_STATUS_NOT_INITIALIZED;
  synchronize(generator->stream, "sync by curandDestroyGenerator");
  generators.destroy(handle);
  return CURAND_STATUS_SUCCESS;
}

C_API int curandSetStream(void* handle, void* stream) {
  Generator* generator = generators.find(handle);
  if (!generator) return CURAND_STATUS_NOT_INITIALIZED;
  generator->stream = stream;
  return CURAND_STATUS_SUCCESS;
}

C_API int curandSetGeneratorOrdering(void* handle, int) {
  return generators.find(handle) ? CURAND_STATUS_SUCCESS : CURAND_STATUS_NOT_INITIALIZED;
}

C_API int curandSetPseudoRandomGeneratorSeed(void* handle, unsigned long long seed) {
  Generator* generator = generators.find(handle);
  if (!generator) return CURAND_STATUS_NOT_INITIALIZED;
  const auto task = [=] { generator->state.start(seed, 0); };
  return enqueue(generator->stream, "launch", task) ? CURAND_STATUS_LAUNCH_FAILURE
                                                    : CURAND_STATUS_SUCCESS;
}

// Only back to the beginning; the twisters have no offsets.
C_API int curandSetGeneratorOffset(void* handle, unsigned long long offset) {
  Generator* generator = generators.find(handle);
  if (!generator) return CURAND_STATUS_NOT_INITIALIZED;
  if (generator->type == CURAND_RNG_PSEUDO_MTGP32 || generator->type == CURAND_RNG_PSEUDO_MT19937) {
    return CURAND_STATUS_TYPE_ERROR;
  }
  const auto task = [=] {
    const uint64_t seed = generator->state.key[0] | uint64_t(generator->state.key[1]) << 32;
    generator->state.start(seed, 0);
    for (unsigned long long i = 0; i < offset; ++i) generator->state.bits();
  };
  return enqueue(generator->stream, "launch", task) ? CURAND_STATUS_LAUNCH_FAILURE
                                                    : CURAND_STATUS_SUCCESS;
}

C_API int curandGenerate(void* handle, unsigned* out, size_t n) {
  return generate(handle, out, n, [](Philox& state) { return state.bits(); });
}

// For quasi-random generators only, and CuPy makes none.
C_API int curandGenerateLongLong(void* handle, unsigned long long*, size_t) {
  return generators.find(handle) ? CURAND_STATUS_TYPE_ERROR : CURAND_STATUS_NOT_INITIALIZED;
}

C_API int curandGenerateUniform(void* handle, float* out, size_t n) {
  return generate(handle, out, n, [](Philox& state) { return uniform_float(state); });
}

C_API int curandGenerateUniformDouble(void* handle, double* out, size_t n) {
  return generate(handle, out, n, [](Philox& state) { return state.uniform(); });
}

C_API int curandGenerateNormal(void* handle, float* out, size_t n, float mean, float deviation) {
  return generate_pairs(handle, out, n,
                        [=](Philox& state) { return mean + deviation * normal_float(state); });
}

C_API int curandGenerateNormalDouble(void* handle, double* out, size_t n, double mean,
                                     double deviation) {
  return generate_pairs(handle, out, n,
                        [=](Philox& state) { return mean + deviation * normal(state); });
}

C_API int curandGenerateLogNormal(void* handle, float* out, size_t n, float mean, float deviation) {
  return generate_pairs(handle, out, n, [=](Philox& state) {
    return std::exp(mean + deviation * normal_float(state));
  });
}

C_API int curandGenerateLogNormalDouble(void* handle, double* out, size_t n, double mean,
                                        double deviation) {
  return generate_pairs(handle, out, n,
                        [=](Philox& state) { return std::exp(mean + deviation * normal(state)); });
}

C_API int curandGeneratePoisson(void* handle, unsigned* out, size_t n, double mean) {
  if (!(mean > 0)) return CURAND_STATUS_OUT_OF_RANGE;
  return generate(handle, out, n, [=](Philox& state) { return poisson(state, mean); });
}

}  // namespace fakecuda::curand
