// Atomic functions, for the types that CUDA has them for and no others. Threads run in turn, so
// plain reads and writes are atomic.
#pragma once
#include "keywords.h"

namespace fakecuda {
template <class T, class F>
inline T exchange(T* address, F next) {
  T old = *address;
  *address = next(old);
  return old;
}
}  // namespace fakecuda

// One function and its variants for a block and for all devices.
#define FAKECUDA_ATOMIC_NAMED(T, name, expression)       \
  inline T name(T* address, T value) {                   \
    return fakecuda::exchange(address, [=](T old) -> T { \
      (void)old;                                         \
      return expression;                                 \
    });                                                  \
  }
#define FAKECUDA_ATOMIC(T, name, expression)            \
  FAKECUDA_ATOMIC_NAMED(T, name, expression)            \
  FAKECUDA_ATOMIC_NAMED(T, name##_block, expression)    \
  FAKECUDA_ATOMIC_NAMED(T, name##_system, expression)
#define FAKECUDA_ATOMIC_CAS_NAMED(T, name)                                  \
  inline T name(T* address, T compare, T value) {                           \
    return fakecuda::exchange(                                              \
        address, [=](T old) -> T { return old == compare ? value : old; }); \
  }
#define FAKECUDA_ATOMIC_CAS(T)                   \
  FAKECUDA_ATOMIC_CAS_NAMED(T, atomicCAS)        \
  FAKECUDA_ATOMIC_CAS_NAMED(T, atomicCAS_block)  \
  FAKECUDA_ATOMIC_CAS_NAMED(T, atomicCAS_system)

FAKECUDA_ATOMIC(int, atomicAdd, int(unsigned(old) + unsigned(value)))
FAKECUDA_ATOMIC(unsigned, atomicAdd, old + value)
FAKECUDA_ATOMIC(unsigned long long, atomicAdd, old + value)
FAKECUDA_ATOMIC(float, atomicAdd, old + value)
FAKECUDA_ATOMIC(double, atomicAdd, old + value)
FAKECUDA_ATOMIC(int, atomicSub, int(unsigned(old) - unsigned(value)))
FAKECUDA_ATOMIC(unsigned, atomicSub, old - value)

FAKECUDA_ATOMIC(int, atomicExch, value)
FAKECUDA_ATOMIC(unsigned, atomicExch, value)
FAKECUDA_ATOMIC(unsigned long long, atomicExch, value)
FAKECUDA_ATOMIC(float, atomicExch, value)

FAKECUDA_ATOMIC(int, atomicMin, value < old ? value : old)
FAKECUDA_ATOMIC(unsigned, atomicMin, value < old ? value : old)
FAKECUDA_ATOMIC(long long, atomicMin, value < old ? value : old)
FAKECUDA_ATOMIC(unsigned long long, atomicMin, value < old ? value : old)
FAKECUDA_ATOMIC(int, atomicMax, old < value ? value : old)
FAKECUDA_ATOMIC(unsigned, atomicMax, old < value ? value : old)
FAKECUDA_ATOMIC(long long, atomicMax, old < value ? value : old)
FAKECUDA_ATOMIC(unsigned long long, atomicMax, old < value ? value : old)

FAKECUDA_ATOMIC(unsigned, atomicInc, old >= value ? 0 : old + 1)
FAKECUDA_ATOMIC(unsigned, atomicDec, old == 0 || old > value ? value : old - 1)

FAKECUDA_ATOMIC(int, atomicAnd, old & value)
FAKECUDA_ATOMIC(unsigned, atomicAnd, old & value)
FAKECUDA_ATOMIC(long long, atomicAnd, old & value)
FAKECUDA_ATOMIC(unsigned long long, atomicAnd, old & value)
FAKECUDA_ATOMIC(int, atomicOr, old | value)
FAKECUDA_ATOMIC(unsigned, atomicOr, old | value)
FAKECUDA_ATOMIC(long long, atomicOr, old | value)
FAKECUDA_ATOMIC(unsigned long long, atomicOr, old | value)
FAKECUDA_ATOMIC(int, atomicXor, old ^ value)
FAKECUDA_ATOMIC(unsigned, atomicXor, old ^ value)
FAKECUDA_ATOMIC(long long, atomicXor, old ^ value)
FAKECUDA_ATOMIC(unsigned long long, atomicXor, old ^ value)

FAKECUDA_ATOMIC_CAS(int)
FAKECUDA_ATOMIC_CAS(unsigned)
FAKECUDA_ATOMIC_CAS(unsigned long long)
FAKECUDA_ATOMIC_CAS(unsigned short)
