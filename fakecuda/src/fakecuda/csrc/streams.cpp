// Streams are queues. Normally a task runs at once when it is submitted. With FAKECUDA_LAZY=1, or
// fakecuda_set_late(1), it runs when something waits for it, and not before: whoever forgets to
// wait, or to order two streams, reads what was there before.
#include "streams.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "device_memory.h"
#include "errors.h"
#include "faults.h"
#include "settings.h"

namespace fakecuda {
namespace {

std::map<void*, StreamPtr> streams;
StreamPtr null_streams[kMaxDevices];

StreamPtr add_stream(int device) {
  static uint64_t serial = 0;
  auto stream = std::make_shared<Stream>();
  stream->serial = ++serial;
  stream->device = device;
  streams[stream.get()] = stream;
  return stream;
}

StreamPtr null_stream(int device) {
  auto& stream = null_streams[device];
  if (!stream) {
    stream = add_stream(device);
    stream->legacy = true;
  }
  return stream;
}

// The stream cudaStreamPerThread of this thread: an ordinary one that blocks.
StreamPtr thread_stream(int device) {
  static thread_local StreamPtr mine[kMaxDevices];
  if (!mine[device]) mine[device] = add_stream(device);
  return mine[device];
}

bool is_built_in(void* handle) { return uintptr_t(handle) <= 2; }

// A place in a stream to wait for.
struct Mark {
  StreamPtr stream;
  uint64_t at;
};

// What a task of this stream waits for because of CUDA's rules about the null stream: it comes
// after all that is in the blocking streams of its device, and they come after it.
std::vector<Mark> implicit_dependencies(const Stream& stream) {
  std::vector<Mark> marks;
  if (!stream.blocking) return marks;
  for (auto& [handle, other] : streams)
    if (other->device == stream.device && other->blocking && other->legacy != stream.legacy &&
        other->done < other->submitted)
      marks.push_back({other, other->submitted});
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
    return a.stream->serial < b.stream->serial;
  });
  return marks;
}

void record_node(Stream& stream, Task task, const char* label) {
  auto& nodes = stream.capture->graph->nodes;
  nodes.push_back({std::move(task), label, stream.device, stream.last_nodes});
  stream.last_nodes = {int(nodes.size()) - 1};
}

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

// Whether a capture forbids this thread potentially unsafe calls.
bool forbids_unsafe(const Capture& capture) {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return false;
  if (capture.thread == std::this_thread::get_id())
    return capture.mode != cudaStreamCaptureModeRelaxed;
  return thread_mode == cudaStreamCaptureModeGlobal && capture.mode == cudaStreamCaptureModeGlobal;
}

}  // namespace

StreamPtr find_stream(void* handle) {
  if (handle == cudaStreamPerThread) return thread_stream(current_device());
  if (is_built_in(handle)) return null_stream(current_device());
  auto found = streams.find(handle);
  return found == streams.end() || found->second->destroyed ? nullptr : found->second;
}

std::vector<StreamPtr> all_streams() {
  std::vector<StreamPtr> all;
  for (auto& [handle, stream] : streams) all.push_back(stream);
  std::sort(all.begin(), all.end(), [](const StreamPtr& a, const StreamPtr& b) {
    return a->serial < b->serial;
  });
  return all;
}

void drain(const StreamPtr& stream, uint64_t until) {
  if (stream->done < until && !stream->waiting.empty()) {
    DeviceAccess access(stream->device);
    while (stream->done < until && !stream->waiting.empty()) {
      Task task = std::move(stream->waiting.front());
      stream->waiting.pop_front();
      if (!device_error(stream->device)) {
        int code = run_guarded(task);
        if (code) set_device_error(stream->device, code);
      }
      ++stream->done;
    }
  }
  if (stream->destroyed && stream->waiting.empty()) streams.erase(stream.get());
}

void drain(const StreamPtr& stream) { drain(stream, stream->submitted); }

void drain_device(int device) {
  for (auto& stream : all_streams())
    if (stream->device == device) drain(stream);
}

int submit(const StreamPtr& stream, Task task, const char* label) {
  if (stream->capture) {
    if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
    record_node(*stream, std::move(task), label);
    return 0;
  }
  if (stream->legacy)
    if (int code = refuse_implicit(stream->device)) return code;
  auto marks = implicit_dependencies(*stream);
  if (!marks.empty())
    task = [marks = std::move(marks), task = std::move(task)] {
      for (auto& mark : marks) drain(mark.stream, mark.at);
      task();
    };
  ++stream->submitted;
  stream->waiting.push_back(std::move(task));
  if (!settings.late) drain(stream);
  return 0;
}

