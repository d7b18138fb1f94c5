// NVRTC: the host's compiler makes a shared library of the source.
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core.h"

extern char** environ;
#define API extern "C" __attribute__((visibility("default")))

namespace {
struct Program {
  std::string source, log, binary;
  std::map<std::string, std::string> headers, lowered;
  std::vector<std::string> names;
};

bool is_word(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_'; }

size_t past_space(const std::string& s, size_t i) {
  while (i < s.size() && isspace(static_cast<unsigned char>(s[i]))) ++i;
  return i;
}

std::string word_at(const std::string& s, size_t i) {
  size_t end = i;
  while (end < s.size() && is_word(s[end])) ++end;
  return s.substr(i, end - i);
}

size_t past_parentheses(const std::string& s, size_t i) {
  int depth = 0;
  for (; i < s.size(); ++i) {
    depth += s[i] == '(';
    if (s[i] == ')' && !--depth) return i + 1;
  }
  return i;
}

// Kernels that are no templates, by name.
std::vector<std::string> kernels(const std::string& s) {
  std::vector<std::string> found;
  for (size_t i = s.find("__global__"); i != std::string::npos; i = s.find("__global__", i + 1)) {
    size_t before = s.find_last_of(";}", i);
    std::string head = s.substr(before == std::string::npos ? 0 : before, i - before);
    if (head.find("template") != std::string::npos) continue;
    size_t j = i + 10;
    std::string last;
    while (j < s.size()) {
      j = past_space(s, j);
      if (s[j] == '(') break;
      std::string w = word_at(s, j);
      if (w.empty()) break;
      j += w.size();
      if (w == "__launch_bounds__") {
        j = past_parentheses(s, past_space(s, j));
        continue;
      }
      last = w;
    }
    if (j < s.size() && s[j] == '(' && !last.empty() && last != "void") found.push_back(last);
  }
  return found;
}

// `extern __shared__ T name[];` is a pointer to memory that the launch brings.
std::string with_dynamic_shared(std::string s) {
  const std::string mark = "extern __shared__";
  for (size_t i = s.find(mark); i != std::string::npos; i = s.find(mark, i + 1)) {
    size_t end = s.find(';', i), bracket = s.rfind('[', end);
    if (end == std::string::npos || bracket == std::string::npos || bracket < i) continue;
    std::string text = s.substr(i + mark.size(), bracket - i - mark.size());
    while (!text.empty() && isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    size_t name = text.size();
    while (name && is_word(text[name - 1])) --name;
    std::string type = text.substr(0, name);
    s.replace(i, end - i,
              type + "* " + text.substr(name) + " = reinterpret_cast<" + type + "*>(fc_shared)");
  }
  return s;
}

std::string contents(const std::string& path) {
  std::string data;
  if (FILE* f = fopen(path.c_str(), "rb")) {
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) data.append(part, n);
    fclose(f);
  }
  return data;
}

void put(const std::string& path, const std::string& text) {
  FILE* f = fopen(path.c_str(), "wb");
  fwrite(text.data(), 1, text.size(), f);
  fclose(f);
}

int run(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (auto& c : command) argv.push_back(const_cast<char*>(c.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> kept;
  std::vector<char*> envp;
  for (char** e = environ; *e; ++e)
    if (strncmp(*e, "LD_PRELOAD=", 11)) envp.push_back(*e);
  envp.push_back(nullptr);
  pid_t pid;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), envp.data())) return 127;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string setting(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value ? value : otherwise;
}
}  // namespace

API const char* nvrtcGetErrorString(int e) {
  return e == 6 ? "NVRTC_ERROR_COMPILATION" : e ? "NVRTC_ERROR" : "NVRTC_SUCCESS";
}
API int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 9, 0; }
API int nvrtcCreateProgram(void** out, const char* source, const char*, int n,
                           const char** headers, const char** names) {
  auto p = new Program;
  p->source = source;
  for (int i = 0; i < n; ++i) p->headers[names[i]] = headers[i];
  *out = p;
  return 0;
}
API int nvrtcDestroyProgram(void** p) {
  delete static_cast<Program*>(*p);
  *p = nullptr;
  return 0;
}
API int nvrtcAddNameExpression(void* p, const char* name) {
  static_cast<Program*>(p)->names.push_back(name);
  return 0;
}
API int nvrtcGetLoweredName(void* p, const char* name, const char** out) {
  auto& lowered = static_cast<Program*>(p)->lowered;
  auto it = lowered.find(name);
  if (it == lowered.end()) return 10;
  *out = it->second.c_str();
  return 0;
}

