// CUDA's runtime and driver: streams, events, graphs, memory, launches.
#include <cuda_runtime_api.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "core.h"

namespace fakecuda {

std::recursive_mutex mutex;

static std::map<std::string, long> counts;
static bool env(const char* name) {
  const char* value = getenv(name);
  return value && *value && *value != '0';
}
static bool trace = env("FAKECUDA_TRACE");
static bool lazy = env("FAKECUDA_LAZY");
static int devices = getenv("FAKECUDA_DEVICES") ? atoi(getenv("FAKECUDA_DEVICES")) : 1;
static size_t capacity = size_t(getenv("FAKECUDA_GIB") ? atoi(getenv("FAKECUDA_GIB")) : 8) << 30;
static std::vector<size_t> used(64);
static thread_local int device_now = 0;
static thread_local int last_error = 0;

int current_device() { return device_now; }

void count(const char* what) {
  ++counts[what];
  if (trace) fprintf(stderr, "[fakecuda] %s\n", what);
}

static int fail(int code) {
  if (code) last_error = code;
  return code;
}

// ---- streams

struct Graph {
  std::vector<Task> calls;
};

struct Stream {
  bool blocking = true;
  unsigned flags = 0;
  int priority = 0, device = 0;
  std::deque<Task> waiting;
  uint64_t submitted = 0, done = 0;
  std::shared_ptr<Graph> capture;
  bool origin = false, invalid = false;
};

struct Event {
  Stream* stream = nullptr;
  uint64_t at = 0;
  unsigned flags = 0;
  std::shared_ptr<Graph> capture;
  std::shared_ptr<double> when = std::make_shared<double>(0);
};

static std::vector<Stream*> null_streams;
static std::set<Stream*> streams;

static Stream* null_stream(int d) {
  while (int(null_streams.size()) < 64) {
    null_streams.push_back(new Stream);
    null_streams.back()->device = int(null_streams.size()) - 1;
  }
  return null_streams[d];
}

static Stream* of(void* handle) {
  if (uintptr_t(handle) <= 2) return null_stream(device_now);
  auto s = static_cast<Stream*>(handle);
  return streams.count(s) ? s : nullptr;
}

static void drain(Stream* s, uint64_t until) {
  while (s->done < until && !s->waiting.empty()) {
    Task call = std::move(s->waiting.front());
    s->waiting.pop_front();
    call();
    ++s->done;
  }
}
static void drain(Stream* s) { drain(s, s->submitted); }
static void drain_all() {
  for (auto s : streams) drain(s);
  for (auto s : null_streams) drain(s);
}

static int put(Stream* s, Task call) {
  if (s->capture) {
    s->capture->calls.push_back(std::move(call));
    return 0;
  }
  bool is_null = false;
  for (auto n : null_streams) is_null |= n == s;
  if (is_null) {  // it waits for those that block, and they for it
    for (auto other : streams)
      if (other->blocking && other->device == s->device) {
        if (other->capture) {
          other->invalid = true;
          return fail(cudaErrorStreamCaptureImplicit);
        }
        drain(other);
      }
  } else if (s->blocking) {
    drain(null_stream(s->device));
  }
  ++s->submitted;
  s->waiting.push_back(std::move(call));
  if (!lazy) drain(s);
  return 0;
}

int enqueue(void* stream, const char* what, Task call) {
  std::lock_guard<std::recursive_mutex> guard(mutex);
  count(what);
  auto s = of(stream);
  if (!s) return fail(cudaErrorInvalidResourceHandle);
  return put(s, std::move(call));
}

static bool forbidden(Stream* s) {  // in a stream that is captured
  if (!s->capture) return false;
  s->invalid = true;
  return true;
}

int synchronize(void* stream, const char* what) {
  std::lock_guard<std::recursive_mutex> guard(mutex);
  count(what);
  auto s = of(stream);
  if (!s) return fail(cudaErrorInvalidResourceHandle);
  if (forbidden(s)) return fail(cudaErrorStreamCaptureUnsupported);
  put(s, [] {});
  drain(s);
  return 0;
}

// ---- memory

struct Block {
  size_t size;
  int device;
  int type;  // cudaMemoryType
};
static std::map<uintptr_t, Block> blocks;

static const Block* find(const void* p, uintptr_t* start = nullptr) {
  auto it = blocks.upper_bound(uintptr_t(p));
  if (it == blocks.begin()) return nullptr;
  --it;
  if (uintptr_t(p) >= it->first + it->second.size) return nullptr;
  if (start) *start = it->first;
  return &it->second;
}

static int allocate(void** out, size_t size, int type) {
  *out = nullptr;
  if (!size) return 0;
  if (type != cudaMemoryTypeHost && used[device_now] + size > capacity)
    return fail(cudaErrorMemoryAllocation);
  void* p = aligned_alloc(512, (size + 511) / 512 * 512);
  if (!p) return fail(cudaErrorMemoryAllocation);
  if (type != cudaMemoryTypeHost) {
    used[device_now] += size;
    memset(p, 0xA7, std::min<size_t>(size, 64 << 20));  // nothing may count on zeros
  }
  blocks[uintptr_t(p)] = {size, device_now, type};
  *out = p;
  return 0;
}

static int release(void* p) {
  if (!p) return 0;
  auto it = blocks.find(uintptr_t(p));
  if (it == blocks.end()) return fail(cudaErrorInvalidValue);
  if (it->second.type != cudaMemoryTypeHost) used[it->second.device] -= it->second.size;
  blocks.erase(it);
  free(p);
  return 0;
}

static bool on_device(const void* p) {
  auto b = find(p);
  return b && b->type != cudaMemoryTypeHost;
}
static bool pageable(const void* p) { return !find(p); }

static int copy_async(void* to, const void* from, size_t n, int kind, void* stream) {
  std::lock_guard<std::recursive_mutex> guard(mutex);
  auto s = of(stream);
  if (!s) return fail(cudaErrorInvalidResourceHandle);
  if (!n) return 0;
  bool to_device = on_device(to), from_device = on_device(from);
  if (kind == cudaMemcpyHostToDevice && !to_device) return fail(cudaErrorInvalidValue);
  if (kind == cudaMemcpyDeviceToHost && !from_device) return fail(cudaErrorInvalidValue);
  if (kind == cudaMemcpyDeviceToDevice && !(to_device && from_device))
    return fail(cudaErrorInvalidValue);
  if (from_device) {
    uintptr_t start;
    auto b = find(from, &start);
    if (uintptr_t(from) + n > start + b->size) return fail(cudaErrorInvalidValue);
  }
  if (to_device) {
    uintptr_t start;
    auto b = find(to, &start);
    if (uintptr_t(to) + n > start + b->size) return fail(cudaErrorInvalidValue);
  }
  if (s->capture && (pageable(to) || pageable(from))) {
    s->invalid = true;
    return fail(cudaErrorStreamCaptureUnsupported);
  }
  const char* what = from_device ? (to_device ? "copy on device" : "copy to host")
                                 : (to_device ? "copy to device" : "copy on host");
  if (!from_device && pageable(from)) {  // read at once
    auto data = std::make_shared<std::vector<char>>(static_cast<const char*>(from),
                                                    static_cast<const char*>(from) + n);
    return enqueue(stream, what, [=] { memcpy(to, data->data(), n); });
  }
  int code = enqueue(stream, what, [=] { memmove(to, from, n); });
  if (!code && !to_device && pageable(to)) {
    count("sync by copy to pageable memory");
    drain(s);
  }
  return code;
}

static int copy(void* to, const void* from, size_t n, int kind) {
  std::lock_guard<std::recursive_mutex> guard(mutex);
  auto s = null_stream(device_now);
  for (auto other : streams)
    if (other->capture && other->blocking) {
      other->invalid = true;
      return fail(cudaErrorStreamCaptureImplicit);
    }
  int code = copy_async(to, from, n, kind, nullptr);
  if (!code) drain(s);
  count("sync by memcpy");
  return code;
}

}  // namespace fakecuda

