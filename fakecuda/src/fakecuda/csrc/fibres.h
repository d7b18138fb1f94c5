// The threads of a block, run in turn by one thread of the CPU.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace fakecuda {

struct Dim3 {
  unsigned x, y, z;
};

struct Grid {
  const char* name;  // of the kernel
  void (*kernel)(void** arguments);
  void** arguments;
  Dim3 grid, block;
  char* dynamic_shared;
  size_t dynamic_shared_size;
  char* static_shared;  // the module's __shared__ variables, if they are known
  size_t static_shared_size;
};

// Runs all blocks, one after the other, inside run_guarded.
void run_grid(const Grid& grid);

// Called when a fault has ended the grid.
void leave_grid();

// "kernel 'add', block (0, 0, 0), thread (3, 0, 0)"; empty when no kernel runs.
std::string describe_thread();

// Whether the address is in the closed pages at the end of a thread's stack.
bool in_fibre_guard(uintptr_t address);

}  // namespace fakecuda