int enqueue(void* handle, const char* what, Task task) {
  Lock lock(mutex);
  count(what);
  auto stream = find_stream(handle);
  if (!stream) return remember(cudaErrorInvalidResourceHandle);
  if (int code = device_error(stream->device)) return remember(code);
  return remember(submit(stream, std::move(task), what));
}

int synchronize(void* handle, const char* what) {
  Lock lock(mutex);
  count(what);
  auto stream = find_stream(handle);
  if (!stream) return remember(cudaErrorInvalidResourceHandle);
  if (int code = refuse_capturing(*stream)) return remember(code);
  if (int code = refuse_unsafe()) return remember(code);
  if (stream->legacy) {
    if (int code = refuse_implicit(stream->device)) return remember(code);
    for (auto& mark : implicit_dependencies(*stream)) drain(mark.stream, mark.at);
  }
  drain(stream);
  after_wait();
  return remember(device_error(stream->device));
}

bool is_capturing(void* handle) {
  Lock lock(mutex);
  auto stream = find_stream(handle);
  return stream && stream->capture;
}

int refuse_capturing(Stream& stream) {
  if (!stream.capture) return 0;
  stream.capture->invalid = true;
  return cudaErrorStreamCaptureUnsupported;
}

int refuse_implicit(int device) {
  int code = 0;
  for (auto& [handle, stream] : streams)
    if (stream->capture && stream->blocking && stream->device == device) {
      stream->capture->invalid = true;
      code = cudaErrorStreamCaptureImplicit;
    }
  return code;
}

int refuse_unsafe() {
  int code = 0;
  for (auto& [handle, stream] : streams)
    if (stream->capture && forbids_unsafe(*stream->capture)) {
      stream->capture->invalid = true;
      code = cudaErrorStreamCaptureUnsupported;
    }
  return code;
}

}  // namespace fakecuda

using namespace fakecuda;

// ---- for tests

// Switches late streams on or off; what is pending runs before.
C_API void fakecuda_set_late(int on) {
  Lock lock(mutex);
  for (auto& stream : all_streams()) drain(stream);
  settings.late = on;
}

// How many tasks have been submitted and not been run.
C_API long fakecuda_pending() {
  Lock lock(mutex);
  long pending = 0;
  for (auto& stream : all_streams()) pending += long(stream->submitted - stream->done);
  return pending;
}

// ---- streams

C_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t* out, unsigned flags, int priority) {
  return runtime_call([&]() -> int {
    if (flags & ~unsigned(cudaStreamNonBlocking)) return cudaErrorInvalidValue;
    auto stream = add_stream(current_device());
    stream->flags = flags;
    stream->blocking = !(flags & cudaStreamNonBlocking);
    stream->priority = std::clamp(priority, -5, 0);
    *out = reinterpret_cast<cudaStream_t>(stream.get());
    return 0;
  });
}
C_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) {
  return cudaStreamCreateWithPriority(out, flags, 0);
}
C_API cudaError_t cudaStreamCreate(cudaStream_t* out) {
  return cudaStreamCreateWithPriority(out, cudaStreamDefault, 0);
}

C_API cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

C_API cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  return stream_call(handle, [&](const StreamPtr& stream) {
    *flags = stream->flags;
    return 0;
  });
}
C_API cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  return stream_call(handle, [&](const StreamPtr& stream) {
    *priority = stream->priority;
    return 0;
  });
}

// What has been submitted still runs, when something waits for the device.
C_API cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    if (is_built_in(handle)) return cudaErrorInvalidResourceHandle;
    if (stream->capture) stream->capture->invalid = true;
    stream->destroyed = true;
    drain(stream, 0);
    return 0;
  });
}

C_API cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return static_cast<cudaError_t>(synchronize(handle, "sync of stream"));
}

namespace {
// An answer to "is it done?". Late streams make a step with each question, for loops that poll.
int query(const StreamPtr& stream, uint64_t until) {
  if (stream->done >= until) return device_error(stream->device);
  drain(stream, stream->done + 1);
  return cudaErrorNotReady;
}
}  // namespace

