#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace flyball {

void AssertFailed(const char* expression, const char* file, int line) {
  // Plain stdio: the logger may be what is broken.
  (void)std::fprintf(stderr,
                     "flyball: internal error at %s:%d: '%s' does not hold; stopping before wrong "
                     "numbers are written\n",
                     file, line, expression);
  (void)std::fflush(stderr);
  std::abort();
}

}  // namespace flyball
