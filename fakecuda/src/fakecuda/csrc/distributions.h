// The distributions of cupy.random.Generator, for any generator with `uniform()` and `bits()`.
//
// The laws and the treatment of extreme parameters are CuPy's; where CuPy has long rejection
// algorithms for integers, numbers are found here by inversion, so that equal states give other
// numbers than on a GPU.
#pragma once
#include <cmath>
#include <cstdint>

#include "curand_state.h"

namespace fakecuda::curand {

// cuRAND's numbers lie in (0, 1]; those of CuPy's distributions in [0, 1).
template <class State>
double half_open(State& state) {
  const double value = state.uniform();
  return value >= 1 ? 0 : value;
}

template <class State>
double exponential(State& state) {
  return -std::log1p(-half_open(state));
}

// Marsaglia and Tsang; a shape below one by a power of a uniform number.
template <class State>
double standard_gamma(State& state, double shape) {
  if (shape < 0) return 0;
  if (shape == 1) return exponential(state);
  if (shape < 1) {
    const double larger = standard_gamma(state, shape + 1);
    return larger * std::pow(state.uniform(), 1 / shape);
  }
  const double d = shape - 1. / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal(state), v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(state.uniform()) < x * x / 2 + d * (1 - v + std::log(v))) return d * v;
  }
}

// For small parameters Johnk's method, which works where both gammas are too small for a double.
template <class State>
double beta(State& state, double a, double b) {
  if (a > 1 || b > 1) {
    const double x = standard_gamma(state, a);
    return x / (x + standard_gamma(state, b));
  }
  while (true) {
    const double log_x = std::log(state.uniform()) / a, log_y = std::log(state.uniform()) / b;
    const double x = std::exp(log_x), y = std::exp(log_y);
    if (x + y > 1) continue;
    return x + y > 0 ? x / (x + y) : 1 / (1 + std::exp(log_y - log_x));
  }
}

template <class State>
int64_t geometric(State& state, double p) {
  if (p >= 1) return 1;
  const double steps = std::ceil(std::log1p(-half_open(state)) / std::log1p(-p));
  return steps < 1 ? 1 : int64_t(steps);
}

// Kemp's method.
template <class State>
int64_t logseries(State& state, double p) {
  const double rate = std::log1p(-p);
  while (true) {
    const double v = half_open(state);
    if (v >= p) return 1;
    const double q = -std::expm1(rate * half_open(state));
    if (v > q) return 1;
    if (v > q * q) return 2;
    const double result = std::floor(1 + std::log(v) / std::log(q));
    if (result >= 1) return int64_t(result);
  }
}

constexpr double kNegligible = 1e-30;

// Inversion that begins at the most probable number `mode` and takes turns in going up and down.
// `ratio(k)` is the probability of k + 1 over that of k. About as many steps as the standard
// deviation are needed.
template <class State, class Ratio>
int64_t invert_from(State& state, int64_t mode, double probability, int64_t lowest, int64_t highest,
                    Ratio ratio) {
  double left = half_open(state) - probability;
  double above = probability, below = probability;
  int64_t up = mode, down = mode;
  while (left > 0) {
    const bool goes_up = up < highest && above > kNegligible;
    const bool goes_down = down > lowest && below > kNegligible;
    if (!goes_up && !goes_down) break;  // what is left is rounding error
    if (goes_up) {
      above *= ratio(up++);
      left -= above;
      if (left <= 0) return up;
    }
    if (goes_down) {
      below /= ratio(--down);
      left -= below;
      if (left <= 0) return down;
    }
  }
  return mode;
}

inline double log_factorial(double n) {
  int sign;
  return lgamma_r(n + 1, &sign);
}

template <class State>
int64_t poisson(State& state, double mean) {
  if (mean == 0) return 0;
  const int64_t mode = int64_t(mean);
  const double probability = std::exp(mode * std::log(mean) - mean - log_factorial(mode));
  return invert_from(state, mode, probability, 0, INT64_MAX,
                     [=](int64_t k) { return mean / double(k + 1); });
}

template <class State>
int64_t binomial(State& state, int64_t n, double p) {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  const int64_t mode = std::min(n, int64_t((n + 1) * p));
  const double probability =
      std::exp(log_factorial(n) - log_factorial(mode) - log_factorial(n - mode) +
               mode * std::log(p) + (n - mode) * std::log1p(-p));
  return invert_from(state, mode, probability, 0, n,
                     [=](int64_t k) { return double(n - k) / double(k + 1) * p / (1 - p); });
}

template <class State>
int64_t hypergeometric(State& state, int64_t good, int64_t bad, int64_t sample) {
  if (sample <= 0) return 0;
  const int64_t lowest = std::max<int64_t>(0, sample - bad), highest = std::min(sample, good);
  const double middle = double(sample + 1) * double(good + 1) / double(good + bad + 2);
  const int64_t mode = std::max(lowest, std::min(highest, int64_t(middle)));
  const auto log_choose = [](double n, double k) {
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
  };
  const double probability = std::exp(log_choose(good, mode) + log_choose(bad, sample - mode) -
                                      log_choose(good + bad, sample));
  return invert_from(state, mode, probability, lowest, highest, [=](int64_t k) {
    return double(good - k) / double(k + 1) * double(sample - k) / double(bad - sample + k + 1);
  });
}

}  // namespace fakecuda::curand
