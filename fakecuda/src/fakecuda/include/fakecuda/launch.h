// How the library calls a kernel. nvrtc.cpp writes FAKECUDA_KERNEL after the source for each one.
#pragma once
#include "keywords.h"

namespace fakecuda {

// What a kernel's arguments are.
template <class Kernel>
struct Arguments;
template <class... T>
struct Arguments<void (*)(T...)> {
  size_t values[1 + sizeof...(T)] = {sizeof...(T), sizeof(T)...};  // their number and sizes

  static void call(void (*kernel)(T...), void** pointers) {
    call(kernel, pointers, std::index_sequence_for<T...>());
  }

 private:
  template <size_t... I>
  static void call(void (*kernel)(T...), void** pointers, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_reference_t<T>*>(pointers[I])...);
  }
};

}  // namespace fakecuda

// NAME, and the function as C++ names it: an expression, in which there may be commas.
#define FAKECUDA_KERNEL(name, ...)                                                              \
  extern "C" __attribute__((visibility("default"))) void fakecuda_call_##name(void** pointers) { \
    fakecuda::Arguments<decltype(&__VA_ARGS__)>::call(&__VA_ARGS__, pointers);                  \
  }                                                                                             \
  extern "C" __attribute__((visibility("default")))                                             \
      fakecuda::Arguments<decltype(&__VA_ARGS__)> fakecuda_sizes_##name{};