using namespace fakecuda;
#define API extern "C" __attribute__((visibility("default")))
#define LOCK std::lock_guard<std::recursive_mutex> guard(mutex)
typedef cudaError_t E;
#define RET(x) return static_cast<E>(x)

// ---- errors

struct Named {
  int code;
  const char *name, *text;
};
static const Named errors[] = {
    {0, "cudaSuccess", "no error"},
    {1, "cudaErrorInvalidValue", "invalid argument"},
    {2, "cudaErrorMemoryAllocation", "out of memory"},
    {9, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {100, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {101, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {400, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {600, "cudaErrorNotReady", "device not ready"},
    {704, "cudaErrorPeerAccessAlreadyEnabled", "peer access is already enabled"},
    {801, "cudaErrorNotSupported", "operation not supported"},
    {900, "cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"},
    {901, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {906, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {999, "cudaErrorUnknown", "unknown error"},
};
static const Named& named(int code) {
  for (auto& e : errors)
    if (e.code == code) return e;
  return errors[sizeof errors / sizeof *errors - 1];
}
API const char* cudaGetErrorName(E e) { return named(e).name; }
API const char* cudaGetErrorString(E e) { return named(e).text; }
API E cudaGetLastError() {
  int e = last_error;
  last_error = 0;
  RET(e);
}
API E cudaPeekAtLastError() { RET(last_error); }
API int cuGetErrorName(int e, const char** s) { return *s = named(e).name, 0; }
API int cuGetErrorString(int e, const char** s) { return *s = named(e).text, 0; }

API E fc_unsupported(const char* name) {
  fprintf(stderr, "[fakecuda] not there: %s\n", name);
  RET(fail(801));
}

extern "C" int fc_missing(const char* name) {
  fprintf(stderr, "[fakecuda] not there: %s\n", name);
  return 15;
}

// ---- what tests read

API long fc_count(const char* what) {
  LOCK;
  return counts[what];
}
API void fc_reset() {
  LOCK;
  counts.clear();
}
API int fc_counts(char* out, int size) {
  LOCK;
  std::string text;
  for (auto& c : counts) text += c.first + "\t" + std::to_string(c.second) + "\n";
  snprintf(out, size, "%s", text.c_str());
  return int(text.size());
}
API void fc_lazy(int on) {
  LOCK;
  drain_all();
  lazy = on;
}
API long fc_pending() {
  LOCK;
  long n = 0;
  for (auto s : streams) n += s->submitted - s->done;
  for (auto s : null_streams) n += s->submitted - s->done;
  return n;
}

// ---- devices

API E cudaDriverGetVersion(int* v) { return *v = 12090, cudaSuccess; }
API E cudaRuntimeGetVersion(int* v) { return *v = 12090, cudaSuccess; }
API E cudaGetDevice(int* d) { return *d = device_now, cudaSuccess; }
API E cudaGetDeviceCount(int* n) {
  *n = devices;
  RET(devices ? 0 : fail(100));
}
API E cudaSetDevice(int d) {
  if (d < 0 || d >= devices) RET(fail(101));
  device_now = d;
  RET(0);
}
API E cudaDeviceSynchronize() {
  LOCK;
  count("sync of device");
  for (auto s : streams)
    if (s->capture) {
      s->invalid = true;
      RET(fail(cudaErrorStreamCaptureUnsupported));
    }
  drain_all();
  RET(0);
}
API E cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int d) {
  if (d < 0 || d >= devices) RET(fail(101));
  switch (int(a)) {
    case cudaDevAttrComputeCapabilityMajor: *v = 9; break;
    case cudaDevAttrComputeCapabilityMinor: *v = 0; break;
    case cudaDevAttrMultiProcessorCount: *v = 4; break;
    case cudaDevAttrMaxThreadsPerBlock: *v = 1024; break;
    case cudaDevAttrMaxBlockDimX: *v = 1024; break;
    case cudaDevAttrMaxBlockDimY: *v = 1024; break;
    case cudaDevAttrMaxBlockDimZ: *v = 64; break;
    case cudaDevAttrMaxGridDimX: *v = 2147483647; break;
    case cudaDevAttrMaxGridDimY: *v = 65535; break;
    case cudaDevAttrMaxGridDimZ: *v = 65535; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *v = 49152; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *v = 233472; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *v = 232448; break;
    case cudaDevAttrWarpSize: *v = 32; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *v = 2048; break;
    case cudaDevAttrMaxRegistersPerBlock: *v = 65536; break;
    case cudaDevAttrMemoryPoolsSupported: *v = 1; break;
    case cudaDevAttrUnifiedAddressing: *v = 1; break;
    case cudaDevAttrManagedMemory: *v = 1; break;
    case cudaDevAttrConcurrentManagedAccess: *v = 1; break;
    default: *v = 0;
  }
  RET(0);
}
API E cudaDeviceGetByPCIBusId(int* d, const char* id) { return *d = atoi(id + 5), cudaSuccess; }
API E cudaDeviceGetPCIBusId(char* out, int n, int d) {
  snprintf(out, n, "0000:%02x:00.0", d);
  RET(0);
}
API E cudaGetDeviceProperties_v2(cudaDeviceProp* p, int d) {
  if (d < 0 || d >= devices) RET(fail(101));
  memset(p, 0, sizeof *p);
  snprintf(p->name, sizeof p->name, "A CPU that stands in for a GPU");
  p->totalGlobalMem = capacity;
  p->sharedMemPerBlock = 49152;
  p->regsPerBlock = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->totalConstMem = 65536;
  p->major = 9;
  p->multiProcessorCount = 4;
  p->maxThreadsPerMultiProcessor = 2048;
  p->unifiedAddressing = 1;
  p->managedMemory = 1;
  RET(0);
}
API E cudaDeviceCanAccessPeer(int* can, int a, int b) { return *can = a != b, cudaSuccess; }
API E cudaDeviceEnablePeerAccess(int, unsigned) { RET(0); }
API E cudaDeviceDisablePeerAccess(int) { RET(0); }
API E cudaDeviceGetLimit(size_t* v, cudaLimit) { return *v = 1 << 20, cudaSuccess; }
API E cudaDeviceSetLimit(cudaLimit, size_t) { RET(0); }
API E cudaFuncGetAttributes(cudaFuncAttributes* a, const void*) {
  memset(a, 0, sizeof *a);
  a->maxThreadsPerBlock = 1024;
  RET(0);
}

// ---- memory

API E cudaMalloc(void** p, size_t n) {
  LOCK;
  count("malloc");
  RET(allocate(p, n, cudaMemoryTypeDevice));
}
API E cudaMallocManaged(void** p, size_t n, unsigned) {
  LOCK;
  RET(allocate(p, n, cudaMemoryTypeManaged));
}
API E cudaMallocAsync(void** p, size_t n, cudaStream_t) { return cudaMalloc(p, n); }
API E cudaMallocFromPoolAsync(void** p, size_t n, cudaMemPool_t, cudaStream_t) {
  return cudaMalloc(p, n);
}
API E cudaHostAlloc(void** p, size_t n, unsigned) {
  LOCK;
  count("pinned malloc");
  RET(allocate(p, n, cudaMemoryTypeHost));
}
API E cudaMallocHost(void** p, size_t n) { return cudaHostAlloc(p, n, 0); }
API E cudaHostRegister(void* p, size_t n, unsigned) {
  LOCK;
  blocks[uintptr_t(p)] = {n, device_now, cudaMemoryTypeHost};
  RET(0);
}
API E cudaHostUnregister(void* p) {
  LOCK;
  blocks.erase(uintptr_t(p));
  RET(0);
}
API E cudaFree(void* p) {
  LOCK;
  count("free");
  drain_all();
  RET(release(p));
}
API E cudaFreeHost(void* p) {
  LOCK;
  drain_all();
  RET(release(p));
}
API E cudaFreeAsync(void* p, cudaStream_t s) {
  RET(enqueue(s, "free in a stream", [=] { release(p); }));
}
API E cudaMemGetInfo(size_t* f, size_t* t) {
  LOCK;
  *t = capacity;
  *f = capacity - used[device_now];
  RET(0);
}
API E cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind k) {
  RET(copy(to, from, n, k));
}
API E cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind k, cudaStream_t s) {
  RET(copy_async(to, from, n, k, s));
}
API E cudaMemcpyPeer(void* to, int, const void* from, int, size_t n) {
  RET(copy(to, from, n, cudaMemcpyDefault));
}
API E cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t n, cudaStream_t s) {
  RET(copy_async(to, from, n, cudaMemcpyDefault, s));
}
API E cudaMemcpy2DAsync(void* to, size_t tp, const void* from, size_t fp, size_t w, size_t h,
                        cudaMemcpyKind k, cudaStream_t s) {
  for (size_t i = 0; i < h; ++i)
    if (int e = copy_async((char*)to + i * tp, (const char*)from + i * fp, w, k, s)) RET(e);
  RET(0);
}
API E cudaMemset(void* p, int v, size_t n) {
  RET(enqueue(nullptr, "memset", [=] { memset(p, v, n); }));
}
API E cudaMemsetAsync(void* p, int v, size_t n, cudaStream_t s) {
  RET(enqueue(s, "memset", [=] { memset(p, v, n); }));
}
API E cudaMemPrefetchAsync(const void*, size_t, int, cudaStream_t) { RET(0); }
API E cudaMemAdvise(const void*, size_t, cudaMemoryAdvise, int) { RET(0); }
API E cudaDeviceGetDefaultMemPool(cudaMemPool_t* p, int) { return *p = (cudaMemPool_t)1, cudaSuccess; }
API E cudaDeviceGetMemPool(cudaMemPool_t* p, int) { return *p = (cudaMemPool_t)1, cudaSuccess; }
API E cudaDeviceSetMemPool(int, cudaMemPool_t) { RET(0); }
API E cudaMemPoolCreate(cudaMemPool_t* p, const cudaMemPoolProps*) {
  return *p = (cudaMemPool_t)1, cudaSuccess;
}
API E cudaMemPoolDestroy(cudaMemPool_t) { RET(0); }
API E cudaMemPoolTrimTo(cudaMemPool_t, size_t) { RET(0); }
API E cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* v) {
  memset(v, 0, 4);
  RET(0);
}
API E cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { RET(0); }
API E cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p) {
  LOCK;
  memset(a, 0, sizeof *a);
  auto b = find(p);
  a->type = b ? cudaMemoryType(b->type) : cudaMemoryTypeUnregistered;
  a->device = b ? b->device : -2;
  if (b) {
    a->devicePointer = const_cast<void*>(p);
    if (b->type != cudaMemoryTypeDevice) a->hostPointer = const_cast<void*>(p);
  }
  RET(0);
}

