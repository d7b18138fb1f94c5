// Devices: which is current, and what they say about themselves.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "device_limits.h"
#include "device_memory.h"
#include "errors.h"
#include "settings.h"

namespace fakecuda {
namespace {

thread_local int device_now = 0;
thread_local bool context_made = false;

}  // namespace

int current_device() { return device_now; }

bool has_context() { return context_made; }
void make_context() { context_made = !visible_devices().empty(); }

}  // namespace fakecuda

using namespace fakecuda;

C_API cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
C_API cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

C_API cudaError_t cudaGetDeviceCount(int* out) {
  *out = int(visible_devices().size());
  return static_cast<cudaError_t>(remember(*out ? 0 : cudaErrorNoDevice));
}
C_API cudaError_t cudaGetDevice(int* out) {
  if (visible_devices().empty()) return static_cast<cudaError_t>(remember(cudaErrorNoDevice));
  *out = device_now;
  return cudaSuccess;
}
C_API cudaError_t cudaSetDevice(int device) {
  if (!is_device(device)) return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  device_now = device;
  make_context();
  return cudaSuccess;
}

C_API cudaError_t cudaDeviceGetAttribute(int* out, cudaDeviceAttr attribute, int device) {
  if (!is_device(device)) return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  switch (int(attribute)) {
    case cudaDevAttrComputeCapabilityMajor:
      *out = settings.arch / 10;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *out = settings.arch % 10;
      break;
    case cudaDevAttrMaxThreadsPerBlock:
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
      *out = limits::kThreadsPerBlock;
      break;
    case cudaDevAttrMaxBlockDimZ:
      *out = limits::kBlockZ;
      break;
    case cudaDevAttrMaxGridDimX:
      *out = limits::kGridX;
      break;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
      *out = limits::kGridYZ;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *out = limits::kSharedPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *out = limits::kSharedPerBlockOptin;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *out = limits::kSharedPerMultiprocessor;
      break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *out = 1024;
      break;
    case cudaDevAttrWarpSize:
      *out = limits::kWarp;
      break;
    case cudaDevAttrMultiProcessorCount:
      *out = limits::kMultiprocessors;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *out = limits::kThreadsPerMultiprocessor;
      break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor:
    case cudaDevAttrTotalConstantMemory:
      *out = 65536;
      break;
    case cudaDevAttrPciBusId:
      *out = visible_devices()[size_t(device)];
      break;
    case cudaDevAttrMemoryPoolsSupported:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrStreamPrioritiesSupported:
      *out = 1;
      break;
    default:
      *out = 0;
  }
  return cudaSuccess;
}

// (In the header of CUDA 12 this name is a macro for cudaGetDeviceProperties_v2.)
C_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  if (!is_device(device)) return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "fakecuda (a CPU that emulates a GPU)");
  out->major = settings.arch / 10;
  out->minor = settings.arch % 10;
  out->totalGlobalMem = settings.capacity;
  out->totalConstMem = 65536;
  out->sharedMemPerBlock = limits::kSharedPerBlock;
  out->sharedMemPerBlockOptin = limits::kSharedPerBlockOptin;
  out->sharedMemPerMultiprocessor = limits::kSharedPerMultiprocessor;
  out->regsPerBlock = 65536;
  out->regsPerMultiprocessor = 65536;
  out->warpSize = limits::kWarp;
  out->multiProcessorCount = limits::kMultiprocessors;
  out->maxThreadsPerMultiProcessor = limits::kThreadsPerMultiprocessor;
  out->maxThreadsPerBlock = limits::kThreadsPerBlock;
  out->maxThreadsDim[0] = out->maxThreadsDim[1] = limits::kThreadsPerBlock;
  out->maxThreadsDim[2] = limits::kBlockZ;
  out->maxGridSize[0] = limits::kGridX;
  out->maxGridSize[1] = out->maxGridSize[2] = limits::kGridYZ;
  out->pciBusID = visible_devices()[size_t(device)];
  out->unifiedAddressing = 1;
  out->managedMemory = 1;
  out->concurrentManagedAccess = 1;
  out->concurrentKernels = 1;
  out->canMapHostMemory = 1;
  out->memoryPoolsSupported = 1;
  out->streamPrioritiesSupported = 1;
  return cudaSuccess;
}

