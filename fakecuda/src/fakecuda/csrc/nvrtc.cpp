// NVRTC: the host's compiler makes a shared library of the source. Where the settings name a
// library of NVIDIA, that one does all the work: its cubins can be loaded, but they do nothing.
#include "nvrtc.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "core.h"
#include "host_compiler.h"

using namespace fakecuda;

namespace {

struct Program {
  std::string name, source, log, binary;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> lowered_names;  // by expression
  bool compiled = false;
};

void* nvidia = nullptr;
std::string compiler_mark;  // names what compiles kernels; the same for every build of it

// NVIDIA's function of this name and type, or null if it is not to be used.
template <class F>
F* of_nvidia(F*, const char* name) {
  return nvidia ? reinterpret_cast<F*>(dlsym(nvidia, name)) : nullptr;
}

// Returns what NVIDIA's function of this name returns, if it is to be used.
#define USE_NVIDIA(function, ...) \
  if (auto real = of_nvidia(function, #function)) return real(__VA_ARGS__)

// The image that cuModuleLoadData takes: see core.h.
std::string image(const std::string& library) {
  uint64_t size = library.size();
  return "FAKECUDA" + std::string(reinterpret_cast<char*>(&size), sizeof size) + library;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\n") == std::string::npos;
}

int compile(Program& program, const std::vector<std::string>& options) {
  program.compiled = true;
  if (is_blank(program.source)) {  // CuPy does so to learn of which compiler its cache is
    program.binary = "// fakecuda " + compiler_mark + "\n";
    return kNvrtcSuccess;
  }
  Compilation result = compile_for_host(program.name, program.source, program.headers,
                                        program.lowered_names, options);
  program.log = result.log;
  if (!result.status) program.binary = image(result.library);
  return result.status;
}

}  // namespace

// ---- for the Python side

// The compiler's command, null at its end, and the folders of headers: see CompilerSettings.
C_API void fakecuda_set_compiler(const char* const* command, const char* prelude,
                                 const char* headers, const char* mark) {
  compiler_settings = {{}, prelude, headers};
  for (; *command; ++command) compiler_settings.command.push_back(*command);
  compiler_mark = mark;
}

// Uses NVIDIA's library in this file; returns null, or why that cannot be.
C_API const char* fakecuda_use_nvrtc(const char* path) {
  // In a namespace of its own, where it finds neither functions nor a driver of ours.
  nvidia = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
  if (!nvidia) return dlerror();
  // The C library there shares our environment, which moves when we change it: it gets a copy.
  static std::vector<char*> environment;
  for (char** entry = environ; *entry; ++entry) environment.push_back(strdup(*entry));
  environment.push_back(nullptr);
  if (auto there = static_cast<char***>(dlsym(nvidia, "environ"))) *there = environment.data();
  return nullptr;
}

// ---- NVRTC's functions

C_API const char* nvrtcGetErrorString(int code) {
  USE_NVIDIA(nvrtcGetErrorString, code);
  static const char* const names[] = {
      "NVRTC_SUCCESS",
      "NVRTC_ERROR_OUT_OF_MEMORY",
      "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
      "NVRTC_ERROR_INVALID_INPUT",
      "NVRTC_ERROR_INVALID_PROGRAM",
      "NVRTC_ERROR_INVALID_OPTION",
      "NVRTC_ERROR_COMPILATION",
      "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
      "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
      "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
      "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
      "NVRTC_ERROR_INTERNAL_ERROR",
  };
  bool known = code >= 0 && size_t(code) < std::size(names);
  return known ? names[code] : "NVRTC_ERROR unknown";
}

C_API int nvrtcVersion(int* major, int* minor) {
  USE_NVIDIA(nvrtcVersion, major, minor);
  *major = CUDART_VERSION / 1000;
  *minor = CUDART_VERSION % 1000 / 10;
  return kNvrtcSuccess;
}

C_API int nvrtcGetNumSupportedArchs(int* number) {
  USE_NVIDIA(nvrtcGetNumSupportedArchs, number);
  *number = 1;
  return kNvrtcSuccess;
}

C_API int nvrtcGetSupportedArchs(int* all) {
  USE_NVIDIA(nvrtcGetSupportedArchs, all);
  *all = compute_capability();
  return kNvrtcSuccess;
}

C_API int nvrtcCreateProgram(Program** out, const char* source, const char* name, int count,
                             const char** headers, const char** include_names) {
  USE_NVIDIA(nvrtcCreateProgram, out, source, name, count, headers, include_names);
  if (!source) return kNvrtcInvalidInput;
  auto program = new Program;
  program->name = name && *name ? name : "default_program";
  program->source = source;
  for (int i = 0; i < count; ++i) program->headers[include_names[i]] = headers[i];
  *out = program;
  return kNvrtcSuccess;
}

C_API int nvrtcDestroyProgram(Program** program) {
  USE_NVIDIA(nvrtcDestroyProgram, program);
  if (!*program) return kNvrtcInvalidProgram;
  delete *program;
  *program = nullptr;
  return kNvrtcSuccess;
}

C_API int nvrtcAddNameExpression(Program* program, const char* expression) {
  USE_NVIDIA(nvrtcAddNameExpression, program, expression);
  if (program->compiled) return kNvrtcNoNamesAfterCompilation;
  std::string lowered = "expression_" + std::to_string(program->lowered_names.size());
  program->lowered_names.emplace(expression, lowered);
  return kNvrtcSuccess;
}

C_API int nvrtcGetLoweredName(Program* program, const char* expression, const char** name) {
  USE_NVIDIA(nvrtcGetLoweredName, program, expression, name);
  if (!program->compiled) return kNvrtcNoLoweredNamesBeforeCompilation;
  auto found = program->lowered_names.find(expression);
  if (found == program->lowered_names.end()) return kNvrtcNameExpressionNotValid;
  *name = found->second.c_str();
  return kNvrtcSuccess;
}

C_API int nvrtcCompileProgram(Program* program, int count, const char** options) {
  fakecuda::count("compile");
  USE_NVIDIA(nvrtcCompileProgram, program, count, options);
  try {
    return compile(*program, {options, options + count});
  } catch (const std::exception& error) {  // no place for files
    program->log = error.what();
    return kNvrtcInternalError;
  }
}

C_API int nvrtcGetProgramLogSize(Program* program, size_t* size) {
  USE_NVIDIA(nvrtcGetProgramLogSize, program, size);
  *size = program->log.size() + 1;
  return kNvrtcSuccess;
}

C_API int nvrtcGetProgramLog(Program* program, char* out) {
  USE_NVIDIA(nvrtcGetProgramLog, program, out);
  memcpy(out, program->log.c_str(), program->log.size() + 1);
  return kNvrtcSuccess;
}

// The same image serves as every kind of output.
#define OUTPUT(kind)                                               \
  C_API int nvrtcGet##kind##Size(Program* program, size_t* size) { \
    USE_NVIDIA(nvrtcGet##kind##Size, program, size);               \
    *size = program->binary.size();                                \
    return kNvrtcSuccess;                                          \
  }                                                                \
  C_API int nvrtcGet##kind(Program* program, char* out) {          \
    USE_NVIDIA(nvrtcGet##kind, program, out);                      \
    memcpy(out, program->binary.data(), program->binary.size());   \
    return kNvrtcSuccess;                                          \
  }

OUTPUT(PTX)
OUTPUT(CUBIN)
OUTPUT(LTOIR)
#undef OUTPUT