// ---- streams and events

API E cudaStreamCreateWithPriority(cudaStream_t* out, unsigned flags, int priority) {
  LOCK;
  auto s = new Stream;
  s->flags = flags;
  s->blocking = !(flags & cudaStreamNonBlocking);
  s->priority = priority;
  s->device = device_now;
  streams.insert(s);
  *out = reinterpret_cast<cudaStream_t>(s);
  RET(0);
}
API E cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) {
  return cudaStreamCreateWithPriority(out, flags, 0);
}
API E cudaStreamCreate(cudaStream_t* out) { return cudaStreamCreateWithPriority(out, 0, 0); }
API E cudaStreamGetFlags(cudaStream_t h, unsigned* f) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  *f = s->flags;
  RET(0);
}
API E cudaStreamGetPriority(cudaStream_t h, int* p) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  *p = s->priority;
  RET(0);
}
API E cudaStreamDestroy(cudaStream_t h) {
  LOCK;
  auto s = of(h);
  if (!s || uintptr_t(h) <= 2) RET(fail(400));
  drain(s);  // (the real one returns at once; what was submitted still runs)
  streams.erase(s);  // events keep its address
  RET(0);
}
API E cudaStreamSynchronize(cudaStream_t s) { RET(synchronize(s, "sync of stream")); }
API E cudaStreamQuery(cudaStream_t h) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  RET(s->done < s->submitted ? 600 : 0);
}
API E cudaStreamAddCallback(cudaStream_t h, cudaStreamCallback_t f, void* user, unsigned) {
  RET(enqueue(h, "callback", [=] { f(h, cudaSuccess, user); }));
}
API E cudaLaunchHostFunc(cudaStream_t h, cudaHostFn_t f, void* user) {
  RET(enqueue(h, "callback", [=] { f(user); }));
}
API E cudaStreamWaitEvent(cudaStream_t h, cudaEvent_t e, unsigned) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  auto event = reinterpret_cast<Event*>(e);
  if (event->capture) {  // the stream takes part in the graph
    s->capture = event->capture;
    RET(0);
  }
  auto from = event->stream;
  auto at = event->at;
  if (!from) RET(0);
  RET(enqueue(h, "wait for event", [=] { drain(from, at); }));
}
API E cudaEventCreateWithFlags(cudaEvent_t* e, unsigned flags) {
  auto event = new Event;
  event->flags = flags;
  *e = reinterpret_cast<cudaEvent_t>(event);
  RET(0);
}
API E cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
API E cudaEventDestroy(cudaEvent_t e) {
  delete reinterpret_cast<Event*>(e);
  RET(0);
}
API E cudaEventRecord(cudaEvent_t e, cudaStream_t h) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  auto event = reinterpret_cast<Event*>(e);
  if (s->capture) {
    event->capture = s->capture;
    RET(0);
  }
  event->capture = nullptr;
  auto when = event->when;
  int code = enqueue(h, "record", [when] {
    *when = std::chrono::duration<double, std::milli>(
                std::chrono::steady_clock::now().time_since_epoch())
                .count();
  });
  event->stream = s;
  event->at = s->submitted;
  RET(code);
}
API E cudaEventQuery(cudaEvent_t e) {
  LOCK;
  auto event = reinterpret_cast<Event*>(e);
  if (event->capture) RET(fail(900));
  RET(event->stream && event->stream->done < event->at ? 600 : 0);
}
API E cudaEventSynchronize(cudaEvent_t e) {
  LOCK;
  count("sync of event");
  auto event = reinterpret_cast<Event*>(e);
  if (event->capture) RET(fail(900));
  if (event->stream) drain(event->stream, event->at);
  RET(0);
}
API E cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  LOCK;
  *ms = float(*reinterpret_cast<Event*>(b)->when - *reinterpret_cast<Event*>(a)->when);
  RET(0);
}

