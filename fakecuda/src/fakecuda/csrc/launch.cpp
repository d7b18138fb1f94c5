// Launches, and what functions say about themselves.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "errors.h"
#include "fibres.h"
#include "modules.h"
#include "settings.h"
#include "streams.h"

using namespace fakecuda;

namespace {

constexpr size_t kSharedAlignment = 128;

// The arguments of a launch: copies, each aligned as any type needs it.
class Arguments {
 public:
  Arguments(const Function& function, void** values) {
    size_t total = 0;
    for (size_t size : function.sizes) {
      offsets_.push_back(total);
      total += (size + sizeof(Unit) - 1) / sizeof(Unit) * sizeof(Unit);
    }
    data_.resize(total / sizeof(Unit));
    for (size_t i = 0; i < offsets_.size(); ++i) memcpy(at(i), values[i], function.sizes[i]);
  }

  // (Kernels take their parameters by value: what is here stays.)
  std::vector<void*> pointers() const {
    std::vector<void*> all;
    for (size_t i = 0; i < offsets_.size(); ++i) all.push_back(at(i));
    return all;
  }

 private:
  struct alignas(16) Unit {
    char bytes[16];
  };
  void* at(size_t i) const {
    return reinterpret_cast<char*>(const_cast<Unit*>(data_.data())) + offsets_[i];
  }

  std::vector<size_t> offsets_;
  std::vector<Unit> data_;
};

struct Launch {
  const Function* function;
  Dim3 grid, block;
  size_t shared;
  Arguments arguments;
};

void run(const Launch& launch) {
  if (!launch.function->call) return;
  std::vector<void*> pointers = launch.arguments.pointers();
  std::unique_ptr<char, decltype(&free)> shared(
      static_cast<char*>(aligned_alloc(
          kSharedAlignment, (launch.shared / kSharedAlignment + 1) * kSharedAlignment)),
      free);
  const Module& module = *launch.function->module;
  Grid grid = {launch.function->name.c_str(), launch.function->call, pointers.data(), launch.grid,
               launch.block, shared.get(), launch.shared, module.static_shared,
               module.static_shared_size};
  run_grid(grid);
}

bool fits(const Dim3& grid, const Dim3& block) {
  size_t threads = size_t(block.x) * block.y * block.z;
  return threads && threads <= limits::kThreadsPerBlock && block.x <= limits::kThreadsPerBlock &&
         block.y <= limits::kThreadsPerBlock && block.z <= limits::kBlockZ && grid.x && grid.y &&
         grid.z && grid.x <= limits::kGridX && grid.y <= limits::kGridYZ &&
         grid.z <= limits::kGridYZ;
}

int launch(Function& function, Dim3 grid, Dim3 block, size_t shared, void* handle, void** values) {
  auto stream = find_stream(handle);
  // A kernel runs on the device of its module, which is current, and in a stream of it.
  if (!stream || stream->device != current_device() ||
      function.module->device != current_device())
    return cudaErrorInvalidResourceHandle;
  if (!fits(grid, block) || shared > size_t(function.max_dynamic_shared))
    return cudaErrorInvalidValue;
  if (!function.sizes.empty() && !values) return cudaErrorInvalidValue;
  count("launch");
  if (settings.trace) fprintf(stderr, "[fakecuda]   %s\n", function.name.c_str());
  Launch prepared = {&function, grid, block, shared, Arguments(function, values)};
  return submit(stream, [prepared = std::move(prepared)] { run(prepared); },
                function.name.c_str());
}

}  // namespace

C_API int cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                         unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                         void* stream, void** arguments, void**) {
  return driver_call([&] {
    return launch(*static_cast<Function*>(function), {grid_x, grid_y, grid_z},
                  {block_x, block_y, block_z}, shared, stream, arguments);
  });
}

C_API int cuLaunchCooperativeKernel(void* function, unsigned grid_x, unsigned grid_y,
                                    unsigned grid_z, unsigned block_x, unsigned block_y,
                                    unsigned block_z, unsigned shared, void* stream,
                                    void** arguments) {
  return cuLaunchKernel(function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream,
                        arguments, nullptr);
}

// The numbers of CUfunction_attribute.
namespace {
enum Attribute {
  kMaxThreadsPerBlock = 0,
  kSharedSize = 1,
  kNumberOfRegisters = 4,
  kPtxVersion = 5,
  kBinaryVersion = 6,
  kMaxDynamicSharedSize = 8,
};
}  // namespace

C_API int cuFuncGetAttribute(int* out, int attribute, void* handle) {
  return driver_call([&] {
    auto& function = *static_cast<Function*>(handle);
    switch (attribute) {
      case kMaxThreadsPerBlock:
        *out = limits::kThreadsPerBlock;
        break;
      case kSharedSize:
        *out = int(function.module->static_shared_size);
        break;
      case kNumberOfRegisters:
        *out = 32;
        break;
      case kPtxVersion:
      case kBinaryVersion:
        *out = settings.arch;
        break;
      case kMaxDynamicSharedSize:
        *out = function.max_dynamic_shared;
        break;
      default:
        *out = 0;
    }
    return 0;
  });
}

C_API int cuFuncSetAttribute(void* handle, int attribute, int value) {
  return driver_call([&]() -> int {
    auto& function = *static_cast<Function*>(handle);
    if (attribute != kMaxDynamicSharedSize) return 0;
    int fixed = int(function.module->static_shared_size);
    if (value < 0 || value > limits::kSharedPerBlockOptin - fixed) return cudaErrorInvalidValue;
    function.max_dynamic_shared = value;
    return 0;
  });
}

C_API cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void*) {
  *out = {};
  out->maxThreadsPerBlock = limits::kThreadsPerBlock;
  out->binaryVersion = out->ptxVersion = settings.arch;
  return cudaSuccess;
}

C_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* out, void*, int block_size, size_t) {
  if (block_size <= 0) return cudaErrorInvalidValue;
  *out = std::min(limits::kThreadsPerMultiprocessor / block_size, 32);
  return 0;
}

C_API int cuOccupancyMaxPotentialBlockSize(int* grid_size, int* block_size, void*, void*, size_t,
                                           int limit) {
  constexpr int kBlockSize = 256;
  *block_size = limit > 0 ? std::min(limit, kBlockSize) : kBlockSize;
  *grid_size = limits::kMultiprocessors * limits::kThreadsPerMultiprocessor / *block_size;
  return 0;
}

C_API int cuStreamGetCtx(void* handle, void** out) {
  return driver_call([&]() -> int {
    auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    *out = reinterpret_cast<void*>(uintptr_t(stream->device) + 1);
    return 0;
  });
}
