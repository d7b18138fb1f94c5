// What the parts of the stand-in share: streams, the lock, and the counters that tests read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

// Everything is hidden but the functions that CuPy, a kernel or the Python side calls.
#define EXPORT __attribute__((visibility("default")))
#define C_API extern "C" EXPORT

namespace fakecuda {

// Work that a stream runs later, in the order of submission. Only inside a task may device memory
// be read or written.
using Task = std::function<void()>;

// One lock for all state: calls come from any thread.
extern std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

// Puts `task` at the end of the stream with this handle; `what` is the counter that it raises.
// Returns 0, or the code of the runtime's error.
int enqueue(void* stream, const char* what, Task task);

// Runs all that the stream holds; an error if the stream is being captured.
int synchronize(void* stream, const char* what);

// Raises a counter by one: "launch", "copy to host", "sync of stream", ...
void count(const char* what);

// The device that is current in this thread.
int current_device();

}  // namespace fakecuda