// (CuPy asks with the GIL held, and a stream that has come to a Python function needs the GIL while
// it holds the lock: so a question does not wait for the lock.)
C_API cudaError_t cudaStreamQuery(cudaStream_t handle) {
  std::unique_lock<std::recursive_mutex> lock(mutex, std::try_to_lock);
  if (!lock) return cudaErrorNotReady;
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    if (int code = refuse_capturing(*stream)) return code;
    if (int code = refuse_unsafe()) return code;
    if (stream->legacy) {
      if (int code = refuse_implicit(stream->device)) return code;
      for (auto& mark : implicit_dependencies(*stream)) return query(mark.stream, mark.at);
    }
    return query(stream, stream->submitted);
  });
}

namespace {
// Functions of the host run with device memory closed, and may not be left by a fault.
template <class Call>
Task host_task(Call call) {
  return [call] {
    HostCode closed;
    Unguarded unguarded;
    call();
  };
}
}  // namespace

C_API cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t function,
                                        void* data, unsigned) {
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    count("callback");
    if (int code = refuse_capturing(*stream)) return code;
    return submit(stream, host_task([=] { function(handle, cudaSuccess, data); }), "callback");
  });
}
C_API cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  return stream_call(handle, [&](const StreamPtr& stream) {
    count("callback");
    return submit(stream, host_task([=] { function(data); }), "callback");
  });
}

C_API cudaError_t cudaDeviceSynchronize() {
  return runtime_call([]() -> int {
    count("sync of device");
    int device = current_device(), code = 0;
    for (auto& stream : all_streams())
      if (stream->device == device && !code) code = refuse_capturing(*stream);
    if (!code) code = refuse_unsafe();
    if (code) return code;
    drain_device(device);
    after_wait();
    return device_error(device);
  });
}

// ---- events

namespace {

struct Event {
  int device;
  unsigned flags;
  StreamPtr stream;  // of the last record; null before it
  uint64_t at = 0;
  std::shared_ptr<double> time;      // in milliseconds, when the record has run
  std::shared_ptr<Capture> capture;  // if the last record was in a captured stream
  std::vector<int> nodes;            // of that graph: what the event stands for
};

std::map<void*, std::unique_ptr<Event>> events;

template <class Body>
cudaError_t event_call(cudaEvent_t handle, Body body) {
  return runtime_call([&]() -> int {
    auto found = events.find(handle);
    return found == events.end() ? cudaErrorInvalidResourceHandle : body(*found->second);
  });
}

double now() {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return Milliseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void invalidate(const std::shared_ptr<Capture>& capture) {
  if (capture) capture->invalid = true;
}

// A query of an event that was recorded in a capture, or one that a capture forbids.
int refuse_question(Event& event) {
  if (event.capture) {
    invalidate(event.capture);
    return cudaErrorCapturedEvent;
  }
  return refuse_unsafe();
}

// The stream becomes part of the capture in which the event was recorded.
int join_capture(Stream& stream, Event& event) {
  auto& capture = event.capture;
  if (capture->ended) return cudaErrorCapturedEvent;
  if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream.legacy) {  // it cannot be captured
    invalidate(capture);
    return cudaErrorStreamCaptureUnsupported;
  }
  if (stream.capture && stream.capture != capture) {
    invalidate(capture);
    invalidate(stream.capture);
    return cudaErrorStreamCaptureMerge;
  }
  if (!stream.capture) stream.last_nodes.clear();
  stream.capture = capture;
  for (int node : event.nodes)
    if (std::find(stream.last_nodes.begin(), stream.last_nodes.end(), node) ==
        stream.last_nodes.end())
      stream.last_nodes.push_back(node);
  return 0;
}

}  // namespace

C_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags) {
  return runtime_call([&] {
    auto event = std::make_unique<Event>();
    event->device = current_device();
    event->flags = flags;
    *out = reinterpret_cast<cudaEvent_t>(event.get());
    events[event.get()] = std::move(event);
    return 0;
  });
}
C_API cudaError_t cudaEventCreate(cudaEvent_t* out) {
  return cudaEventCreateWithFlags(out, cudaEventDefault);
}
C_API cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return event_call(handle, [&](Event&) {
    events.erase(handle);
    return 0;
  });
}

C_API cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream_handle,
                                           unsigned) {
  return event_call(handle, [&](Event& event) -> int {
    count("record");
    auto stream = find_stream(stream_handle);
    if (!stream || stream->device != event.device) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
      if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
      event.capture = stream->capture;
      event.nodes = stream->last_nodes;
      return 0;
    }
    auto time = std::make_shared<double>(0);
    if (int code = submit(stream, [time] { *time = now(); }, "record")) return code;
    event.capture = nullptr;
    event.time = time;
    event.stream = stream;
    event.at = stream->submitted;
    return 0;
  });
}
C_API cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  return cudaEventRecordWithFlags(handle, stream, 0);
}

