// The three random generators of cuRAND's device interface, with states of cuRAND's layout: CuPy
// allocates them. The algorithms are published: XORWOW (Marsaglia 2003), MRG32k3a (L'Ecuyer 1999)
// and Philox 4x32-10 (Salmon et al. 2011). Integers should be cuRAND's; they have been compared
// with the published test vectors of Philox, and never with a GPU.
//
// Each state has
//   start(seed, sequence)  begins one of many sequences that do not overlap
//   bits()                 32 random bits
//   uniform()              a double in (0, 1], which takes two of the above
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace fakecuda::curand {

// 53 bits, as cuRAND makes them of two integers.
inline double to_double(uint32_t low, uint32_t high) {
  const uint64_t bits = low ^ (uint64_t(high) << 21);
  return double(bits) * 0x1p-53 + 0x1p-54;
}

struct Philox {
  uint32_t counter[4], output[4], key[2];
  uint32_t used;
  int has_float, has_double;
  float normal_float;
  double normal_double;

  void start(uint64_t seed, uint64_t sequence) {
    *this = {};
    key[0] = uint32_t(seed);
    key[1] = uint32_t(seed >> 32);
    counter[2] = uint32_t(sequence);
    counter[3] = uint32_t(sequence >> 32);
    encrypt();
  }

  uint32_t bits() {
    const uint32_t result = output[used++];
    if (used == 4) {
      used = 0;
      for (int i = 0; i < 4 && !++counter[i]; ++i) {
      }
      encrypt();
    }
    return result;
  }

  double uniform() {
    const uint32_t low = bits();
    return to_double(low, bits());
  }

 private:
  void encrypt() {
    uint32_t key0 = key[0], key1 = key[1];
    memcpy(output, counter, sizeof output);
    for (int round = 0; round < 10; ++round) {
      const uint64_t product0 = uint64_t(0xD2511F53) * output[0];
      const uint64_t product1 = uint64_t(0xCD9E8D57) * output[2];
      const uint32_t next[4] = {uint32_t(product1 >> 32) ^ output[1] ^ key0, uint32_t(product1),
                                uint32_t(product0 >> 32) ^ output[3] ^ key1, uint32_t(product0)};
      memcpy(output, next, sizeof output);
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
  }
};
static_assert(sizeof(Philox) == 64);

struct Xorwow {
  uint32_t counter, words[5];
  int has_float, has_double;
  float normal_float;
  double normal_double;

  // Sequences are 2^67 numbers apart.
  void start(uint64_t seed, uint64_t sequence) {
    *this = {};
    const uint32_t low = 1099087573u * (uint32_t(seed) ^ 0xAAD26B49u);
    const uint32_t high = 2591861531u * (uint32_t(seed >> 32) ^ 0xF7DCEFDDu);
    counter = 6615241u + high + low;  // (2^67 steps do not change it)
    words[0] = 123456789u + low;
    words[1] = 362436069u ^ low;
    words[2] = 521288629u + high;
    words[3] = 88675123u ^ high;
    words[4] = 5783321u + low;
    for (int bit = 0; sequence; ++bit, sequence >>= 1) {
      if (sequence & 1) jump(jumps()[bit]);
    }
  }

  uint32_t bits() {
    step();
    counter += 362437u;
    return words[4] + counter;
  }

  double uniform() {
    const uint32_t low = bits();
    return to_double(low, bits());
  }

 private:
  using Words = std::array<uint32_t, 5>;
  // A linear map of 160 bits: where each of them goes.
  using Matrix = std::array<Words, 160>;

  void step() {
    const uint32_t mixed = words[0] ^ (words[0] >> 2);
    memmove(words, words + 1, 4 * sizeof *words);
    words[4] = (words[4] ^ (words[4] << 4)) ^ (mixed ^ (mixed << 1));
  }

  static Words apply(const Matrix& matrix, const uint32_t* words) {
    Words result{};
    for (int bit = 0; bit < 160; ++bit) {
      if (words[bit / 32] >> bit % 32 & 1) {
        for (int i = 0; i < 5; ++i) result[i] ^= matrix[bit][i];
      }
    }
    return result;
  }

  void jump(const Matrix& matrix) {
    const Words result = apply(matrix, words);
    memcpy(words, result.data(), sizeof words);
  }

  // The maps of 2^67, 2^68, ... steps.
  static const std::array<Matrix, 64>& jumps() {
    static const std::array<Matrix, 64>* all = [] {
      Matrix matrix;
      for (int bit = 0; bit < 160; ++bit) {
        Xorwow state = {};
        state.words[bit / 32] = 1u << bit % 32;
        state.step();
        memcpy(matrix[bit].data(), state.words, sizeof state.words);
      }
      auto* result = new std::array<Matrix, 64>;
      for (int power = 0; power < 67 + 64; ++power) {
        if (power >= 67) (*result)[power - 67] = matrix;
        Matrix square;
        for (int bit = 0; bit < 160; ++bit) square[bit] = apply(matrix, matrix[bit].data());
        matrix = square;
      }
      return result;
    }();
    return *all;
  }
};
static_assert(sizeof(Xorwow) == 48);

struct Mrg32k3a {
  uint32_t first[3], second[3];
  int has_float, has_double;
  float normal_float;
  double normal_double;

  // Sequences are 2^76 numbers apart.
  void start(uint64_t seed, uint64_t sequence) {
    *this = {};
    for (int i = 0; i < 3; ++i) first[i] = second[i] = 12345;
    if (seed) {
      const uint64_t low = uint32_t(seed) ^ 0x55555555u, high = uint32_t(seed >> 32) ^ 0xAAAAAAAAu;
      for (int i = 0; i < 3; ++i) {
        first[i] = uint32_t(first[i] * (i == 1 ? high : low) % kModulus1);
        second[i] = uint32_t(second[i] * (i == 1 ? low : high) % kModulus2);
      }
    }
    for (int bit = 0; sequence; ++bit, sequence >>= 1) {
      if (sequence & 1) {
        apply(jumps().first[bit], first, kModulus1);
        apply(jumps().second[bit], second, kModulus2);
      }
    }
  }

  // A number from 1 to the first modulus.
  uint32_t next() {
    const uint64_t p1 = (kFactor1a * first[1] + (kModulus1 - kFactor1b) * first[0]) % kModulus1;
    const uint64_t p2 = (kFactor2a * second[2] + (kModulus2 - kFactor2b) * second[0]) % kModulus2;
    first[0] = first[1], first[1] = first[2], first[2] = uint32_t(p1);
    second[0] = second[1], second[1] = second[2], second[2] = uint32_t(p2);
    return uint32_t(p1 > p2 ? p1 - p2 : p1 + kModulus1 - p2);
  }

  uint32_t bits() { return uint32_t(next() * 1.000000048662); }
  double uniform() { return next() * 2.3283065498378288e-10; }

 private:
  static constexpr uint64_t kModulus1 = 4294967087u, kModulus2 = 4294944443u;
  static constexpr uint64_t kFactor1a = 1403580, kFactor1b = 810728;
  static constexpr uint64_t kFactor2a = 527612, kFactor2b = 1370589;
  using Matrix = std::array<std::array<uint64_t, 3>, 3>;
  struct Jumps {
    std::array<Matrix, 64> first, second;
  };

  static void apply(const Matrix& matrix, uint32_t (&numbers)[3], uint64_t modulus) {
    uint64_t result[3] = {};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        result[i] = (result[i] + matrix[i][j] * numbers[j] % modulus) % modulus;
      }
    }
    for (int i = 0; i < 3; ++i) numbers[i] = uint32_t(result[i]);
  }

  static Matrix square(const Matrix& matrix, uint64_t modulus) {
    Matrix result{};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 3; ++k) {
          result[i][j] = (result[i][j] + matrix[i][k] * matrix[k][j] % modulus) % modulus;
        }
      }
    }
    return result;
  }

  static std::array<Matrix, 64> powers(Matrix matrix, uint64_t modulus) {
    std::array<Matrix, 64> result;
    for (int power = 0; power < 76 + 64; ++power) {
      if (power >= 76) result[power - 76] = matrix;
      matrix = square(matrix, modulus);
    }
    return result;
  }

  static const Jumps& jumps() {
    static const Jumps all = {
        powers({{{0, 1, 0}, {0, 0, 1}, {kModulus1 - kFactor1b, kFactor1a, 0}}}, kModulus1),
        powers({{{0, 1, 0}, {0, 0, 1}, {kModulus2 - kFactor2b, 0, kFactor2a}}}, kModulus2)};
    return all;
  }
};
static_assert(sizeof(Mrg32k3a) == 48);

// A float in (0, 1].
template <class State>
float uniform_float(State& state) {
  return float(state.bits()) * 0x1p-32f + 0x1p-33f;
}
inline float uniform_float(Mrg32k3a& state) { return float(state.uniform()); }

// Box and Muller make two normally distributed numbers; the second one is kept.
template <class State>
double normal(State& state) {
  if (state.has_double) {
    state.has_double = 0;
    return state.normal_double;
  }
  const double radius = std::sqrt(-2 * std::log(state.uniform()));
  const double angle = 2 * M_PI * state.uniform();
  state.has_double = 1;
  state.normal_double = radius * std::cos(angle);
  return radius * std::sin(angle);
}

template <class State>
float normal_float(State& state) {
  if (state.has_float) {
    state.has_float = 0;
    return state.normal_float;
  }
  const float radius = std::sqrt(-2 * std::log(uniform_float(state)));
  const float angle = float(2 * M_PI) * uniform_float(state);
  state.has_float = 1;
  state.normal_float = radius * std::cos(angle);
  return radius * std::sin(angle);
}

}  // namespace fakecuda::curand
