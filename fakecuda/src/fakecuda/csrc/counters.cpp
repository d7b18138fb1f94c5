// What has been done, by name: tests read it to see what waits, copies or allocates.
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "core.h"
#include "settings.h"

namespace fakecuda {

std::recursive_mutex mutex;

static std::map<std::string, long, std::less<>> counters;

void count(const char* what) {
  Lock lock(mutex);
  auto found = counters.find(std::string_view(what));
  if (found == counters.end()) found = counters.emplace(what, 0).first;
  ++found->second;
  if (settings.trace) fprintf(stderr, "[fakecuda] %s\n", what);
}

}  // namespace fakecuda

using namespace fakecuda;

C_API long fakecuda_count(const char* what) {
  Lock lock(mutex);
  auto found = counters.find(std::string_view(what));
  return found == counters.end() ? 0 : found->second;
}

C_API void fakecuda_reset_counts() {
  Lock lock(mutex);
  counters.clear();
}

// Writes lines of "name<tab>number"; returns the length of the whole text, as snprintf does.
C_API int fakecuda_counts(char* out, int size) {
  Lock lock(mutex);
  std::string text;
  for (auto& [name, number] : counters) text += name + "\t" + std::to_string(number) + "\n";
  return snprintf(out, size_t(size), "%s", text.c_str());
}
