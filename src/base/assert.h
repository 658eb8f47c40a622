// Assertions that stay on in production. FB_ASSERT aborts with the place and the expression: an
// invariant that money rests on is broken and going on would write wrong numbers.
#pragma once

namespace flyball {
[[noreturn]] void AssertFailed(const char* expression, const char* file, int line);
}  // namespace flyball

#define FB_ASSERT(...)                                           \
  do {                                                           \
    if (!(__VA_ARGS__)) [[unlikely]]                             \
      ::flyball::AssertFailed(#__VA_ARGS__, __FILE__, __LINE__); \
  } while (false)
