// Modules and their functions.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device_limits.h"

namespace fakecuda {

struct Module;

struct Function {
  std::string name;
  Module* module;
  void (*call)(void** arguments);  // null in a cubin: it does nothing
  std::vector<size_t> sizes;       // of the arguments
  int max_dynamic_shared;  // together with the module's static memory 48 KiB, if not set
};

struct Module {
  int device;
  void* library = nullptr;  // null for a cubin
  char* static_shared = nullptr;
  size_t static_shared_size = 0;
  std::map<std::string, std::unique_ptr<Function>> functions;
  std::map<std::string, std::pair<void*, size_t>> globals;
};

}  // namespace fakecuda
