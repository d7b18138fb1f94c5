// Memory: what has been allocated where, and who may touch it when.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace fakecuda {

enum class MemoryKind {
  kDevice,      // from a device's arena; closed to the host
  kManaged,     // open to the host and to all devices
  kPinned,      // the host's, from cudaHostAlloc
  kRegistered,  // the host's, from cudaHostRegister
  kGlobal,      // a __device__ or __constant__ variable of a module
};

// A memory pool of the stream-ordered allocator. It holds what has been freed until the host waits
// for something, and then keeps no more than its threshold.
struct Pool {
  int device = 0;
  uint64_t release_threshold = 0;
  uint64_t used = 0, used_high = 0;
  uint64_t reserved = 0, reserved_high = 0;  // the used memory included
};

struct Block {
  uintptr_t address;
  size_t size;
  int device;
  MemoryKind kind;
  Pool* pool = nullptr;   // of a stream-ordered allocation
  bool of_graph = false;  // allocated by a node of a graph
  bool freeing = false;   // counted as free
  uint64_t serial = 0;    // tells blocks apart that had the same address
  bool live = true;       // false until a stream-ordered allocation has run, and after its free has
};

// Allocates on a device. Returns 0 or the runtime's error; no bytes give a null pointer.
int allocate(MemoryKind kind, size_t size, int device, void** out);

// Gives a block back, of whatever kind; its pages go back to the system.
void release(Block& block);

// Counts a block as free before its release: a stream will come to it.
void count_as_free(Block& block);

// The block that holds the address, or null. (Pointers to blocks stay valid until their release.)
Block* find_block(const void* address);

// The same block again, or null if it has been released since.
Block* find_block(const void* address, uint64_t serial);

// Notes memory that the stand-in has not allocated.
void add_block(const Block& block);

// The two ends of a stream-ordered allocation, when the stream comes to them.
void make_live(Block& block);
void make_dead(Block& block);

// How much of a device's memory is in use, and how much pools hold in addition.
size_t memory_in_use(int device);

// Takes memory for an allocation out of what a pool holds, or makes the pool larger; and gives it
// back to the pool. Returns 0 or the runtime's error.
int take_from_pool(Pool& pool, size_t size);
void return_to_pool(Pool& pool, size_t size);

// Makes a pool hold no more than `reserved` bytes, used ones included.
void trim_pool(Pool& pool, uint64_t reserved);

// Whether kernels of `device` may access memory of `peer`.
bool peer_access(int device, int peer);
void set_peer_access(int device, int peer, bool enabled);

// While an object of this class lives, what runs may touch the memory that `device` may access, or
// that of all devices: copies between devices need no peer access.
class DeviceAccess {
 public:
  static constexpr int kAllDevices = -1;
  explicit DeviceAccess(int device);
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;

 private:
  const int previous_;
};

// While an object of this class lives, device memory is closed again: a stream has come to a
// function of the host.
class HostCode {
 public:
  HostCode();
  ~HostCode();
  HostCode(const HostCode&) = delete;
  HostCode& operator=(const HostCode&) = delete;

 private:
  const int device_;
};

// Called where an access has faulted: opens the memory around the address if what runs may touch
// it. False means that the access was wrong.
bool open_for_task(uintptr_t address);

// Whether the address belongs to a device, allocated or not.
bool in_device_memory(uintptr_t address);

// "allocation of 512 bytes on device 0", "8 bytes past the end of an allocation of ...", ...
std::string describe_address(uintptr_t address);

}  // namespace fakecuda
