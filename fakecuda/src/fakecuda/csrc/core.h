// What all parts of the stand-in share: streams, the lock, counters, and what kernels rely on.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

// Everything is hidden except the functions that CuPy, a kernel or the Python side calls.
#define EXPORT __attribute__((visibility("default")))
#define C_API extern "C" EXPORT

namespace fakecuda {

// Work that a stream runs later, in the order of submission. Device memory may be read or written
// only inside a task: everywhere else it is closed, and touching it ends the process.
using Task = std::function<void()>;

// One lock for all state: calls come from any thread.
extern std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

// Puts `task` at the end of the stream with this handle; `what` is the counter that it raises.
// Returns 0, or the code of the runtime's error. A task that touches bad memory is stopped at that
// place (no destructors run), and the device then returns cudaErrorIllegalAddress from every call.
int enqueue(void* stream, const char* what, Task task);

// Runs all that the stream holds; an error if the stream is being captured.
int synchronize(void* stream, const char* what);

// Whether work submitted to this stream is recorded into a graph. Libraries that would have to wait
// or to allocate refuse such a stream.
bool is_capturing(void* stream);

// Raises a counter by one: "launch", "copy to host", "sync of stream", ...
void count(const char* what);

// The device that is current in this thread.
int current_device();

// The compute capability that the devices claim, times ten: FAKECUDA_ARCH, 90 if it is not set.
int compute_capability();

// Whether FAKECUDA_STRICT=1 is set.
bool strict();

// Ends the task that is running as a fault of the GPU ends a kernel: the message goes to stderr
// with the kernel's name, block and thread, and `code` (a cudaError_t) becomes the error that every
// later call on this device returns. It may be called only inside a task.
[[noreturn]] void device_fault(int code, const char* message);

}  // namespace fakecuda

// ---- The contract between the library and compiled kernels
//
// An image for cuModuleLoadData is "FAKECUDA", the size as 8 bytes, and a shared library. For each
// kernel NAME the library exports
//   void fakecuda_call_NAME(void** arguments)   calls the kernel, with a pointer to each argument
//   size_t fakecuda_sizes_NAME[]                the number of arguments, then the size of each
// and it uses, by name, what fibres.cpp exports (fakecuda_threadIdx, fakecuda_syncthreads, ...).
//
// Static __shared__ variables may be put into the section FAKECUDA_SHARED_SECTION: then they count
// towards the limit of 48 KiB, and each block finds garbage in them.
//
// With FAKECUDA_STRICT=1 kernels are compiled with -fsanitize=alignment -fsanitize-recover=all (and
// kept apart in the kernel cache). Its handler, __ubsan_handle_type_mismatch_v1, is in faults.cpp:
// a misaligned access is cudaErrorMisalignedAddress, as on a GPU. For that, vector types need
// CUDA's alignment (float2 and int2 8 bytes, double2 and float4 16).
#define FAKECUDA_SHARED_SECTION "fakecuda_shared"

// For `assert` and `__trap` in kernels: fakecuda_device_fault(710 /* cudaErrorAssert */, "text").
extern "C" [[noreturn]] void fakecuda_device_fault(int code, const char* message);
