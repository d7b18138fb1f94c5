#include "host_compiler.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "kernel_source.h"
#include "nvrtc.h"

extern char** environ;
namespace fs = std::filesystem;

namespace fakecuda {

CompilerSettings compiler_settings;

namespace {

// A folder that is gone in the end, unless FAKECUDA_KEEP=1 is set.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "fakecuda-XXXXXX").string();
    if (!mkdtemp(name.data())) throw fs::filesystem_error("mkdtemp", name, std::error_code());
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    const char* keep = getenv("FAKECUDA_KEEP");
    if (!keep || !*keep || !strcmp(keep, "0")) fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file)
    throw fs::filesystem_error("write", path, std::error_code(errno, std::generic_category()));
}

// Runs a program, its output in files; returns its exit status.
int run(const std::vector<std::string>& command, const std::string& output,
        const std::string& errors) {
  std::vector<char*> arguments;
  for (auto& text : command) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment;  // what is preloaded here is not meant for the compiler
  for (char** entry = environ; *entry; ++entry)
    if (strncmp(*entry, "LD_PRELOAD=", 11)) environment.push_back(*entry);
  environment.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&files, 2, errors.c_str(), flags, 0600);
  pid_t process;
  int failed = posix_spawnp(&process, arguments[0], &files, nullptr, arguments.data(),
                            environment.data());
  posix_spawn_file_actions_destroy(&files);
  if (failed) {
    write(errors, command[0] + ": " + strerror(failed) + "\n");
    return 127;
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno == EINTR) continue;
    write(errors, command[0] + ": how it ended is not known: " + strerror(errno) + "\n");
    return 128;  // the host ignores SIGCHLD, or waited for all processes
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

// ---- options

// Options that mean the same to both compilers, with what they are called there.
const std::pair<const char*, const char*> kWithArgument[] = {
    {"-I", "-I"}, {"--include-path", "-I"}, {"-D", "-D"}, {"--define-macro", "-D"},
    {"-U", "-U"}, {"--undefine-macro", "-U"}, {"-include", "-include"},
    {"--pre-include", "-include"},
};

// Options that change nothing here.
const char* const kIgnored[] = {
    "-arch", "-dc", "-dlto", "-dw", "-ewp", "-ftz", "-G", "-lineinfo", "-maxrregcount", "-opt-info",
    "-pch", "-prec-div", "-prec-sqrt", "-ptxas-options", "-rdc", "-restrict", "-split-compile",
    "-time", "-use_fast_math", "-version-ident", "-w", "-Xptxas", "-default-device",
    "-brief-diagnostics", "-builtin-initializer-list", "-builtin-move-forward", "-create-pch",
    "-device-as-default-execution-space", "-device-c", "-device-debug", "-device-float128",
    "-device-int128", "-device-stack-protector", "-device-syntax-only", "-device-time-trace",
    "-device-w", "-diag-error", "-diag-suppress", "-diag-warn", "-disable-warnings",
    "-display-error-number", "-dlink-time-opt", "-dopt", "-extensible-whole-program",
    "-extra-device-vectorization", "-fdevice-", "-frandom-seed", "-generate-line-info",
    "-gen-opt-lto", "-gpu-architecture", "-instantiate-templates-in-pch", "-jump-table-density",
    "-minimal", "-modify-stack-limit", "-no-cache", "-no-display-error-number",
    "-no-source-include", "-optimization-info", "-pch-", "-relocatable-device-code",
    "-remove-unused-globals", "-unsupported-arch", "-use-pch",
};

bool is_ignored(const std::string& option) {
  std::string name = option.substr(0, option.find('='));
  if (starts_with(name, "--")) name.erase(0, 1);
  return std::any_of(std::begin(kIgnored), std::end(kIgnored), [&](const std::string& known) {
    return known.back() == '-' ? starts_with(name, known) : name == known;
  });
}

struct Options {
  std::vector<std::string> host;  // for the host's compiler
  int architecture = 0;           // 80
  std::string unknown;            // the first that NVRTC does not have
};

// The value of -name=value or --name=value.
bool value_of(const std::string& option, const std::string& name, std::string* value) {
  for (const std::string start : {"-" + name + "=", "--" + name + "="}) {
    if (!starts_with(option, start)) continue;
    *value = option.substr(start.size());
    return true;
  }
  return false;
}

