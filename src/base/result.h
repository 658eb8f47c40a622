// Result<T> and Error: how every fallible function of Flyball answers.
//
// An Error has one of the 16 canonical codes (they map to HTTP and gRPC statuses, and to the exit
// codes of the program), one sentence for the user, a hint that says what to do, and the place in
// the input where it went wrong. Exceptions stay inside the wrappers of third-party libraries; a
// broken invariant is FB_ASSERT (base/assert.h).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace flyball {

enum class Code : uint8_t {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// Where in the input an error was found. Lines, columns and bytes count from 1; 0 means unknown.
struct Place {
  std::string file;
  int64_t line = 0;
  int64_t column = 0;
  int64_t byte = 0;
};

struct [[nodiscard]] Error {
  Code code = Code::kUnknown;
  std::string message;  // one sentence, names the thing that is wrong
  std::string hint;     // what the user can do; may be empty
  Place place;

  Error& At(Place where) & {
    place = std::move(where);
    return *this;
  }
  Error&& At(Place where) && {
    place = std::move(where);
    return std::move(*this);
  }
  Error&& Hint(std::string what) && {
    hint = std::move(what);
    return std::move(*this);
  }
  // "file:line:column: message (hint)", as the CLI prints it.
  std::string ToString() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

// "INVALID_ARGUMENT" and so on, the stable names of the codes in JSON.
std::string_view CodeName(Code code);
// The HTTP status of a code (RFC 9110; mapping as in google.rpc.Code).
int HttpStatus(Code code);
// Exit code of the program: 2 for wrong usage or bad input, 3 for what could not be done.
int ExitCode(Code code);

inline std::unexpected<Error> Fail(Code code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint), {}});
}
inline std::unexpected<Error> Fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace flyball

// FB_TRY(expr): the value of a Result, or return its error from the enclosing function. In
// statements only (g++ 12 does not evaluate it in constructor initialisers or default arguments).
// FB_CHECK(expr): the same for a Status. The counter keeps a nested use from shadowing the outer
// one.
#define FB_TRY(...) FB_TRY_NAMED(FB_CONCAT(fb_result_, __COUNTER__), __VA_ARGS__)
#define FB_CHECK(...) FB_CHECK_NAMED(FB_CONCAT(fb_status_, __COUNTER__), __VA_ARGS__)

#define FB_CONCAT_(a, b) a##b
#define FB_CONCAT(a, b) FB_CONCAT_(a, b)
#define FB_TRY_NAMED(name, ...)                            \
  ({                                                       \
    auto name = (__VA_ARGS__);                             \
    if (!name) [[unlikely]]                                \
      return ::std::unexpected(::std::move(name).error()); \
    ::std::move(name).value();                             \
  })
#define FB_CHECK_NAMED(name, ...)                          \
  do {                                                     \
    auto name = (__VA_ARGS__);                             \
    if (!name) [[unlikely]]                                \
      return ::std::unexpected(::std::move(name).error()); \
  } while (false)
