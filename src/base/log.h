// Log: one line a fact, on standard error, for people or for machines.
//
//   log::Info("imported", {{"source", name}, {"rows", std::to_string(rows)}});
//
// A message is a short constant sentence; what varies goes into fields, so that lines can be
// counted and searched. Secrets never come here; as a second line of defence the value of a field
// whose key names one ("token", "password", "authorization", ...) is written as "(hidden)". Values
// are cut at kLogValueMaxBytes. All calls may come from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::log {

inline constexpr size_t kLogValueMaxBytes = 4096;

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class Format : uint8_t { kText, kJson };

struct Field {
  std::string_view key;
  std::string_view value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  // Where the lines go, without their line end; standard error when empty. For tests. It may be
  // called from any thread, one at a time, and must not log.
  std::function<void(std::string_view line)> sink;
#ifdef FLYBALL_RELEASE
  bool abort_on_bug = false;
#else
  bool abort_on_bug = true;
#endif
};
// Takes hold for every later line. Called by app/ at the start, and by tests.
void Configure(Options options);
// "debug", "info", "warn", "error", "off"; false: none of them.
bool ParseLevel(std::string_view name, Level* level);

bool Enabled(Level level);
void Debug(std::string_view message, Fields fields = {});
void Info(std::string_view message, Fields fields = {});
void Warn(std::string_view message, Fields fields = {});
void Error(std::string_view message, Fields fields = {});

// What fails while it is tried again and again is told once, and again when it fails otherwise or
// after it had ended. Of one thread.
class LastingFault {
 public:
  // Whether to tell it: `outcome` is a failure, and not that of the last time. A success ends it.
  template <typename T>
  bool IsNews(const Result<T>& outcome) {
    std::string why = outcome ? std::string() : outcome.error().ToString();
    const bool news = !why.empty() && why != why_;
    why_ = std::move(why);
    return news;
  }
  void End() { why_.clear(); }
  bool lasts() const { return !why_.empty(); }
  std::string_view why() const { return why_; }

 private:
  std::string why_;
};

// A state that should be impossible but that can be survived without a wrong number. In builds
// other than release it stops the program, so that tests find it; in release it is logged, counted
// (BugCount, a metric) and survived.
void Bug(std::string_view message, Fields fields = {});
uint64_t BugCount();

}  // namespace flyball::log
