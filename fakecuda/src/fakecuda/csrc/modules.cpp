// The driver's modules: a shared library of compiled kernels (what they export, core.h says), or a
// real cubin, whose kernels can be looked up and launched but do nothing.
#include "modules.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "device_memory.h"
#include "elf_file.h"
#include "errors.h"
#include "settings.h"

using namespace fakecuda;

namespace {

constexpr char kMark[] = "FAKECUDA";
constexpr size_t kMarkSize = 8;
constexpr int kMachineCuda = 190;

bool write_all(int file, const char* data, size_t size) {
  while (size) {
    ssize_t n = write(file, data, size);
    if (n <= 0) return false;
    data += n;
    size -= size_t(n);
  }
  return true;
}

// dlopen of an image in memory. dlopen takes a library whose name it has seen for that library, so
// the name is new by construction: mkstemp repeats names once their files are gone, in glibc 2.36
// after some thousands. The file is gone at once.
void* open_library(const char* image, size_t size) {
  static std::atomic<unsigned long> serial{0};
  std::string name =
      "/fakecuda-kernel-" + std::to_string(getpid()) + "-" + std::to_string(serial++);
  std::string reason;
  for (const char* folder : {"/dev/shm", "/tmp"}) {
    std::string path = folder + name;
    unlink(path.c_str());  // left by a process of the same number that was killed
    int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = file >= 0 && write_all(file, image, size);
    if (!written) reason = path + ": " + strerror(errno);
    if (file >= 0) close(file);
    void* library = written ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (written && !library) reason = dlerror();
    unlink(path.c_str());
    if (library) return library;
  }
  fprintf(stderr, "fakecuda: a compiled kernel cannot be loaded: %s\n", reason.c_str());
  return nullptr;
}

int load_library(Module& module, const char* image) {
  uint64_t size;
  memcpy(&size, image + kMarkSize, sizeof size);
  image += kMarkSize + sizeof size;
  module.library = open_library(image, size);
  if (!module.library) return cudaErrorInvalidKernelImage;
  if (const Elf64_Shdr* shared = Elf(image).section(FAKECUDA_SHARED_SECTION)) {
    auto map = static_cast<const link_map*>(module.library);
    module.static_shared = reinterpret_cast<char*>(map->l_addr + shared->sh_addr);
    module.static_shared_size = shared->sh_size;
  }
  if (module.static_shared_size > size_t(limits::kSharedPerBlock)) {
    fprintf(stderr, "fakecuda: %zu bytes of static shared memory; a block has %d\n",
            module.static_shared_size, limits::kSharedPerBlock);
    return cudaErrorInvalidPtx;  // a compiler for GPUs refuses such a kernel
  }
  return 0;
}

void add_function(Module& module, const std::string& name, void (*call)(void**),
                  std::vector<size_t> sizes) {
  int shared = limits::kSharedPerBlock - int(module.static_shared_size);
  module.functions[name].reset(new Function{name, &module, call, std::move(sizes), shared});
}

// Kernels and variables stand in the table of symbols.
int load_cubin(Module& module, const char* image) {
  for (auto& [name, symbol] : Elf(image).symbols()) {
    if (symbol->st_shndx == SHN_UNDEF) continue;
    int type = ELF64_ST_TYPE(symbol->st_info);
    if (type == STT_FUNC && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL) {
      add_function(module, name, nullptr, {});
    } else if (type == STT_OBJECT && symbol->st_size) {
      void* address;
      int code = allocate(MemoryKind::kDevice, symbol->st_size, module.device, &address);
      if (code) return code;
      module.globals[name] = {address, symbol->st_size};
    }
  }
  return 0;
}

int load(void** out, const char* image) {
  count("module");
  auto module = std::make_unique<Module>();
  module->device = current_device();
  int code = cudaErrorInvalidKernelImage;
  if (!memcmp(image, kMark, kMarkSize))
    code = load_library(*module, image);
  else if (Elf::is_elf(image) && Elf(image).header().e_machine == kMachineCuda)
    code = load_cubin(*module, image);
  if (!code) *out = module.release();
  return code;
}

size_t parameter_limit() {
  bool large = settings.arch >= 70 && CUDART_VERSION >= 12010;
  return size_t(large ? limits::kParameters : limits::kParametersBeforeVolta);
}

int find_function(Module& module, const std::string& name) {
  auto call = dlsym(module.library, ("fakecuda_call_" + name).c_str());
  auto sizes = static_cast<size_t*>(dlsym(module.library, ("fakecuda_sizes_" + name).c_str()));
  if (!call || !sizes) return cudaErrorSymbolNotFound;
  std::vector<size_t> all(sizes + 1, sizes + 1 + sizes[0]);
  size_t total = 0;
  for (size_t size : all) total += size;
  if (total > parameter_limit()) {
    fprintf(stderr, "fakecuda: the parameters of kernel '%s' take %zu bytes; the limit is %zu\n",
            name.c_str(), total, parameter_limit());
    return cudaErrorInvalidPtx;  // a compiler for GPUs refuses such a kernel
  }
  auto typed = reinterpret_cast<void (*)(void**)>(call);
  add_function(module, name, typed, std::move(all));
  return 0;
}

// A variable of a library: it is the host's memory, to which copies of the runtime go.
int find_global(Module& module, const std::string& name) {
  void* address = module.library ? dlsym(module.library, name.c_str()) : nullptr;
  Dl_info info;
  ElfW(Sym)* symbol = nullptr;
  if (!address || !dladdr1(address, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT) ||
      !symbol || !symbol->st_size)
    return cudaErrorSymbolNotFound;
  add_block({uintptr_t(address), symbol->st_size, module.device, MemoryKind::kGlobal});
  module.globals[name] = {address, symbol->st_size};
  return 0;
}

}  // namespace

C_API int cuModuleLoadData(void** out, const void* image) {
  return driver_call([&] { return load(out, static_cast<const char*>(image)); });
}

C_API int cuModuleLoad(void** out, const char* path) {
  FILE* file = fopen(path, "rb");
  if (!file) return cudaErrorFileNotFound;
  std::string image;
  char part[65536];
  for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) image.append(part, n);
  fclose(file);
  return cuModuleLoadData(out, image.data());
}

// Late launches may still need it: the library stays.
C_API int cuModuleUnload(void*) { return 0; }

C_API int cuModuleGetFunction(void** out, void* handle, const char* name) {
  return driver_call([&]() -> int {
    auto& module = *static_cast<Module*>(handle);
    if (!module.functions.count(name)) {
      if (!module.library) return cudaErrorSymbolNotFound;
      if (int code = find_function(module, name)) return code;
    }
    *out = module.functions[name].get();
    return 0;
  });
}

C_API int cuModuleGetGlobal_v2(void** address, size_t* size, void* handle, const char* name) {
  return driver_call([&]() -> int {
    auto& module = *static_cast<Module*>(handle);
    if (!module.globals.count(name))
      if (int code = find_global(module, name)) return code;
    if (address) *address = module.globals[name].first;
    if (size) *size = module.globals[name].second;
    return 0;
  });
}
