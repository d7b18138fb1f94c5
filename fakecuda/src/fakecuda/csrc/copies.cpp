// Copies and fills.
#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <vector>

#include "device_memory.h"
#include "errors.h"
#include "settings.h"
#include "streams.h"

using namespace fakecuda;

namespace {

// Rows of bytes; a plain copy has one.
struct Rows {
  void* to;
  const void* from;
  size_t to_pitch, from_pitch;
  size_t width, height;
};

char* row(void* start, size_t pitch, size_t i) { return static_cast<char*>(start) + i * pitch; }
const char* row(const void* start, size_t pitch, size_t i) {
  return static_cast<const char*>(start) + i * pitch;
}

void copy_rows(const Rows& rows) {
  for (size_t i = 0; i < rows.height; ++i)
    memmove(row(rows.to, rows.to_pitch, i), row(rows.from, rows.from_pitch, i), rows.width);
}

// From the first byte to the last one.
size_t span(size_t pitch, const Rows& rows) { return pitch * (rows.height - 1) + rows.width; }

// One side of a copy.
struct Side {
  const Block* block;  // null for pageable memory
  bool in_bounds;

  Side(const void* start, size_t size) : block(find_block(start)) {
    in_bounds = !block || uintptr_t(start) + size <= block->address + block->size;
  }
  bool pageable() const { return !block; }
  bool on_device() const {
    return block && block->kind != MemoryKind::kPinned && block->kind != MemoryKind::kRegistered;
  }
  bool on_host() const {
    return !block || block->kind == MemoryKind::kManaged || !on_device();
  }
};

bool kind_fits(cudaMemcpyKind kind, const Side& to, const Side& from) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return to.on_host() && from.on_host();
    case cudaMemcpyHostToDevice:
      return to.on_device() && from.on_host();
    case cudaMemcpyDeviceToHost:
      return to.on_host() && from.on_device();
    case cudaMemcpyDeviceToDevice:
      return to.on_device() && from.on_device();
    default:
      return kind == cudaMemcpyDefault;
  }
}

const char* direction(const Side& to, const Side& from) {
  if (from.on_device()) return to.on_device() ? "copy on device" : "copy to host";
  return to.on_device() ? "copy to device" : "copy on host";
}

// The rows as they are now.
std::shared_ptr<std::vector<char>> packed(const Rows& rows) {
  auto data = std::make_shared<std::vector<char>>(rows.width * rows.height);
  copy_rows({data->data(), rows.from, rows.width, rows.from_pitch, rows.width, rows.height});
  return data;
}

int copy(const Rows& rows, cudaMemcpyKind kind, const StreamPtr& stream) {
  if (!rows.width || !rows.height) return 0;
  if (rows.height > 1 && (rows.to_pitch < rows.width || rows.from_pitch < rows.width))
    return cudaErrorInvalidPitchValue;
  Side to(rows.to, span(rows.to_pitch, rows)), from(rows.from, span(rows.from_pitch, rows));
  if (!kind_fits(kind, to, from) || !to.in_bounds || !from.in_bounds) return cudaErrorInvalidValue;
  const char* what = direction(to, from);
  count(what);
  // Pageable memory is copied by the CPU, which cannot be recorded.
  if (to.pageable() || from.pageable())
    if (int code = refuse_capturing(*stream)) return code;
  // The stream may come to it late: what is in pageable memory is read now, as CUDA stages it.
  Task task = [rows] {
    DeviceAccess access(DeviceAccess::kAllDevices);
    copy_rows(rows);
  };
  if (from.pageable() && settings.late)
    task = [rows, data = packed(rows)] {
      DeviceAccess access(DeviceAccess::kAllDevices);
      copy_rows({rows.to, data->data(), rows.to_pitch, rows.width, rows.width, rows.height});
    };
  if (int code = submit(stream, std::move(task), what)) return code;
  // A copy to pageable memory is there when the call returns.
  if (to.pageable()) {
    count("sync by copy to pageable memory");
    drain(stream);
    return device_error(stream->device);
  }
  return 0;
}

cudaError_t copy_async(const Rows& rows, cudaMemcpyKind kind, cudaStream_t handle) {
  return runtime_call([&]() -> int {
    auto stream = find_stream(handle);
    return stream ? copy(rows, kind, stream) : cudaErrorInvalidResourceHandle;
  });
}

// In the null stream; the host waits, except for copies from device to device.
cudaError_t copy_now(const Rows& rows, cudaMemcpyKind kind) {
  return runtime_call([&]() -> int {
    auto stream = find_stream(nullptr);
    if (int code = refuse_implicit(stream->device)) return code;
    if (int code = refuse_unsafe()) return code;
    if (int code = copy(rows, kind, stream)) return code;
    if (Side(rows.to, 1).on_device() && Side(rows.from, 1).on_device()) return 0;
    count("sync by memcpy");
    drain(stream);
    return device_error(stream->device);
  });
}

Rows bytes(void* to, const void* from, size_t size) { return {to, from, size, size, size, 1}; }

int fill(void* address, int value, size_t size, const StreamPtr& stream) {
  if (!size) return 0;
  Side side(address, size);
  if (side.pageable() || !side.in_bounds) return cudaErrorInvalidValue;
  count("memset");
  Task task = [=] {
    DeviceAccess access(DeviceAccess::kAllDevices);
    memset(address, value, size);
  };
  return submit(stream, std::move(task), "memset");
}

}  // namespace

C_API cudaError_t cudaMemcpy(void* to, const void* from, size_t size, cudaMemcpyKind kind) {
  return copy_now(bytes(to, from, size), kind);
}
C_API cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t size, cudaMemcpyKind kind,
                                  cudaStream_t stream) {
  return copy_async(bytes(to, from, size), kind, stream);
}
C_API cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                               size_t width, size_t height, cudaMemcpyKind kind) {
  return copy_now({to, from, to_pitch, from_pitch, width, height}, kind);
}
C_API cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                    size_t width, size_t height, cudaMemcpyKind kind,
                                    cudaStream_t stream) {
  return copy_async({to, from, to_pitch, from_pitch, width, height}, kind, stream);
}

// Copies between devices need no peer access: without it they go through the host.
C_API cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device,
                                 size_t size) {
  if (!is_device(to_device) || !is_device(from_device))
    return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  return copy_now(bytes(to, from, size), cudaMemcpyDeviceToDevice);
}
C_API cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device,
                                      size_t size, cudaStream_t stream) {
  if (!is_device(to_device) || !is_device(from_device))
    return static_cast<cudaError_t>(remember(cudaErrorInvalidDevice));
  return copy_async(bytes(to, from, size), cudaMemcpyDeviceToDevice, stream);
}

C_API cudaError_t cudaMemset(void* address, int value, size_t size) {
  return runtime_call([&]() -> int {
    if (int code = refuse_unsafe()) return code;
    return fill(address, value, size, find_stream(nullptr));
  });
}
C_API cudaError_t cudaMemsetAsync(void* address, int value, size_t size, cudaStream_t handle) {
  return runtime_call([&]() -> int {
    auto stream = find_stream(handle);
    return stream ? fill(address, value, size, stream) : cudaErrorInvalidResourceHandle;
  });
}
