#include "settings.h"

#include <algorithm>
#include <cstdlib>

#include "core.h"

namespace fakecuda {
namespace {

double number(const char* name, double otherwise) {
  const char* value = getenv(name);
  return value && *value ? atof(value) : otherwise;
}

bool flag(const char* name, bool otherwise) { return number(name, otherwise) != 0; }

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

int compute_capability() { return settings.arch; }
bool strict() { return settings.strict; }

}  // namespace fakecuda
