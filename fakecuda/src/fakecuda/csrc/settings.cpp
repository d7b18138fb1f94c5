#include "settings.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <string>

#include "core.h"

namespace fakecuda {
namespace {

double number(const char* name, double otherwise) {
  const char* value = getenv(name);
  return value && *value ? atof(value) : otherwise;
}

bool flag(const char* name, bool otherwise) { return number(name, otherwise) != 0; }

// A list ends at the first thing that is no device; a device named twice hides all.
std::vector<int> find_visible() {
  std::vector<int> found;
  const char* list = getenv("CUDA_VISIBLE_DEVICES");
  if (!list) {
    found.resize(size_t(settings.devices));
    std::iota(found.begin(), found.end(), 0);
    return found;
  }
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    char* end;
    long device = strtol(word.c_str(), &end, 10);
    if (end == word.c_str() || *end || device < 0 || device >= settings.devices) break;
    if (std::count(found.begin(), found.end(), device)) return {};
    found.push_back(int(device));
  }
  return found;
}

}  // namespace

Settings settings = {
    std::clamp(int(number("FAKECUDA_DEVICES", 1)), 0, kMaxDevices),
    int(number("FAKECUDA_ARCH", 90)),
    size_t(number("FAKECUDA_GIB", 8) * (size_t(1) << 30)),
    flag("FAKECUDA_PEER", true),
    flag("FAKECUDA_PROTECT", true),
    flag("FAKECUDA_STRICT", false),
    flag("FAKECUDA_LAZY", false),
    flag("FAKECUDA_TRACE", false),
};

const std::vector<int>& visible_devices() {
  static const std::vector<int> found = find_visible();
  return found;
}

int compute_capability() { return settings.arch; }
bool strict() { return settings.strict; }

}  // namespace fakecuda
