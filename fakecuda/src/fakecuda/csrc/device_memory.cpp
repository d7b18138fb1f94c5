// Device memory lies in one reserved range of addresses per device, its arena. The arena is closed
// (PROT_NONE) while the host runs. When a task touches it, the fault handler asks open_for_task,
// which opens the surroundings until the end of the task. So the cost is in proportion to what
// tasks touch, and every access outside of a live allocation is seen.
//
// An allocation ends where its last page ends, and an unused page follows. An access past the end
// faults therefore, up to CUDA's alignment of 512 bytes.
#include "device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>

#include "errors.h"
#include "faults.h"
#include "settings.h"

namespace fakecuda {
namespace {

constexpr size_t kAlignment = 512;            // of all allocations, as CUDA's
constexpr size_t kPage = 4096;
constexpr size_t kWindow = size_t(2) << 20;   // how much a fault opens at most
constexpr size_t kPoolGranularity = size_t(32) << 20;
constexpr int kGarbage = 0xA7;                // fresh memory is not zero
constexpr size_t kFilled = size_t(64) << 20;  // how much of an allocation is filled with garbage

constexpr uintptr_t round_up(uintptr_t n, size_t unit) { return (n + unit - 1) / unit * unit; }
constexpr uintptr_t round_down(uintptr_t n, size_t unit) { return n / unit * unit; }

[[noreturn]] void give_up(const char* what) {
  fprintf(stderr, "fakecuda: %s failed: %s\n", what, strerror(errno));
  abort();
}

void protect(uintptr_t first, uintptr_t last, int protection) {
  if (mprotect(reinterpret_cast<void*>(first), last - first, protection)) give_up("mprotect");
}

// ---- the arena of a device

class Arena {
 public:
  // Many times the capacity, so that addresses are reused late: what uses freed memory is found.
  explicit Arena(size_t capacity) {
    int protection = settings.protect ? PROT_NONE : PROT_READ | PROT_WRITE;
    for (size_t size = std::max(16 * capacity, size_t(64) << 30); size >= capacity; size /= 2) {
      void* found = mmap(nullptr, size, protection,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (found == MAP_FAILED) continue;
      first_ = uintptr_t(found);
      last_ = first_ + size;
      cursor_ = start();
      return;
    }
    give_up("reserving addresses for a device's memory");
  }

  bool contains(uintptr_t address) const { return first_ <= address && address < last_; }

  // Where an allocation of this size begins, or 0.
  uintptr_t reserve(size_t size) {
    size_t length = round_up(size, kPage) + kPage;  // with the unused page behind
    uintptr_t page = gap(cursor_, length);
    if (!page) page = gap(start(), length);
    if (!page) return 0;
    cursor_ = page + length;
    used_[page] = cursor_;
    return page + length - kPage - round_up(size, kAlignment);
  }

  void give_back(uintptr_t address) { used_.erase(round_down(address, kPage)); }

 private:
  uintptr_t start() const { return first_ + kPage; }  // an unused page comes first, too

  uintptr_t gap(uintptr_t from, size_t length) const {
    auto next = used_.upper_bound(from);
    if (next != used_.begin()) from = std::max(from, std::prev(next)->second);
    for (; next != used_.end() && next->first - from < length; ++next) from = next->second;
    uintptr_t end = next == used_.end() ? last_ : next->first;
    return end - from >= length ? from : 0;
  }

  uintptr_t first_, last_, cursor_;
  std::map<uintptr_t, uintptr_t> used_;  // first page, end of the unused page behind
};

std::unique_ptr<Arena> arenas[kMaxDevices];

Arena& arena(int device) {
  if (!arenas[device]) arenas[device] = std::make_unique<Arena>(settings.capacity);
  return *arenas[device];
}

// ---- what is allocated

std::map<uintptr_t, Block> blocks;
std::map<uintptr_t, Block> freed;  // for messages: what was last at an address
size_t in_use[kMaxDevices];
size_t held_by_pools[kMaxDevices];
bool peers[kMaxDevices][kMaxDevices];

// The last block of a map that begins at or before the address.
template <class Blocks>
auto* at_or_before(Blocks& map, uintptr_t address) {
  auto next = map.upper_bound(address);
  return next == map.begin() ? nullptr : &std::prev(next)->second;
}

bool holds(const Block* block, uintptr_t address) {
  return block && address - block->address < block->size;
}

bool counts_as_used(MemoryKind kind) {
  return kind == MemoryKind::kDevice || kind == MemoryKind::kManaged;
}

void forget_freed(uintptr_t first, uintptr_t last) {
  auto from = freed.lower_bound(first);
  auto to = from;
  while (to != freed.end() && to->first < last) ++to;
  freed.erase(from, to);
}

// The pages of a block of an arena.
uintptr_t first_page(const Block& block) { return round_down(block.address, kPage); }
uintptr_t end_page(const Block& block) { return round_up(block.address + block.size, kPage); }

void fill_with_garbage(const Block& block) {
  DeviceAccess access(DeviceAccess::kAllDevices);
  memset(reinterpret_cast<void*>(block.address), kGarbage, std::min(block.size, kFilled));
}

void drop_pages(const Block& block) {
  uintptr_t first = first_page(block), last = end_page(block);
  madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  if (settings.protect) protect(first, last, PROT_NONE);  // a task may be running
}

// ---- who may touch what, now

constexpr int kNoDevice = -2;
std::atomic<int> running_device{kNoDevice};  // of the task that runs, or kAllDevices

struct Window {
  uintptr_t first, last;
};
Window windows[1024];  // what is open
int window_count = 0;
// Threads of a BLAS fault at the same time.
std::atomic_flag windows_busy = ATOMIC_FLAG_INIT;

class WindowsLock {
 public:
  WindowsLock() {
    while (windows_busy.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~WindowsLock() { windows_busy.clear(std::memory_order_release); }
};

void close_windows() {
  for (int i = 0; i < window_count; ++i) protect(windows[i].first, windows[i].last, PROT_NONE);
  window_count = 0;
}

// Changes whose memory is open.
void run_as(int device) {
  if (running_device == device) return;
  running_device = device;
  WindowsLock lock;
  close_windows();
}

bool may_access(const Block& block) {
  int device = running_device;
  if (device == kNoDevice || !block.live) return false;
  if (device == DeviceAccess::kAllDevices || device == block.device) return true;
  // Memory of a pool is not opened by cudaDeviceEnablePeerAccess but by cudaMemPoolSetAccess.
  return peers[device][block.device] && !block.pool;
}

std::string describe(const Block& block) {
  return std::to_string(block.size) + " bytes on device " + std::to_string(block.device);
}

}  // namespace

int allocate(MemoryKind kind, size_t size, int device, void** out) {
  *out = nullptr;
  if (!size) return 0;
  bool limited = counts_as_used(kind);
  if (limited && size > settings.capacity - memory_in_use(device))
    return cudaErrorMemoryAllocation;
  uintptr_t address;
  if (kind == MemoryKind::kDevice) {
    address = arena(device).reserve(size);
    if (!address) return cudaErrorMemoryAllocation;
  } else {
    void* found = mmap(nullptr, round_up(size, kPage), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) return cudaErrorMemoryAllocation;
    address = uintptr_t(found);
  }
  Block block{address, size, device, kind};
  add_block(block);
  if (limited) {
    in_use[device] += size;
    fill_with_garbage(block);
  }
  *out = reinterpret_cast<void*>(address);
  return 0;
}

void count_as_free(Block& block) {
  if (block.freeing) return;
  block.freeing = true;
  if (counts_as_used(block.kind)) in_use[block.device] -= block.size;
  if (block.pool) return_to_pool(*block.pool, block.size);
}

void release(Block& released) {
  count_as_free(released);
  Block block = released;
  blocks.erase(block.address);
  if (block.kind == MemoryKind::kDevice) {
    if (block.live) drop_pages(block);
    arena(block.device).give_back(block.address);
    freed.emplace(block.address, block);
  } else if (block.kind != MemoryKind::kRegistered) {
    munmap(reinterpret_cast<void*>(block.address), round_up(block.size, kPage));
  }
}

Block* find_block(const void* address) {
  Block* block = at_or_before(blocks, uintptr_t(address));
  return holds(block, uintptr_t(address)) ? block : nullptr;
}

Block* find_block(const void* address, uint64_t serial) {
  Block* block = find_block(address);
  return block && block->serial == serial ? block : nullptr;
}

void add_block(const Block& block) {
  static uint64_t serial = 0;
  forget_freed(block.address, block.address + block.size);
  blocks.insert_or_assign(block.address, block).first->second.serial = ++serial;
}

void make_live(Block& block) {
  if (block.live) return;
  block.live = true;
  fill_with_garbage(block);
}

void make_dead(Block& block) {
  if (!block.live) return;
  block.live = false;
  drop_pages(block);
}

size_t memory_in_use(int device) { return in_use[device] + held_by_pools[device]; }

int take_from_pool(Pool& pool, size_t size) {
  uint64_t held = pool.reserved - pool.used;
  if (size > held) {
    uint64_t more = round_up(size - held, kPoolGranularity);
    uint64_t left = settings.capacity - memory_in_use(pool.device);
    more = std::min(more, left);
    if (held + more < size) return cudaErrorMemoryAllocation;
    pool.reserved += more;
    held_by_pools[pool.device] += more;
  }
  held_by_pools[pool.device] -= size;
  pool.used += size;
  pool.used_high = std::max(pool.used_high, pool.used);
  pool.reserved_high = std::max(pool.reserved_high, pool.reserved);
  return 0;
}

void return_to_pool(Pool& pool, size_t size) {
  held_by_pools[pool.device] += size;
  pool.used -= size;
}

void trim_pool(Pool& pool, uint64_t reserved) {
  reserved = std::max(reserved, pool.used);
  if (reserved >= pool.reserved) return;
  held_by_pools[pool.device] -= pool.reserved - reserved;
  pool.reserved = reserved;
}

bool peer_access(int device, int peer) { return peers[device][peer]; }
void set_peer_access(int device, int peer, bool enabled) { peers[device][peer] = enabled; }

DeviceAccess::DeviceAccess(int device) : previous_(running_device) {
  if (previous_ == kNoDevice) install_fault_handlers();
  run_as(device);
}
DeviceAccess::~DeviceAccess() { run_as(previous_); }

HostCode::HostCode() : device_(running_device) { run_as(kNoDevice); }
HostCode::~HostCode() { run_as(device_); }

bool open_for_task(uintptr_t address) {
  Block* block = at_or_before(blocks, address);
  if (!holds(block, address) || block->kind != MemoryKind::kDevice || !may_access(*block))
    return false;
  uintptr_t first = round_down(address, kWindow);
  Window window = {std::max(first, first_page(*block)),
                   std::min(first + kWindow, end_page(*block))};
  WindowsLock lock;
  if (window_count == int(std::size(windows))) close_windows();  // they open again when needed
  protect(window.first, window.last, PROT_READ | PROT_WRITE);
  windows[window_count++] = window;
  return true;
}

bool in_device_memory(uintptr_t address) {
  for (auto& arena : arenas)
    if (arena && arena->contains(address)) return true;
  return false;
}

std::string describe_address(uintptr_t address) {
  constexpr size_t kNear = 1 << 20;
  if (address < kPage) return "a null pointer";
  if (!in_device_memory(address)) return "not memory of a device";
  Block* block = at_or_before(blocks, address);
  if (holds(block, address)) {
    std::string text = "allocation of " + describe(*block);
    if (!block->live) text += ", which is not allocated at this point of its stream";
    return text;
  }
  Block* old = at_or_before(freed, address);
  if (holds(old, address)) return "freed allocation of " + describe(*old);
  if (block && address - block->address - block->size < kNear)
    return std::to_string(address - block->address - block->size) +
           " bytes past the end of an allocation of " + describe(*block);
  auto next = blocks.upper_bound(address);
  if (next != blocks.end() && next->first - address < kNear)
    return std::to_string(next->first - address) + " bytes before an allocation of " +
           describe(next->second);
  return "not allocated";
}

}  // namespace fakecuda