// ---- graphs

API E cudaStreamBeginCapture(cudaStream_t h, cudaStreamCaptureMode) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  if (uintptr_t(h) <= 2 || s->capture) RET(fail(900));
  s->capture = std::make_shared<Graph>();
  s->origin = true;
  s->invalid = false;
  RET(0);
}
API E cudaStreamEndCapture(cudaStream_t h, cudaGraph_t* out) {
  LOCK;
  *out = nullptr;
  auto s = of(h);
  if (!s || !s->capture || !s->origin) RET(fail(1));
  auto graph = s->capture;
  bool invalid = false;
  for (auto other : streams)
    if (other->capture == graph) {
      invalid |= other->invalid;
      other->capture = nullptr;
      other->origin = other->invalid = false;
    }
  if (invalid) RET(fail(901));
  *out = reinterpret_cast<cudaGraph_t>(new std::shared_ptr<Graph>(graph));
  RET(0);
}
API E cudaStreamIsCapturing(cudaStream_t h, cudaStreamCaptureStatus* out) {
  LOCK;
  auto s = of(h);
  if (!s) RET(fail(400));
  *out = !s->capture   ? cudaStreamCaptureStatusNone
         : s->invalid ? cudaStreamCaptureStatusInvalidated
                      : cudaStreamCaptureStatusActive;
  RET(0);
}
API E cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t g, unsigned long long) {
  *out = reinterpret_cast<cudaGraphExec_t>(
      new std::shared_ptr<Graph>(*reinterpret_cast<std::shared_ptr<Graph>*>(g)));
  RET(0);
}
API E cudaGraphDestroy(cudaGraph_t g) {
  delete reinterpret_cast<std::shared_ptr<Graph>*>(g);
  RET(0);
}
API E cudaGraphExecDestroy(cudaGraphExec_t g) {
  delete reinterpret_cast<std::shared_ptr<Graph>*>(g);
  RET(0);
}
API E cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { RET(0); }
API E cudaGraphLaunch(cudaGraphExec_t g, cudaStream_t h) {
  auto graph = *reinterpret_cast<std::shared_ptr<Graph>*>(g);
  RET(enqueue(h, "graph", [graph] {
    for (auto& call : graph->calls) call();
  }));
}
API E cudaProfilerStart() { RET(0); }
API E cudaProfilerStop() { RET(0); }

