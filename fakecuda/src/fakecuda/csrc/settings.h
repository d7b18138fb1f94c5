// The environment variables. Ours are read once, when the library is loaded.
#pragma once
#include <cstddef>
#include <vector>

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

// The devices of this process, by their numbers in the machine: those of CUDA_VISIBLE_DEVICES, if it
// is set. As by CUDA, it is read when the first device is asked for: a process may set it before.
const std::vector<int>& visible_devices();

inline bool is_device(int device) {
  return device >= 0 && device < int(visible_devices().size());
}

}  // namespace fakecuda
