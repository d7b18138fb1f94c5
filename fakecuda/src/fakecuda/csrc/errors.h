// Error codes, and the shape of every call of the API.
#pragma once
#include <cuda_runtime_api.h>

#include "core.h"

namespace fakecuda {

// The error that a fault has left on a device, or 0. CUDA calls such errors sticky: nothing but the
// end of the process clears them.
int device_error(int device);
void set_device_error(int device, int code);

// Remembers an error for cudaGetLastError, and returns it.
int remember(int code);

// Whether this thread has a context. The runtime makes one when it needs it; calls of the driver
// fail without one.
bool has_context();
void make_context();

// The body of a call of the driver: it holds the lock, and a fault of the current device comes
// first. (CUresult and cudaError_t share their numbers.)
template <class Body>
int driver_call(Body body) {
  Lock lock(mutex);
  if (!has_context()) return cudaErrorDeviceUninitialized;
  if (int code = device_error(current_device())) return code;
  return body();
}

// The body of a call of the runtime.
template <class Body>
cudaError_t runtime_call(Body body) {
  make_context();
  return static_cast<cudaError_t>(remember(driver_call(body)));
}

}  // namespace fakecuda
