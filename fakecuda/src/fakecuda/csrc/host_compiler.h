// The host's compiler, which makes a shared library of a kernel's source.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace fakecuda {

struct CompilerSettings {
  std::vector<std::string> command;  // the compiler, and the options that all kernels have
  std::string prelude;               // the folder of the headers that stand for NVRTC's own
  std::string headers;               // the folder with these headers compiled in advance
};
extern CompilerSettings compiler_settings;

struct Compilation {
  int status = 0;  // an nvrtcResult
  std::string log, library;
};

// Compiles a program of this name with options of NVRTC. `headers` are files that it may include.
// `expressions` are functions, by the names that the library gives them.
Compilation compile_for_host(const std::string& name, const std::string& source,
                             const std::map<std::string, std::string>& headers,
                             const std::map<std::string, std::string>& expressions,
                             const std::vector<std::string>& options);

}  // namespace fakecuda
