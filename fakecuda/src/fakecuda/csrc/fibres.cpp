// Each thread of a block is a fibre: a stack and a place to go on from. A fibre runs until it comes
// to a barrier of its block or of its warp; when all have come there, they go on, in turn. So
// barriers and shuffles work, and there are no races: a missing barrier shows where a thread reads
// what a later thread writes.
#include "fibres.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "errors.h"

using fakecuda::Dim3;

// What kernels see, by these names.
extern "C" {
EXPORT Dim3 fc_threadIdx, fc_blockIdx, fc_blockDim, fc_gridDim;
EXPORT char* fc_shared;
}

// Saves the registers that a call preserves and the stack pointer to *from, and goes on from `to`.
extern "C" void fakecuda_switch(void** from, void* to);
asm(R"(
.text
.globl fakecuda_switch
.hidden fakecuda_switch
.type fakecuda_switch,@function
fakecuda_switch:
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
.size fakecuda_switch, .-fakecuda_switch
)");

namespace fakecuda {
namespace {

constexpr int kWarp = 32;
constexpr int kMaxThreads = 1024;
constexpr size_t kStack = 256 << 10;
constexpr size_t kPage = 4096;
constexpr int kGarbage = 0xA7;
constexpr size_t kLaneBytes = 16;  // the largest value that a shuffle takes

enum class State { kRunning, kAtBlockBarrier, kAtWarpBarrier, kDone };

struct Fibre {
  void* stack_pointer;
  State state;
  Dim3 index;
  alignas(16) char lane_value[kLaneBytes];  // for the warp to read
};

Fibre fibres[kMaxThreads];
int thread_count;
int running;      // the index of the fibre that runs
void* scheduler;  // its stack pointer, while a fibre runs
const Grid* current = nullptr;

// A stack with an inaccessible page at its end.
class Stack {
 public:
  Stack() {
    void* memory = mmap(nullptr, kPage + kStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE)) {
      perror("fakecuda: no memory for the stacks of threads");
      abort();
    }
    guard_ = uintptr_t(memory);
  }
  bool guards(uintptr_t address) const { return address - guard_ < kPage; }
  void** top() const { return reinterpret_cast<void**>(guard_ + kPage + kStack); }

 private:
  uintptr_t guard_;
};

std::vector<Stack> stacks;  // kept: as many as threads have ever waited at once

void resume(int i) {
  running = i;
  fc_threadIdx = fibres[i].index;
  fakecuda_switch(&scheduler, fibres[i].stack_pointer);
}

// Where a fibre starts; it never returns.
void fibre_main() {
  current->kernel(current->arguments);
  fibres[running].state = State::kDone;
  fakecuda_switch(&fibres[running].stack_pointer, scheduler);
  abort();
}

// Runs a new fibre on this stack until it first waits or ends.
void start(int i, size_t stack) {
  if (stacks.size() <= stack) stacks.emplace_back();
  // Below the top: fibre_main as the address to return to, aligned as at a call, and the six
  // registers that fakecuda_switch takes from the stack.
  void** top = stacks[stack].top() - 3;
  *--top = reinterpret_cast<void*>(&fibre_main);
  for (int k = 0; k < 6; ++k) *--top = nullptr;
  fibres[i].stack_pointer = top;
  fibres[i].state = State::kRunning;
  resume(i);
}

bool waiting(int i) {
  return fibres[i].state == State::kAtBlockBarrier || fibres[i].state == State::kAtWarpBarrier;
}

// Resumes those of the fibres that wait at this barrier; returns how many have ended.
int resume_all(int first, int last, State barrier) {
  int ended = 0;
  for (int i = first; i < last; ++i) {
    if (fibres[i].state != barrier) continue;
    resume(i);
    ended += fibres[i].state == State::kDone;
  }
  return ended;
}

// A warp goes on when all of its threads that have not ended wait for it.
bool warp_is_complete(int first, int last) {
  bool any = false;
  for (int i = first; i < last; ++i) {
    if (fibres[i].state == State::kAtBlockBarrier) return false;
    any |= fibres[i].state == State::kAtWarpBarrier;
  }
  return any;
}

void run_block() {
  int alive = 0;
  for (int i = 0; i < thread_count; ++i) {
    start(i, size_t(alive));
    alive += waiting(i);
  }
  while (alive) {
    bool moved = false;
    for (int first = 0; first < thread_count; first += kWarp) {
      int last = std::min(first + kWarp, thread_count);
      if (!warp_is_complete(first, last)) continue;
      alive -= resume_all(first, last, State::kAtWarpBarrier);
      moved = true;
    }
    if (moved) continue;
    for (int i = 0; i < thread_count; ++i) {
      if (fibres[i].state != State::kAtWarpBarrier) continue;
      running = i;
      fc_threadIdx = fibres[i].index;
      device_fault(cudaErrorLaunchTimeout,
                   "waits for its warp, of which other threads wait for the block: "
                   "a GPU would hang here");
    }
    alive -= resume_all(0, thread_count, State::kAtBlockBarrier);
  }
}

void wait_at(State barrier) {
  Fibre& fibre = fibres[running];
  fibre.state = barrier;
  fakecuda_switch(&fibre.stack_pointer, scheduler);
  fibre.state = State::kRunning;
}

std::string text(const Dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
}

}  // namespace

void run_grid(const Grid& grid) {
  current = &grid;
  fc_gridDim = grid.grid;
  fc_blockDim = grid.block;
  fc_shared = grid.dynamic_shared;
  thread_count = int(grid.block.x * grid.block.y * grid.block.z);
  for (int i = 0; i < thread_count; ++i) {
    unsigned row = unsigned(i) / grid.block.x;
    fibres[i].index = {unsigned(i) % grid.block.x, row % grid.block.y, row / grid.block.y};
  }
  for (unsigned z = 0; z < grid.grid.z; ++z)
    for (unsigned y = 0; y < grid.grid.y; ++y)
      for (unsigned x = 0; x < grid.grid.x; ++x) {
        fc_blockIdx = {x, y, z};
        memset(grid.dynamic_shared, kGarbage, grid.dynamic_shared_size);
        memset(grid.static_shared, kGarbage, grid.static_shared_size);
        run_block();
      }
  current = nullptr;
}

void leave_grid() { current = nullptr; }

std::string describe_thread() {
  if (!current) return "";
  return std::string("kernel '") + current->name + "', block " + text(fc_blockIdx) + ", thread " +
         text(fc_threadIdx);
}

bool in_fibre_guard(uintptr_t address) {
  return std::any_of(stacks.begin(), stacks.end(),
                     [=](const Stack& stack) { return stack.guards(address); });
}

}  // namespace fakecuda

using namespace fakecuda;

// ---- what kernels call

C_API void fc_syncthreads() { wait_at(State::kAtBlockBarrier); }
C_API void fc_syncwarp() { wait_at(State::kAtWarpBarrier); }
C_API int fc_lane() { return running % kWarp; }

// A shuffle: each thread puts its value (at most 16 bytes) and, after a barrier of the warp, gets
// that of another; its own if there is no such thread.
C_API void fc_put(const void* value, int size) {
  memcpy(fibres[running].lane_value, value, size_t(size));
}
C_API void fc_get(int lane, void* value, int size) {
  int other = running / kWarp * kWarp + lane;
  memcpy(value, fibres[other < thread_count ? other : running].lane_value, size_t(size));
}
