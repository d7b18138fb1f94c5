// The functions of the runtime that allocate, free, and describe memory.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <set>

#include "device_memory.h"
#include "errors.h"
#include "settings.h"
#include "streams.h"

using namespace fakecuda;

// ---- allocations that are made at once

namespace {

cudaError_t allocate_now(const char* what, MemoryKind kind, void** out, size_t size) {
  return runtime_call([&] {
    count(what);
    if (int code = refuse_unsafe()) return code;
    return allocate(kind, size, current_device(), out);
  });
}

bool is_host(const Block& block) {
  return block.kind == MemoryKind::kPinned || block.kind == MemoryKind::kRegistered;
}

// Frees wait for the device; and only the address that was returned can be freed.
cudaError_t free_now(const char* what, void* address, bool (*right_kind)(const Block&)) {
  return runtime_call([&]() -> int {
    count(what);
    if (!address) return 0;
    if (int code = refuse_unsafe()) return code;
    Block* block = find_block(address);
    if (!block || block->address != uintptr_t(address) || !right_kind(*block))
      return cudaErrorInvalidValue;
    drain_device(block->device);
    after_wait();
    if (find_block(address) != block) return cudaErrorInvalidValue;  // the stream has freed it
    if (block->of_graph) {
      make_dead(*block);  // the address stays the graph's
    } else {
      release(*block);
    }
    return device_error(current_device());
  });
}

}  // namespace

C_API cudaError_t cudaMalloc(void** out, size_t size) {
  return allocate_now("malloc", MemoryKind::kDevice, out, size);
}
C_API cudaError_t cudaMallocManaged(void** out, size_t size, unsigned) {
  return allocate_now("malloc", MemoryKind::kManaged, out, size);
}
C_API cudaError_t cudaHostAlloc(void** out, size_t size, unsigned) {
  return allocate_now("pinned malloc", MemoryKind::kPinned, out, size);
}
C_API cudaError_t cudaMallocHost(void** out, size_t size) { return cudaHostAlloc(out, size, 0); }

C_API cudaError_t cudaFree(void* address) {
  return free_now("free", address, [](const Block& block) {
    return block.kind == MemoryKind::kDevice || block.kind == MemoryKind::kManaged;
  });
}
C_API cudaError_t cudaFreeHost(void* address) {
  return free_now("pinned free", address,
                  [](const Block& block) { return block.kind == MemoryKind::kPinned; });
}

C_API cudaError_t cudaHostRegister(void* address, size_t size, unsigned) {
  return runtime_call([&]() -> int {
    if (!address || !size) return cudaErrorInvalidValue;
    if (int code = refuse_unsafe()) return code;
    if (find_block(address)) return cudaErrorHostMemoryAlreadyRegistered;
    add_block({uintptr_t(address), size, current_device(), MemoryKind::kRegistered});
    return 0;
  });
}
C_API cudaError_t cudaHostUnregister(void* address) {
  return runtime_call([&]() -> int {
    if (int code = refuse_unsafe()) return code;
    Block* block = find_block(address);
    if (!block || block->kind != MemoryKind::kRegistered || block->address != uintptr_t(address))
      return cudaErrorHostMemoryNotRegistered;
    drain_device(block->device);
    release(*block);
    return 0;
  });
}

C_API cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return runtime_call([&] {
    *total = settings.capacity;
    *free = settings.capacity - memory_in_use(current_device());
    return 0;
  });
}

C_API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* address) {
  return runtime_call([&] {
    *out = {};
    const Block* block = find_block(address);
    out->type = !block                                ? cudaMemoryTypeUnregistered
                : is_host(*block)                     ? cudaMemoryTypeHost
                : block->kind == MemoryKind::kManaged ? cudaMemoryTypeManaged
                                                      : cudaMemoryTypeDevice;
    out->device = block ? block->device : cudaInvalidDeviceId;
    if (block) out->devicePointer = const_cast<void*>(address);
    if (!block || is_host(*block) || block->kind == MemoryKind::kManaged)
      out->hostPointer = const_cast<void*>(address);
    return 0;
  });
}

// ---- the stream-ordered allocator