// ---- threads of a block: fibres, one after the other until all have come to a barrier

struct fc_dim3 {
  unsigned x, y, z;
};
API fc_dim3 fc_threadIdx, fc_blockIdx, fc_blockDim, fc_gridDim;
API char* fc_shared;
fc_dim3 fc_threadIdx, fc_blockIdx, fc_blockDim, fc_gridDim;
char* fc_shared;

extern "C" void fc_switch(void** from, void* to);
asm(R"(
.text
.globl fc_switch
.hidden fc_switch
.type fc_switch,@function
fc_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

namespace {
constexpr size_t STACK = 256 << 10;
enum State { NEW, BLOCK, WARP, DONE };
struct Fibre {
  void* sp;
  State state;
  int stack;
  unsigned long long word[2];  // for its warp to read
};
std::vector<char*> stacks;
Fibre fibres[1024];
void* scheduler;
int running, threads;
void (*kernel)(void**);
void** arguments;

void place(int i) {
  fc_threadIdx.x = i % fc_blockDim.x;
  fc_threadIdx.y = i / fc_blockDim.x % fc_blockDim.y;
  fc_threadIdx.z = i / fc_blockDim.x / fc_blockDim.y;
}

void body() {
  for (;;) {
    kernel(arguments);
    fibres[running].state = DONE;
    fc_switch(&fibres[running].sp, scheduler);
  }
}

void resume(int i) {
  running = i;
  place(i);
  fc_switch(&scheduler, fibres[i].sp);
}

void begin(int i, int stack) {
  while (int(stacks.size()) <= stack)
    stacks.push_back(static_cast<char*>(mmap(nullptr, STACK, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)));
  void** top = reinterpret_cast<void**>(stacks[stack] + STACK) - 3;  // aligned as at a call
  *--top = reinterpret_cast<void*>(&body);
  for (int k = 0; k < 6; ++k) *--top = nullptr;
  fibres[i].sp = top;
  fibres[i].stack = stack;
  resume(i);
}

void run_block() {
  int held = 0;  // stacks of fibres that have not ended
  for (int i = 0; i < threads; ++i) {
    fibres[i].state = NEW;
    begin(i, held);
    held += fibres[i].state != DONE;
  }
  while (held) {
    bool moved = false;
    for (int first = 0; first < threads; first += 32) {
      int last = std::min(first + 32, threads);
      bool all = true, any = false;
      for (int i = first; i < last; ++i) {
        all &= fibres[i].state == WARP || fibres[i].state == DONE;
        any |= fibres[i].state == WARP;
      }
      if (!all || !any) continue;
      for (int i = first; i < last; ++i)
        if (fibres[i].state == WARP) resume(i), held -= fibres[i].state == DONE;
      moved = true;
    }
    if (moved) continue;
    for (int i = 0; i < threads; ++i)
      if (fibres[i].state == WARP) {
        fprintf(stderr, "[fakecuda] threads of a warp wait for others of the block\n");
        abort();
      }
    for (int i = 0; i < threads; ++i)
      if (fibres[i].state == BLOCK) resume(i), held -= fibres[i].state == DONE;
  }
}
}  // namespace

static void wait_for(State s) {
  int me = running;
  fibres[me].state = s;
  fc_switch(&fibres[me].sp, scheduler);
}
API void fc_syncthreads() { wait_for(BLOCK); }
API void fc_syncwarp() { wait_for(WARP); }
API int fc_lane() { return running % 32; }
API void fc_put(const void* p, int n) { memcpy(fibres[running].word, p, n); }
API void fc_get(int lane, void* p, int n) {
  int i = running / 32 * 32 + lane;
  memcpy(p, fibres[i < threads ? i : running].word, n);
}

struct Function {
  void (*call)(void**);
  std::vector<size_t> sizes;
  std::string name;
  int shared = 49152;
};
struct Module {
  void* library;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

static int launch(Function* f, fc_dim3 grid, fc_dim3 block, unsigned shared, void* stream,
                  void** params) {
  size_t n = size_t(block.x) * block.y * block.z;
  if (!n || n > 1024 || block.z > 64 || !grid.x || !grid.y || !grid.z || grid.x > 0x7fffffffu ||
      grid.y > 65535 || grid.z > 65535 || int(shared) > f->shared)
    return fail(1);
  auto data = std::make_shared<std::vector<std::vector<char>>>();
  for (size_t i = 0; i < f->sizes.size(); ++i)
    data->emplace_back((char*)params[i], (char*)params[i] + f->sizes[i]);
  return enqueue(stream, "launch", [=] {
    std::vector<std::vector<char>> copies(*data);
    std::vector<void*> pointers;
    // Aligned, as parameters are.
    std::vector<std::unique_ptr<std::max_align_t[]>> kept;
    for (auto& c : copies) {
      kept.emplace_back(new std::max_align_t[c.size() / sizeof(std::max_align_t) + 1]);
      memcpy(kept.back().get(), c.data(), c.size());
      pointers.push_back(kept.back().get());
    }
    if (trace) fprintf(stderr, "[fakecuda]   %s\n", f->name.c_str());
    std::vector<char> memory(shared + 64);
    fc_shared = reinterpret_cast<char*>((uintptr_t(memory.data()) + 63) / 64 * 64);
    kernel = f->call;
    arguments = pointers.data();
    threads = int(n);
    fc_gridDim = grid;
    fc_blockDim = block;
    for (unsigned z = 0; z < grid.z; ++z)
      for (unsigned y = 0; y < grid.y; ++y)
        for (unsigned x = 0; x < grid.x; ++x) {
          fc_blockIdx = {x, y, z};
          if (shared) memset(fc_shared, 0xA7, shared);
          run_block();
        }
  });
}

// ---- the driver

API int cuInit(unsigned) { return 0; }
API int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
API int cuCtxGetCurrent(void** c) { return *c = (void*)(uintptr_t)(device_now + 1), 0; }
API int cuCtxSetCurrent(void* c) { return device_now = c ? int(uintptr_t(c)) - 1 : 0, 0; }
API int cuCtxCreate_v2(void** c, unsigned, int d) { return *c = (void*)(uintptr_t)(d + 1), 0; }
API int cuCtxDestroy_v2(void*) { return 0; }
API int cuCtxGetDevice(int* d) { return *d = device_now, 0; }
API int cuStreamGetCtx(void* s, void** c) {
  LOCK;
  auto found = of(s);
  return found ? (*c = (void*)(uintptr_t)(found->device + 1), 0) : 400;
}

// A "cubin" is a mark, the size, and a shared library.
API int cuModuleLoadData(void** out, const void* image) {
  LOCK;
  auto p = static_cast<const char*>(image);
  if (memcmp(p, "FAKECUDA", 8)) return 200;
  uint64_t size;
  memcpy(&size, p + 8, 8);
  // (By another name each time: dlopen knows libraries by theirs.)
  char path[] = "/dev/shm/fakecuda-kernel-XXXXXX";
  int fd = mkstemp(path);
  for (uint64_t at = 0; at < size;) at += write(fd, p + 16 + at, size - at);
  close(fd);
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  unlink(path);
  if (!library) {
    fprintf(stderr, "[fakecuda] %s\n", dlerror());
    return 200;
  }
  *out = new Module{library, {}};
  count("module");
  return 0;
}
API int cuModuleLoad(void** out, const char* path) {
  FILE* f = fopen(path, "rb");
  if (!f) return 301;
  std::string data;
  char part[65536];
  for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) data.append(part, n);
  fclose(f);
  return cuModuleLoadData(out, data.data());
}
API int cuModuleUnload(void* m) {
  LOCK;
  // Queued launches may still need it; the library stays.
  return 0;
}
API int cuModuleGetFunction(void** out, void* m, const char* name) {
  LOCK;
  auto module = static_cast<Module*>(m);
  auto& f = module->functions[name];
  if (!f) {
    auto call = dlsym(module->library, (std::string("fc_call_") + name).c_str());
    auto sizes = static_cast<size_t*>(
        dlsym(module->library, (std::string("fc_sizes_") + name).c_str()));
    if (!call || !sizes) {
      module->functions.erase(name);
      return 500;
    }
    f.reset(new Function{reinterpret_cast<void (*)(void**)>(call), {}, name});
    for (size_t i = 0; i < sizes[0]; ++i) f->sizes.push_back(sizes[i + 1]);
  }
  *out = f.get();
  return 0;
}
API int cuModuleGetGlobal_v2(void** p, size_t* n, void* m, const char* name) {
  *p = dlsym(static_cast<Module*>(m)->library, name);
  if (n) *n = 0;
  return *p ? 0 : 500;
}
API int cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                       unsigned bz, unsigned shared, void* s, void** params, void**) {
  LOCK;
  return launch(static_cast<Function*>(f), {gx, gy, gz}, {bx, by, bz}, shared, s, params);
}
API int cuLaunchCooperativeKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                                  unsigned by, unsigned bz, unsigned shared, void* s, void** p) {
  return cuLaunchKernel(f, gx, gy, gz, bx, by, bz, shared, s, p, nullptr);
}
API int cuFuncGetAttribute(int* v, int a, void* f) {
  *v = a == 0 ? 1024 : a == 8 ? static_cast<Function*>(f)->shared : 0;
  return 0;
}
API int cuFuncSetAttribute(void* f, int a, int v) {
  if (a == 8) static_cast<Function*>(f)->shared = v;
  return 0;
}
API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* n, void*, int, size_t) { return *n = 2, 0; }
API int cuOccupancyMaxPotentialBlockSize(int* g, int* b, void*, void*, size_t, int limit) {
  *g = 8;
  *b = limit && limit < 256 ? limit : 256;
  return 0;
}
