// Streams, events, and what is recorded from them.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "errors.h"

namespace fakecuda {

struct Node {
  Task task;
  std::string label;
  int device;
  std::vector<int> after;  // the nodes that it depends on
};

// Nodes stand in the order of capture, in which they may be run.
struct Graph {
  std::vector<Node> nodes;
  std::vector<void*> allocations;  // by cudaMallocAsync during the capture
  ~Graph();
};

// From cudaStreamBeginCapture to cudaStreamEndCapture.
struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  void* origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread = std::this_thread::get_id();
  bool invalid = false;
  bool ended = false;
};

struct Stream {
  uint64_t serial = 0;  // the order of creation
  int device = 0;
  bool legacy = false;   // the null stream of its device
  bool blocking = true;   // in order with the null stream
  bool destroyed = false;
  unsigned flags = 0;
  int priority = 0;
  std::deque<Task> waiting;
  uint64_t submitted = 0, done = 0;
  std::shared_ptr<Capture> capture;  // while it is captured
  std::vector<int> last_nodes;       // of the graph: what its next node depends on
};
using StreamPtr = std::shared_ptr<Stream>;

// Called after each wait of the host: pools give memory back.
void after_wait();

// The stream with this handle; null if there is none. Handles 0 and 1 are the null stream of the
// current device, 2 is the stream of the current thread.
StreamPtr find_stream(void* handle);

// The body of a call of the runtime about one stream.
template <class Body>
cudaError_t stream_call(void* handle, Body body) {
  return runtime_call([&]() -> int {
    auto stream = find_stream(handle);
    return stream ? body(stream) : cudaErrorInvalidResourceHandle;
  });
}

// All streams in the order of creation, destroyed ones that still have work included.
std::vector<StreamPtr> all_streams();

// Puts a task at the end of a stream, or of the graph that is captured from it.
int submit(const StreamPtr& stream, Task task, const char* label);

// Runs what a stream, or all streams of a device, hold.
void drain(const StreamPtr& stream, uint64_t until);
void drain(const StreamPtr& stream);
void drain_device(int device);

// ---- what a capture forbids; each returns 0 or the error, and has made the capture invalid

// A call that waits for this stream.
int refuse_capturing(Stream& stream);

// A use of the null stream while a stream that is ordered with it is captured.
int refuse_implicit(int device);

// A call that CUDA names potentially unsafe (cudaMalloc, cudaMemcpy, ...): whether it is forbidden
// depends on the modes of captures.
int refuse_unsafe();

}  // namespace fakecuda