C_API cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned) {
  return event_call(event_handle, [&](Event& event) -> int {
    auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (event.capture) return join_capture(*stream, event);
    if (!event.stream) return 0;
    if (stream->capture) {  // it may not depend on what is outside of the capture
      invalidate(stream->capture);
      return cudaErrorStreamCaptureIsolation;
    }
    count("wait for event");
    Mark mark = {event.stream, event.at};
    return submit(stream, [mark] { drain(mark.stream, mark.at); }, "wait for event");
  });
}

C_API cudaError_t cudaEventQuery(cudaEvent_t handle) {
  std::unique_lock<std::recursive_mutex> lock(mutex, std::try_to_lock);
  if (!lock) return cudaErrorNotReady;
  return event_call(handle, [](Event& event) -> int {
    if (int code = refuse_question(event)) return code;
    return event.stream ? query(event.stream, event.at) : 0;
  });
}

C_API cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return event_call(handle, [](Event& event) -> int {
    count("sync of event");
    if (int code = refuse_question(event)) return code;
    if (!event.stream) return 0;
    drain(event.stream, event.at);
    after_wait();
    return device_error(event.device);
  });
}

C_API cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return event_call(start, [&](Event& first) -> int {
    auto found = events.find(end);
    if (found == events.end()) return cudaErrorInvalidResourceHandle;
    Event& second = *found->second;
    for (Event* event : {&first, &second}) {
      if (event->capture) return cudaErrorCapturedEvent;
      if (!event->stream || event->flags & cudaEventDisableTiming)
        return cudaErrorInvalidResourceHandle;
    }
    if (first.device != second.device) return cudaErrorInvalidResourceHandle;
    for (Event* event : {&first, &second})
      if (event->stream->done < event->at) return cudaErrorNotReady;
    *milliseconds = float(*second.time - *first.time);
    return 0;
  });
}

// ---- the beginning and the end of a capture

C_API cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed)
      return cudaErrorInvalidValue;
    if (stream->legacy) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture) return cudaErrorIllegalState;
    auto capture = std::make_shared<Capture>();
    capture->origin = stream.get();
    capture->mode = mode;
    stream->capture = capture;
    stream->last_nodes.clear();
    return 0;
  });
}

namespace {
// Whether all nodes come before the end of the stream in which the capture began.
bool all_joined(const Graph& graph, const std::vector<int>& last_nodes) {
  std::vector<bool> reached(graph.nodes.size());
  for (int node : last_nodes) reached[size_t(node)] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    if (!reached[i]) return false;
    for (int node : graph.nodes[i].after) reached[size_t(node)] = true;
  }
  return true;
}
}  // namespace

C_API cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* out) {
  *out = nullptr;
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    auto capture = stream->capture;
    if (!capture) return cudaErrorIllegalState;
    if (capture->origin != stream.get()) {
      invalidate(capture);
      return cudaErrorStreamCaptureUnmatched;
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed &&
        capture->thread != std::this_thread::get_id()) {
      invalidate(capture);
      return cudaErrorStreamCaptureWrongThread;
    }
    bool joined = all_joined(*capture->graph, stream->last_nodes);
    capture->ended = true;
    for (auto& other : all_streams())
      if (other->capture == capture) other->capture = nullptr;
    if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
    if (!joined) return cudaErrorStreamCaptureUnjoined;
    *out = reinterpret_cast<cudaGraph_t>(new std::shared_ptr<Graph>(capture->graph));
    return 0;
  });
}

// To ask the null stream is an error while a stream that is ordered with it is captured, but one
// that does the capture no harm.
C_API cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* out) {
  return stream_call(handle, [&](const StreamPtr& stream) -> int {
    if (stream->legacy)
      for (auto& [unused, other] : streams)
        if (other->capture && other->blocking && other->device == stream->device)
          return cudaErrorStreamCaptureImplicit;
    *out = !stream->capture           ? cudaStreamCaptureStatusNone
           : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                      : cudaStreamCaptureStatusActive;
    return 0;
  });
}

C_API cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(thread_mode, *mode);
  return cudaSuccess;
}
