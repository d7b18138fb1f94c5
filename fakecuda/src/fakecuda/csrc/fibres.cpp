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
EXPORT Dim3 fakecuda_threadIdx, fakecuda_blockIdx, fakecuda_blockDim, fakecuda_gridDim;
EXPORT char* fakecuda_dynamic_shared;
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
constexpr size_t kStack = 1 << 20;  // a thread of a GPU has 512 KiB of local memory
constexpr size_t kGuard = 1 << 20;  // so wide that large local arrays do not reach over it
constexpr int kGarbage = 0xA7;
constexpr size_t kLaneBytes = 16;  // the largest value that a shuffle takes

enum class State { kRunning, kAtBlockBarrier, kAtWarpBarrier, kDone };

struct Fibre {
  void* stack_pointer;
  State state;
  unsigned awaited;  // at a barrier of its warp: the lanes that it waits for
  Dim3 index;
  alignas(16) char lane_value[kLaneBytes];  // for the warp to read
};

Fibre fibres[kMaxThreads];
int thread_count;
int running;      // the index of the fibre that runs
void* scheduler;  // its stack pointer, while a fibre runs
const Grid* current = nullptr;

// A stack with inaccessible pages at its end.
class Stack {
 public:
  Stack() {
    void* memory = mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kGuard, PROT_NONE)) {
      perror("fakecuda: no memory for the stacks of threads");
      abort();
    }
    guard_ = uintptr_t(memory);
  }
  bool guards(uintptr_t address) const { return address - guard_ < kGuard; }
  void** top() const { return reinterpret_cast<void**>(guard_ + kGuard + kStack); }

 private:
  uintptr_t guard_;
};

std::vector<Stack> stacks;  // kept: as many as threads have ever waited at once

void resume(int i) {
  running = i;
  fakecuda_threadIdx = fibres[i].index;
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
  resume(i);
}

bool waiting(int i) {
  return fibres[i].state == State::kAtBlockBarrier || fibres[i].state == State::kAtWarpBarrier;
}

// Resumes those of the fibres of which `ready` is true; returns how many have ended.
template <class Condition>
int resume_those(int first, int last, Condition ready) {
  int ended = 0;
  for (int i = first; i < last; ++i) {
    if (!ready(i)) continue;
    resume(i);
    ended += fibres[i].state == State::kDone;
  }
  return ended;
}

// The lanes of a warp for which `condition` of the fibre is true.
template <class Condition>
unsigned lanes(int first, int last, Condition condition) {
  unsigned found = 0;
  for (int i = first; i < last; ++i)
    if (condition(fibres[i])) found |= 1u << (i - first);
  return found;
}

unsigned live_lanes(int first, int last) {
  return lanes(first, last, [](const Fibre& fibre) { return fibre.state != State::kDone; });
}

// Lanes that can go on: all that one of them waits for, and that have not ended, wait for the same.
unsigned complete_lanes(int first, int last) {
  unsigned live = live_lanes(first, last), complete = 0;
  for (int i = first; i < last; ++i) {
    if (fibres[i].state != State::kAtWarpBarrier) continue;
    unsigned awaited = fibres[i].awaited;
    unsigned waiting = lanes(first, last, [=](const Fibre& fibre) {
      return fibre.state == State::kAtWarpBarrier && fibre.awaited == awaited;
    });
    if (!(awaited & live & ~waiting)) complete |= 1u << (i - first);
  }
  return complete;
}

void run_block() {
  for (int i = 0; i < thread_count; ++i) fibres[i].state = State::kRunning;
  int alive = 0;
  for (int i = 0; i < thread_count; ++i) {
    start(i, size_t(alive));
    alive += waiting(i);
  }
  while (alive) {
    bool moved = false;
    for (int first = 0; first < thread_count; first += kWarp) {
      int last = std::min(first + kWarp, thread_count);
      unsigned ready = complete_lanes(first, last);
      if (!ready) continue;
      alive -= resume_those(first, last, [=](int i) { return ready >> (i - first) & 1; });
      moved = true;
    }
    if (moved) continue;
    for (int i = 0; i < thread_count; ++i) {
      if (fibres[i].state != State::kAtWarpBarrier) continue;
      running = i;
      fakecuda_threadIdx = fibres[i].index;
      device_fault(cudaErrorLaunchTimeout,
                   "waits for lanes of its warp that wait elsewhere: a GPU would hang here");
    }
    alive -= resume_those(0, thread_count,
                          [](int i) { return fibres[i].state == State::kAtBlockBarrier; });
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
  fakecuda_gridDim = grid.grid;
  fakecuda_blockDim = grid.block;
  fakecuda_dynamic_shared = grid.dynamic_shared;
  thread_count = int(grid.block.x * grid.block.y * grid.block.z);
  for (int i = 0; i < thread_count; ++i) {
    unsigned row = unsigned(i) / grid.block.x;
    fibres[i].index = {unsigned(i) % grid.block.x, row % grid.block.y, row / grid.block.y};
  }
  for (unsigned z = 0; z < grid.grid.z; ++z)
    for (unsigned y = 0; y < grid.grid.y; ++y)
      for (unsigned x = 0; x < grid.grid.x; ++x) {
        fakecuda_blockIdx = {x, y, z};
        memset(grid.dynamic_shared, kGarbage, grid.dynamic_shared_size);
        memset(grid.static_shared, kGarbage, grid.static_shared_size);
        run_block();
      }
  current = nullptr;
}

void leave_grid() { current = nullptr; }

std::string describe_thread() {
  if (!current) return "";
  return std::string("kernel '") + current->name + "', block " + text(fakecuda_blockIdx) +
         ", thread " + text(fakecuda_threadIdx);
}

bool in_fibre_guard(uintptr_t address) {
  return std::any_of(stacks.begin(), stacks.end(),
                     [=](const Stack& stack) { return stack.guards(address); });
}

}  // namespace fakecuda

using namespace fakecuda;

// ---- what kernels call

C_API void fakecuda_syncthreads() { wait_at(State::kAtBlockBarrier); }
C_API void fakecuda_syncwarp(unsigned lanes) {
  fibres[running].awaited = lanes;
  wait_at(State::kAtWarpBarrier);
}
C_API int fakecuda_lane() { return running % kWarp; }

// The lanes of the warp whose threads have not ended.
C_API unsigned fakecuda_live_lanes() {
  int first = running / kWarp * kWarp;
  return live_lanes(first, std::min(first + kWarp, thread_count));
}

// A shuffle: each thread puts its value (at most 16 bytes) and, after a barrier of the warp, gets
// that of another; its own if there is no such thread.
C_API void fakecuda_put(const void* value, int size) {
  memcpy(fibres[running].lane_value, value, size_t(size));
}
C_API void fakecuda_get(int lane, void* value, int size) {
  int other = running / kWarp * kWarp + lane;
  memcpy(value, fibres[other < thread_count ? other : running].lane_value, size_t(size));
}
