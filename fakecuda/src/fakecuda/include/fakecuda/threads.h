// Barriers of a block, fences, and how a thread ends.
#pragma once
#include "keywords.h"

inline void __syncthreads() { fakecuda_syncthreads(); }

inline int __syncthreads_count(int predicate) {
  static int total;  // of the block: blocks run one after the other
  __syncthreads();
  total = 0;
  __syncthreads();
  total += predicate != 0;
  __syncthreads();
  return total;
}
inline int __syncthreads_or(int predicate) { return __syncthreads_count(predicate) != 0; }
inline int __syncthreads_and(int predicate) { return !__syncthreads_count(!predicate); }

// Threads run in turn, so memory is always in order.
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

inline long long clock64() { return (long long)__builtin_ia32_rdtsc(); }
inline long clock() { return long(clock64()); }
inline unsigned long long globaltimer() { return (unsigned long long)clock64(); }
inline void __nanosleep(unsigned) {}

namespace fakecuda {
enum Error { kLaunchFailure = 719, kAssert = 710 };
}
[[noreturn]] inline void __trap() {
  fakecuda_device_fault(fakecuda::kLaunchFailure, "executed __trap()");
}

// What `assert` calls when it fails; in place of the C library's, which ends the process.
extern "C" __attribute__((visibility("hidden"))) void __assert_fail(
    const char* condition, const char* file, unsigned line, const char* function) noexcept(true) {
  char text[512];
  snprintf(text, sizeof text, "%s:%u: %s: Assertion `%s` failed.", file, line, function, condition);
  fakecuda_device_fault(fakecuda::kAssert, text);
}