C_API cudaError_t cudaDeviceGetPCIBusId(char* out, int size, int device) {
  if (!is_device(device)) return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  snprintf(out, size_t(size), "0000:%02X:00.0", unsigned(visible_devices()[size_t(device)]));
  return cudaSuccess;
}
C_API cudaError_t cudaDeviceGetByPCIBusId(int* out, const char* id) {
  unsigned domain, bus = kMaxDevices;
  if (sscanf(id, "%x:%x:", &domain, &bus) != 2)
    return static_cast<cudaError_t>(remember(cudaErrorInvalidValue));
  const std::vector<int>& all = visible_devices();
  auto found = std::find(all.begin(), all.end(), int(bus));
  if (found == all.end()) return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  *out = int(found - all.begin());
  return cudaSuccess;
}

C_API cudaError_t cudaDeviceGetLimit(size_t* out, cudaLimit limit) {
  *out = limit == cudaLimitStackSize ? 1024 : limit == cudaLimitMallocHeapSize ? 8 << 20 : 1 << 20;
  return cudaSuccess;
}
C_API cudaError_t cudaDeviceSetLimit(cudaLimit, size_t) { return cudaSuccess; }

C_API cudaError_t cudaProfilerStart() { return cudaSuccess; }
C_API cudaError_t cudaProfilerStop() { return cudaSuccess; }

// ---- access of kernels to the memory of other devices

C_API cudaError_t cudaDeviceCanAccessPeer(int* out, int device, int peer) {
  if (!is_device(device) || !is_device(peer))
    return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  *out = device != peer && settings.peer_access;
  return cudaSuccess;
}
C_API cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  return runtime_call([&]() -> int {
    int device = current_device();
    if (flags) return cudaErrorInvalidValue;
    if (!is_device(peer) || peer == device) return cudaErrorInvalidDevice;
    if (!settings.peer_access) return cudaErrorPeerAccessUnsupported;
    if (peer_access(device, peer)) return cudaErrorPeerAccessAlreadyEnabled;
    set_peer_access(device, peer, true);
    return 0;
  });
}
C_API cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return runtime_call([&]() -> int {
    int device = current_device();
    if (!is_device(peer)) return cudaErrorInvalidDevice;
    if (!peer_access(device, peer)) return cudaErrorPeerAccessNotEnabled;
    set_peer_access(device, peer, false);
    return 0;
  });
}

// ---- contexts of the driver: one for each device, whose handle is the device's number plus one

namespace {
void* context_of(int device) { return reinterpret_cast<void*>(uintptr_t(device) + 1); }
}  // namespace

C_API int cuInit(unsigned) { return 0; }
C_API int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
C_API int cuCtxCreate_v2(void** out, unsigned, int device) {
  if (!is_device(device)) return cudaErrorInvalidDevice;
  device_now = device;
  make_context();
  *out = context_of(device);
  return 0;
}
C_API int cuCtxDestroy_v2(void*) { return 0; }
C_API int cuCtxGetCurrent(void** out) {
  *out = has_context() ? context_of(device_now) : nullptr;
  return 0;
}
C_API int cuCtxSetCurrent(void* context) {
  int device = context ? int(uintptr_t(context)) - 1 : 0;
  if (!is_device(device)) return cudaErrorDeviceUninitialized;
  device_now = device;
  context_made = context != nullptr;
  return 0;
}
C_API int cuCtxGetDevice(int* out) {
  if (!has_context()) return cudaErrorDeviceUninitialized;
  *out = device_now;
  return 0;
}
