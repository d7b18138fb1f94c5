// Bad accesses: of the host to device memory, and of kernels to anything.
#pragma once
#include <functional>

namespace fakecuda {

// Makes the handlers of SIGSEGV and its relatives ours. Others (faulthandler) may have been put
// there since the last call; ours pass on to them what is not ours.
void install_fault_handlers();

// Runs `body`. A fault of this thread in it ends it, without destructors, and gives the code of the
// runtime's error; otherwise 0.
int run_guarded(const std::function<void()>& body);

// While an object of this class lives, faults are not those of the guarded body: a stream has come
// to a function of the host.
class Unguarded {
 public:
  Unguarded();
  ~Unguarded();
  Unguarded(const Unguarded&) = delete;
  Unguarded& operator=(const Unguarded&) = delete;

 private:
  void* const previous_;
};

}  // namespace fakecuda