namespace {

std::set<Pool*> pools;
Pool* current_pools[kMaxDevices];

// (Device pools are never destroyed.)
Pool* default_pool(int device) {
  static Pool* all[kMaxDevices];
  if (!all[device]) {
    all[device] = new Pool;
    all[device]->device = device;
    pools.insert(all[device]);
  }
  return all[device];
}

Pool* current_pool(int device) {
  return current_pools[device] ? current_pools[device] : default_pool(device);
}

Pool* pool_of(void* handle) {
  auto pool = static_cast<Pool*>(handle);
  return pools.count(pool) ? pool : nullptr;
}

// A task about a block. Streams that are not in order may have released it before.
Task on_block(const Block& block, void (*action)(Block&)) {
  return [address = reinterpret_cast<void*>(block.address), serial = block.serial, action] {
    if (Block* found = find_block(address, serial)) action(*found);
  };
}

// The address is known at once. The memory can be used when the stream has come here: until then it
// is closed to kernels, too.
int allocate_in_stream(void** out, size_t size, Pool* pool, const StreamPtr& stream) {
  count("malloc in a stream");
  *out = nullptr;
  if (!size) return 0;
  if (int code = take_from_pool(*pool, size)) return code;
  if (int code = allocate(MemoryKind::kDevice, size, pool->device, out)) {
    return_to_pool(*pool, size);
    return code;
  }
  void* address = *out;
  Block* block = find_block(address);
  make_dead(*block);
  block->pool = pool;
  if (stream->capture) {
    block->of_graph = true;
    stream->capture->graph->allocations.push_back(address);
  }
  return submit(stream, on_block(*block, make_live), "malloc in a stream");
}

// During a capture this makes a node, and can only free what the same graph has allocated.
int free_in_stream(void* address, const StreamPtr& stream) {
  count("free in a stream");
  if (!address) return 0;
  Block* block = find_block(address);
  if (!block || !block->pool || block->freeing || block->address != uintptr_t(address))
    return cudaErrorInvalidValue;
  if (stream->capture) {
    auto& own = stream->capture->graph->allocations;
    if (std::find(own.begin(), own.end(), address) == own.end()) {
      stream->capture->invalid = true;
      return cudaErrorInvalidValue;
    }
  }
  if (!block->of_graph) count_as_free(*block);
  return submit(stream, on_block(*block, block->of_graph ? make_dead : release),
                "free in a stream");
}

template <class Body>
cudaError_t pool_call(cudaMemPool_t handle, Body body) {
  return runtime_call([&]() -> int {
    Pool* pool = pool_of(handle);
    return pool ? body(*pool) : cudaErrorInvalidValue;
  });
}

template <class Body>
cudaError_t device_pool_call(int device, Body body) {
  return runtime_call([&]() -> int {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    return body();
  });
}

}  // namespace

namespace fakecuda {

void after_wait() {
  for (Pool* pool : pools) trim_pool(*pool, pool->release_threshold);
}

}  // namespace fakecuda

C_API cudaError_t cudaMallocFromPoolAsync(void** out, size_t size, cudaMemPool_t pool,
                                          cudaStream_t handle) {
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    Pool* found = pool_of(pool);
    return found ? allocate_in_stream(out, size, found, stream) : cudaErrorInvalidValue;
  });
}
C_API cudaError_t cudaMallocAsync(void** out, size_t size, cudaStream_t handle) {
  return stream_call(handle, [&](const StreamPtr& stream) {
    return allocate_in_stream(out, size, current_pool(stream->device), stream);
  });
}
C_API cudaError_t cudaFreeAsync(void* address, cudaStream_t handle) {
  return stream_call(handle, [&](const StreamPtr& stream) {
    return free_in_stream(address, stream);
  });
}

