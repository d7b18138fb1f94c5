// The little that is read of ELF files: sections and symbols, of compiled kernels and of cubins.
#pragma once
#include <elf.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace fakecuda {

class Elf {
 public:
  // Null-safe only for whole images: `data` is trusted, as the driver trusts it.
  explicit Elf(const char* data) : data_(data) {}

  static bool is_elf(const char* data) { return !memcmp(data, ELFMAG, SELFMAG); }

  const Elf64_Ehdr& header() const { return *reinterpret_cast<const Elf64_Ehdr*>(data_); }

  const Elf64_Shdr* section(const std::string& name) const {
    for (int i = 0; i < header().e_shnum; ++i)
      if (name == text(header().e_shstrndx, section(i).sh_name)) return &section(i);
    return nullptr;
  }

  // The symbols of the full table (not only the dynamic one), with their names.
  std::vector<std::pair<std::string, const Elf64_Sym*>> symbols() const {
    std::vector<std::pair<std::string, const Elf64_Sym*>> found;
    for (int i = 0; i < header().e_shnum; ++i) {
      const Elf64_Shdr& table = section(i);
      if (table.sh_type != SHT_SYMTAB) continue;
      auto first = reinterpret_cast<const Elf64_Sym*>(data_ + table.sh_offset);
      for (auto symbol = first; symbol < first + table.sh_size / sizeof *first; ++symbol)
        found.emplace_back(text(table.sh_link, symbol->st_name), symbol);
    }
    return found;
  }

 private:
  const Elf64_Shdr& section(int i) const {
    return reinterpret_cast<const Elf64_Shdr*>(data_ + header().e_shoff)[i];
  }
  const char* text(unsigned table, unsigned offset) const {
    return data_ + section(int(table)).sh_offset + offset;
  }

  const char* data_;
};

}  // namespace fakecuda
