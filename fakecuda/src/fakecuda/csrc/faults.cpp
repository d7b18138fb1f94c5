#include "faults.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "device_memory.h"
#include "errors.h"
#include "fibres.h"

namespace fakecuda {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
struct sigaction previous_actions[NSIG];
std::atomic<bool> ending{false};  // a fault has been passed on
// (initial-exec: a handler may not be the first to use it in a thread, which would allocate it.)
__attribute__((tls_model("initial-exec"))) thread_local sigjmp_buf* guard = nullptr;

// (The handlers use std::string and stdio. Strictly they may not; but what faults is a kernel or a
// loop over an array, not the C library in the middle of an allocation.)
void say(const std::string& text) {
  std::string line = "fakecuda: " + text + "\n";
  for (size_t at = 0; at < line.size();) {
    ssize_t n = write(STDERR_FILENO, line.data() + at, line.size() - at);
    if (n <= 0) return;
    at += size_t(n);
  }
}

std::string hexadecimal(uintptr_t address) {
  char text[32];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

// What runs: "kernel 'add', block (0, 0, 0), thread (3, 0, 0)", or the work of a library.
std::string culprit() {
  std::string kernel = describe_thread();
  return kernel.empty() ? "a copy or a library function" : kernel;
}

// Lets the handler that was there before ours have the signal.
void pass_on(int signal, const siginfo_t* info) {
  struct sigaction action = previous_actions[signal];
  // Another handler that has come back to us would go round in circles.
  if (ending.exchange(true)) {
    action = {};
    action.sa_handler = SIG_DFL;
  }
  sigaction(signal, &action, nullptr);
  // A fault happens again when the handler returns; a signal that was sent does not.
  if (info->si_code <= 0) raise(signal);
}

struct Fault {
  int code;
  std::string text;
};

Fault describe_fault(int signal, uintptr_t address) {
  if (signal == SIGFPE) return {cudaErrorLaunchFailure, "integer division by zero or overflow"};
  if (signal == SIGILL) return {cudaErrorIllegalInstruction, "illegal instruction or trap"};
  if (in_fibre_guard(address)) return {cudaErrorIllegalAddress, "the stack of a thread is full"};
  return {cudaErrorIllegalAddress,
          "illegal access to " + hexadecimal(address) + " (" + describe_address(address) + ")"};
}

void handle(int signal, siginfo_t* info, void*) {
  auto address = uintptr_t(info->si_addr);
  bool access = signal == SIGSEGV || signal == SIGBUS;
  if (info->si_code > 0) {
    if (access && open_for_task(address)) return;
    if (guard) {
      Fault fault = describe_fault(signal, address);
      say(culprit() + ": " + fault.text);
      siglongjmp(*guard, fault.code);
    }
    if (access && in_device_memory(address) && !ending)
      say("the host touched device memory at " + hexadecimal(address) + " (" +
          describe_address(address) + ")");
  }
  pass_on(signal, info);
}

// A kernel's stack may be what has overflowed: handlers need one of their own.
void ensure_signal_stack() {
  static thread_local bool done = false;
  if (done) return;
  done = true;
  stack_t current;
  if (sigaltstack(nullptr, &current) || !(current.ss_flags & SS_DISABLE)) return;
  constexpr size_t kSize = 64 << 10;
  void* memory =
      mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kSize;
  sigaltstack(&stack, nullptr);
}

}  // namespace

void install_fault_handlers() {
  ensure_signal_stack();
  for (int signal : kSignals) {
    struct sigaction current;
    sigaction(signal, nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == handle) continue;
    previous_actions[signal] = current;
    struct sigaction ours = {};
    ours.sa_sigaction = handle;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(signal, &ours, nullptr);
  }
}

int run_guarded(const std::function<void()>& body) {
  sigjmp_buf here;
  sigjmp_buf* previous = guard;
  if (int code = sigsetjmp(here, /*savemask=*/1)) {
    guard = previous;
    leave_grid();
    return code;
  }
  guard = &here;
  body();
  guard = previous;
  return 0;
}

Unguarded::Unguarded() : previous_(guard) { guard = nullptr; }
Unguarded::~Unguarded() { guard = static_cast<sigjmp_buf*>(previous_); }

void device_fault(int code, const char* message) {
  say(culprit() + ": " + message);
  if (guard) siglongjmp(*guard, code);
  abort();
}

}  // namespace fakecuda

using namespace fakecuda;

C_API void fakecuda_device_fault(int code, const char* message) { device_fault(code, message); }

// ---- what -fsanitize=alignment calls

namespace {
struct TypeDescriptor {
  uint16_t kind, info;
  char name[1];
};
struct TypeMismatch {
  const char* file;
  uint32_t line, column;
  const TypeDescriptor* type;
  unsigned char log_alignment;
  unsigned char check;
};
}  // namespace

C_API void __ubsan_handle_type_mismatch_v1(TypeMismatch* data, uintptr_t address) {
  std::string text = std::string("misaligned access to ") + data->type->name + " at " +
                     hexadecimal(address) + ", which needs an alignment of " +
                     std::to_string(1u << data->log_alignment) + " bytes (line " +
                     std::to_string(data->line) + ")";
  device_fault(cudaErrorMisalignedAddress, text.c_str());
}
C_API void __ubsan_handle_type_mismatch_v1_abort(TypeMismatch* data, uintptr_t address) {
  __ubsan_handle_type_mismatch_v1(data, address);
}