API int nvrtcCompileProgram(void* handle, int n, const char** options) {
  auto p = static_cast<Program*>(handle);
  {
    std::lock_guard<std::recursive_mutex> guard(fakecuda::mutex);
    fakecuda::count("compile");
  }
  if (past_space(p->source, 0) == p->source.size()) {
    p->binary = "// fakecuda " + setting("FAKECUDA_HASH", "0") + "\n";
    return 0;
  }
  char where[] = "/tmp/fakecudaXXXXXX";
  std::string folder = mkdtemp(where), source = with_dynamic_shared(p->source);
  source += "\n#undef complex\n";
  for (auto& name : kernels(p->source)) source += "FC_EXPORT(" + name + ", " + name + ")\n";
  int index = 0;
  for (auto& name : p->names) {
    std::string lowered = "fc_named_" + std::to_string(index++);
    source += "FC_EXPORT(" + lowered + ", FC_COMMAS(" + name + "))\n";
    p->lowered[name] = lowered;
  }
  put(folder + "/k.cpp", source);
  for (auto& h : p->headers) {
    std::string path = folder + "/" + h.first;
    for (size_t i = folder.size() + 1; (i = path.find('/', i)) != std::string::npos; ++i)
      mkdir(path.substr(0, i).c_str(), 0700);
    put(path, h.second);
  }
  std::string include = setting("FAKECUDA_INCLUDE", ".");
  std::vector<std::string> command = {
      setting("FAKECUDA_CXX", "g++"), "-shared", "-fPIC", setting("FAKECUDA_OPT", "-O1"), "-w",
      "-std=c++17", "-fwrapv", "-fno-strict-aliasing", "-fpermissive", "-mfma", "-ffp-contract=fast",
      "-fvisibility=hidden", "-fno-gnu-unique"};
  bool plain = p->source.find("cupy/complex.cuh") == std::string::npos ||
               p->source.find("CUPY_JIT_MODE") != std::string::npos;
  for (int i = 0; i < n; ++i) plain |= strstr(options[i], "CUPY_JIT") != nullptr;
  command.insert(command.end(), {"-include", plain ? include + "/fc_plain.h"
                                                   : setting("FAKECUDA_PCH", "") + "/fc_cupy.h",
                                 "-I" + include, "-I" + folder});
  for (int i = 0; i < n; ++i) {
    std::string o = options[i];
    if (o.compare(0, 2, "-I") == 0 || o.compare(0, 2, "-D") == 0 || o.compare(0, 2, "-U") == 0)
      command.push_back(o);
    if (o == "-I" || o == "-D") command.push_back(o), command.push_back(options[++i]);
  }
  command.insert(command.end(), {folder + "/k.cpp", "-o", folder + "/k.so", "-nostdlib", "-lgcc"});
  std::string line;
  for (auto& c : command) line += "'" + c + "' ";
  int code = run({"sh", "-c", "exec " + line + " 2>" + folder + "/log"});
  p->log = contents(folder + "/log");
  if (!code) {
    std::string library = contents(folder + "/k.so");
    uint64_t size = library.size();
    p->binary = "FAKECUDA" + std::string(reinterpret_cast<char*>(&size), 8) + library;
  }
  if (setting("FAKECUDA_KEEP", "").empty()) run({"rm", "-rf", folder});
  if (code && !setting("FAKECUDA_VERBOSE", "").empty())
    fprintf(stderr, "[fakecuda] %s\n%s\n%s\n", line.c_str(), source.c_str(), p->log.c_str());
  return code ? 6 : 0;
}

static int size_of(void* p, size_t* n) { return *n = static_cast<Program*>(p)->binary.size(), 0; }
static int data_of(void* p, char* out) {
  auto& b = static_cast<Program*>(p)->binary;
  memcpy(out, b.data(), b.size());
  return 0;
}
API int nvrtcGetPTXSize(void* p, size_t* n) { return size_of(p, n); }
API int nvrtcGetPTX(void* p, char* out) { return data_of(p, out); }
API int nvrtcGetCUBINSize(void* p, size_t* n) { return size_of(p, n); }
API int nvrtcGetCUBIN(void* p, char* out) { return data_of(p, out); }
API int nvrtcGetLTOIRSize(void* p, size_t* n) { return size_of(p, n); }
API int nvrtcGetLTOIR(void* p, char* out) { return data_of(p, out); }
API int nvrtcGetProgramLogSize(void* p, size_t* n) {
  return *n = static_cast<Program*>(p)->log.size() + 1, 0;
}
API int nvrtcGetProgramLog(void* p, char* out) {
  auto& l = static_cast<Program*>(p)->log;
  memcpy(out, l.c_str(), l.size() + 1);
  return 0;
}
API int nvrtcGetNumSupportedArchs(int* n) { return *n = 1, 0; }
API int nvrtcGetSupportedArchs(int* a) { return *a = 90, 0; }
