// The environment variables, read once when the library is loaded.
#pragma once
#include <cstddef>

namespace fakecuda {

constexpr int kMaxDevices = 16;

struct Settings {
  int devices;       // FAKECUDA_DEVICES, 1
  int arch;          // FAKECUDA_ARCH, 90: the compute capability, times ten
  size_t capacity;   // FAKECUDA_GIB, 8: the memory of a device, in bytes here
  bool peer_access;  // FAKECUDA_PEER, 1: whether devices can be given access to each other
  bool protect;      // FAKECUDA_PROTECT, 1: device memory faults when the host touches it
  bool strict;       // FAKECUDA_STRICT, 0
  bool late;         // FAKECUDA_LAZY, 0: streams run only when something waits for them
  bool trace;        // FAKECUDA_TRACE, 0: each counted event is printed
};

// Only `late` changes later, by fakecuda_set_late.
extern Settings settings;

}  // namespace fakecuda