C_API cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* out, int device) {
  return device_pool_call(device, [&] {
    *out = reinterpret_cast<cudaMemPool_t>(default_pool(device));
    return 0;
  });
}
C_API cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* out, int device) {
  return device_pool_call(device, [&] {
    *out = reinterpret_cast<cudaMemPool_t>(current_pool(device));
    return 0;
  });
}
C_API cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t handle) {
  return device_pool_call(device, [&]() -> int {
    Pool* pool = pool_of(handle);
    if (!pool || pool->device != device) return cudaErrorInvalidValue;
    current_pools[device] = pool;
    return 0;
  });
}
C_API cudaError_t cudaMemPoolCreate(cudaMemPool_t* out, const cudaMemPoolProps* properties) {
  return device_pool_call(properties->location.id, [&] {
    auto pool = new Pool;
    pool->device = properties->location.id;
    pools.insert(pool);
    *out = reinterpret_cast<cudaMemPool_t>(pool);
    return 0;
  });
}
C_API cudaError_t cudaMemPoolDestroy(cudaMemPool_t handle) {
  return pool_call(handle, [&](Pool& pool) -> int {
    if (&pool == default_pool(pool.device)) return cudaErrorInvalidValue;
    // (The object stays for allocations that are still there.)
    pools.erase(&pool);
    if (current_pools[pool.device] == &pool) current_pools[pool.device] = nullptr;
    return 0;
  });
}
C_API cudaError_t cudaMemPoolTrimTo(cudaMemPool_t handle, size_t size) {
  return pool_call(handle, [&](Pool& pool) {
    trim_pool(pool, size);
    return 0;
  });
}

namespace {
// The attributes that are numbers of 64 bits; null for the others, which are switches.
uint64_t* number_of(Pool& pool, cudaMemPoolAttr attribute) {
  switch (int(attribute)) {
    case cudaMemPoolAttrReleaseThreshold:
      return &pool.release_threshold;
    case cudaMemPoolAttrReservedMemCurrent:
      return &pool.reserved;
    case cudaMemPoolAttrReservedMemHigh:
      return &pool.reserved_high;
    case cudaMemPoolAttrUsedMemCurrent:
      return &pool.used;
    case cudaMemPoolAttrUsedMemHigh:
      return &pool.used_high;
    default:
      return nullptr;
  }
}
}  // namespace

C_API cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t handle, cudaMemPoolAttr attribute,
                                          void* value) {
  return pool_call(handle, [&](Pool& pool) {
    if (uint64_t* number = number_of(pool, attribute))
      *static_cast<uint64_t*>(value) = *number;
    else
      *static_cast<int*>(value) = 1;
    return 0;
  });
}
// Only the threshold, and the high marks (to zero), can be set.
C_API cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t handle, cudaMemPoolAttr attribute,
                                          void* value) {
  return pool_call(handle, [&](Pool& pool) -> int {
    uint64_t* number = number_of(pool, attribute);
    if (!number) return 0;
    uint64_t wanted = *static_cast<uint64_t*>(value);
    if (number == &pool.release_threshold) {
      pool.release_threshold = wanted;
      return 0;
    }
    if (number == &pool.used || number == &pool.reserved || wanted) return cudaErrorInvalidValue;
    *number = number == &pool.used_high ? pool.used : pool.reserved;
    return 0;
  });
}

// ---- managed memory: hints, of which only the arguments are checked

namespace {

#if CUDART_VERSION >= 13000
using Place = cudaMemLocation;
int device_of(const Place& place) { return place.id; }
#else
using Place = int;
int device_of(Place device) { return device; }
#endif

int check_hint(const void* address, size_t size, const Place& place) {
  int device = device_of(place);
  if (device != cudaCpuDeviceId && !is_device(device)) return cudaErrorInvalidDevice;
  Block* block = find_block(address);
  bool fits = block && block->kind == MemoryKind::kManaged &&
              uintptr_t(address) + size <= block->address + block->size;
  return fits ? 0 : cudaErrorInvalidValue;
}

cudaError_t prefetch(const void* address, size_t size, const Place& place, cudaStream_t handle) {
  return stream_call(handle, [&](const StreamPtr&) { return check_hint(address, size, place); });
}

}  // namespace

#if CUDART_VERSION >= 13000
C_API cudaError_t cudaMemPrefetchAsync(const void* address, size_t size, Place place, unsigned,
                                       cudaStream_t stream) {
  return prefetch(address, size, place, stream);
}
#else
C_API cudaError_t cudaMemPrefetchAsync(const void* address, size_t size, Place place,
                                       cudaStream_t stream) {
  return prefetch(address, size, place, stream);
}
#endif

C_API cudaError_t cudaMemAdvise(const void* address, size_t size, cudaMemoryAdvise advice,
                                Place place) {
  return runtime_call([&]() -> int {
    if (advice < cudaMemAdviseSetReadMostly || advice > cudaMemAdviseUnsetAccessedBy)
      return cudaErrorInvalidValue;
    return check_hint(address, size, place);
  });
}
