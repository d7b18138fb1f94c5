// What the lanes of a warp do together.
#pragma once
#include "keywords.h"

inline void __syncwarp(unsigned mask = ~0u) { fakecuda_syncwarp(mask); }

// All lanes that there are: which of them are in the same branch is not known.
inline unsigned __activemask() {
  unsigned row = threadIdx.z * blockDim.y + threadIdx.y, thread = row * blockDim.x + threadIdx.x;
  unsigned lanes = blockDim.x * blockDim.y * blockDim.z - thread / 32 * 32;
  return lanes >= 32 ? ~0u : (1u << lanes) - 1;
}

namespace fakecuda {

// The types that shuffles take: numbers of 4 or 8 bytes, and half precision. Shorter integers are
// converted to int.
template <class T>
using Promoted = std::conditional_t<(std::is_integral_v<T> && sizeof(T) < 4), int, T>;
template <class T>
using Shuffled = std::enable_if_t<std::is_arithmetic_v<T> || sizeof(T) == 2 || sizeof(T) == 4,
                                  Promoted<T>>;

template <class T>
inline T from_lane(unsigned mask, T value, int lane) {
  T result;
  fakecuda_put(&value, sizeof value);
  fakecuda_syncwarp(mask);
  fakecuda_get(lane, &result, sizeof result);
  fakecuda_syncwarp(mask);
  return result;
}

// Calls visit(lane, its value) for the lanes in the mask.
template <class T, class F>
inline void for_each_lane(unsigned mask, T value, F visit) {
  fakecuda_put(&value, sizeof value);
  fakecuda_syncwarp(mask);
  unsigned lanes = mask & fakecuda_live_lanes();
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1)) continue;
    T other;
    fakecuda_get(lane, &other, sizeof other);
    visit(lane, other);
  }
  fakecuda_syncwarp(mask);
}

template <class T, class F>
inline T reduce(unsigned mask, T value, F operation) {
  bool first = true;
  T result = value;
  for_each_lane(mask, value, [&](int, T other) {
    result = first ? other : operation(result, other);
    first = false;
  });
  return result;
}

}  // namespace fakecuda

// ---- shuffles: `width` lanes are a group, whose first is lane / width * width

template <class T>
inline fakecuda::Shuffled<T> __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int first = fakecuda_lane() & ~(width - 1);
  return fakecuda::from_lane<fakecuda::Shuffled<T>>(mask, value, first + (source & (width - 1)));
}
template <class T>
inline fakecuda::Shuffled<T> __shfl_up_sync(unsigned mask, T value, unsigned delta,
                                            int width = 32) {
  int lane = fakecuda_lane(), source = lane - int(delta);
  if (source < (lane & ~(width - 1))) source = lane;
  return fakecuda::from_lane<fakecuda::Shuffled<T>>(mask, value, source);
}
template <class T>
inline fakecuda::Shuffled<T> __shfl_down_sync(unsigned mask, T value, unsigned delta,
                                              int width = 32) {
  int lane = fakecuda_lane(), source = lane + int(delta);
  if (source > (lane | (width - 1))) source = lane;
  return fakecuda::from_lane<fakecuda::Shuffled<T>>(mask, value, source);
}
template <class T>
inline fakecuda::Shuffled<T> __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  int lane = fakecuda_lane(), source = lane ^ lanes;
  if (source > (lane | (width - 1))) source = lane;  // a group may read those before it
  return fakecuda::from_lane<fakecuda::Shuffled<T>>(mask, value, source);
}

// ---- votes

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned result = 0;
  fakecuda::for_each_lane(mask, predicate != 0,
                          [&](int lane, bool other) { result |= unsigned(other) << lane; });
  return result;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return !__ballot_sync(mask, !predicate); }

template <class T>
inline unsigned __match_any_sync(unsigned mask, T value) {
  unsigned result = 0;
  fakecuda::for_each_lane(mask, value, [&](int lane, T other) {
    if (!memcmp(&other, &value, sizeof value)) result |= 1u << lane;
  });
  return result;
}
template <class T>
inline unsigned __match_all_sync(unsigned mask, T value, int* all) {
  unsigned lanes = 0, same = 0;
  fakecuda::for_each_lane(mask, value, [&](int lane, T other) {
    lanes |= 1u << lane;
    if (!memcmp(&other, &value, sizeof value)) same |= 1u << lane;
  });
  *all = lanes == same;
  return *all ? lanes : 0;
}

// ---- reductions

inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  return fakecuda::reduce(mask, value, [](unsigned x, unsigned y) { return x + y; });
}
inline int __reduce_add_sync(unsigned mask, int value) {
  return int(__reduce_add_sync(mask, unsigned(value)));
}
template <class T>
inline T __reduce_min_sync(unsigned mask, T value) {
  return fakecuda::reduce(mask, value, [](T x, T y) { return y < x ? y : x; });
}
template <class T>
inline T __reduce_max_sync(unsigned mask, T value) {
  return fakecuda::reduce(mask, value, [](T x, T y) { return x < y ? y : x; });
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value) {
  return fakecuda::reduce(mask, value, [](unsigned x, unsigned y) { return x & y; });
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value) {
  return fakecuda::reduce(mask, value, [](unsigned x, unsigned y) { return x | y; });
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value) {
  return fakecuda::reduce(mask, value, [](unsigned x, unsigned y) { return x ^ y; });
}