Options translate(const std::vector<std::string>& options) {
  Options result;
  for (size_t i = 0; i < options.size(); ++i) {
    const std::string& option = options[i];
    std::string value;
    auto known = std::find_if(
        std::begin(kWithArgument), std::end(kWithArgument),
        [&](const auto& entry) { return starts_with(option, entry.first); });
    if (known != std::end(kWithArgument)) {
      value = option.substr(strlen(known->first));
      if (starts_with(value, "=") && starts_with(option, "--")) value.erase(0, 1);
      if (value.empty() && i + 1 < options.size()) value = options[++i];
      result.host.insert(result.host.end(), {known->second, value});
    } else if (value_of(option, "std", &value)) {
      // CuPy's headers need C++17 at least.
      bool old = value == "c++03" || value == "c++11" || value == "c++14";
      result.host.push_back("-std=" + (old ? "c++17" : value));
    } else if (value_of(option, "fmad", &value)) {
      result.host.push_back(value == "false" ? "-ffp-contract=off" : "-ffp-contract=fast");
    } else if (is_ignored(option)) {
      if (value_of(option, "arch", &value) || value_of(option, "gpu-architecture", &value))
        result.architecture = atoi(value.c_str() + std::min(value.find('_') + 1, value.size()));
      if (option == "-Xptxas") ++i;
    } else if (result.unknown.empty()) {
      result.unknown = option;
    }
  }
  return result;
}

// ---- sources

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) result += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return result + "\"";
}

// What the preprocessor leaves of the file itself, without what it includes.
std::string of_file(const std::string& preprocessed, const std::string& name) {
  std::string result, line;
  bool inside = false;
  for (size_t at = 0; at < preprocessed.size(); at += line.size() + 1) {
    line = preprocessed.substr(at, preprocessed.find('\n', at) - at);
    if (starts_with(line, "# "))
      inside = line.find(quoted(name)) != std::string::npos;
    else if (inside)
      result += line + "\n";
  }
  return result;
}

// g++ writes file:line:column: error: as NVRTC writes file(line): error:
std::string as_nvrtc_says(const std::string& log) {
  static const std::regex place(R"(((?:^|\n)[^\n:]*):(\d+):\d+: (fatal )?error:)");
  return std::regex_replace(log, place, "$1($2): error:");
}

}  // namespace

Compilation compile_for_host(const std::string& name, const std::string& source,
                             const std::map<std::string, std::string>& headers,
                             const std::map<std::string, std::string>& expressions,
                             const std::vector<std::string>& given) {
  Compilation result;
  Options options = translate(given);
  if (!options.unknown.empty()) {
    result.status = kNvrtcInvalidOption;
    result.log = "nvrtc: error: unrecognized option " + options.unknown + " found\n";
    return result;
  }
  TemporaryFolder folder;
  for (auto& [header, text] : headers) write(folder / header, text);
  // (cupyx.jit defines CUPY_JIT_MODE, by which CuPy's headers are others than those prepared.)
  bool uses_cupy = source.find("cupy/complex.cuh") != std::string::npos &&
                   source.find("CUPY_JIT_MODE") == std::string::npos &&
                   std::none_of(given.begin(), given.end(), [](const std::string& option) {
                     return option.find("CUPY_JIT_MODE") != std::string::npos;
                   });
  std::vector<std::string> command = compiler_settings.command;
  command.insert(command.end(),
                 {"-include", compiler_settings.headers + "/" +
                                  (uses_cupy ? "fakecuda_cupy.h" : "fakecuda_nvrtc.h"),
                  "-I" + compiler_settings.prelude, "-I" + (folder / "")});
  command.insert(command.end(), options.host.begin(), options.host.end());

  std::string head;
  // It is not always defined, since CUDA's own headers have code for a GPU then.
  if (source.find("__CUDA_ARCH__") != std::string::npos)
    head += "#define __CUDA_ARCH__ " + std::to_string(options.architecture * 10) + "\n";
  std::string place = "#line 1 " + quoted(name) + "\n";

  Kernels kernels = find_kernels(source);
  if (kernels.conditional) {
    write(folder / "names.cpp", head + "#undef __global__\n" + place + source + "\n");
    std::vector<std::string> preprocess = command;
    preprocess.insert(preprocess.end(), {"-E", folder / "names.cpp"});
    if (!run(preprocess, folder / "names.txt", folder / "log"))
      kernels = find_kernels(of_file(read(folder / "names.txt"), name));
  }
  if (kernels.count == 1 && expressions.size() <= 1)
    head += "#undef __shared__\n#define __shared__ FAKECUDA_SHARED\n";

  std::string text = head + place + for_host(source) + "\n#line 1 \"kernels\"\n";
  for (auto& kernel : kernels.names) text += "FAKECUDA_KERNEL(" + kernel + ", " + kernel + ")\n";
  for (auto& [expression, lowered] : expressions)
    text += "FAKECUDA_KERNEL(" + lowered + ", " + expression + ")\n";
  write(folder / "kernel.cpp", text);
  command.insert(command.end(),
                 {folder / "kernel.cpp", "-o", folder / "kernel.so", "-shared", "-nostdlib",
                  "-lgcc", "-Wl,-Bsymbolic", "-Wl,-T," + compiler_settings.prelude +
                                                 "/fakecuda/shared.ld"});
  int code = run(command, folder / "output", folder / "log");
  result.log = as_nvrtc_says(read(folder / "log"));
  if (code)
    result.status = kNvrtcCompilation;
  else
    result.library = read(folder / "kernel.so");
  return result;
}

}  // namespace fakecuda
