// CUDA C++ as text: which kernels it has, and what of it the host's compiler would not understand.
#pragma once
#include <string>
#include <vector>

namespace fakecuda {

struct Kernels {
  std::vector<std::string> names;  // those that can be looked up: extern "C", and no templates
  int count = 0;                   // all, templates too
  bool conditional = false;        // some depend on macros: only the preprocessed source tells
};
Kernels find_kernels(const std::string& source);

// The source for the host's compiler, with as many lines:
// - `extern __shared__ T name[];` names memory that the launch brings;
// - the element-wise kernels that CuPy writes convert numbers to integers as a GPU does.
std::string for_host(const std::string& source);

}  // namespace fakecuda
