#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace flyball::log {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 8> kSecretWords = {
    "token", "password", "passwd", "secret", "authorization", "cookie", "api_key", "credential"};

struct State {
  std::mutex mutex;
  Options options;
  std::unique_ptr<Clock> clock = MakeSystemClock();
  std::shared_ptr<spdlog::logger> logger;

  State() {
    logger = std::make_shared<spdlog::logger>("flyball",
                                              std::make_shared<spdlog::sinks::stderr_sink_st>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
  }
};

// Never destroyed: a thread may still log while the program ends.
State& GlobalState() {
  static State& state = *new State();
  return state;
}

std::atomic<Level> g_level{Level::kInfo};
std::atomic<uint64_t> g_bug_count{0};

bool NamesSecret(std::string_view key) {
  std::string lower = ToLower(key);
  for (std::string_view word : kSecretWords) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string_view ShownValue(const Field& field) {
  if (NamesSecret(field.key)) return "(hidden)";
  return field.value.substr(0, kLogValueMaxBytes);
}

std::string JsonLine(Instant now, Level level, std::string_view message, Fields fields) {
  std::string line = "{\"time\":\"" + FormatInstant(now) + "\",\"level\":\"";
  line += kLevelNames[static_cast<size_t>(level)];
  line += "\",\"message\":";
  AppendJsonString(message, &line);
  for (const Field& field : fields) {
    line += ',';
    AppendJsonString(field.key, &line);
    line += ':';
    AppendJsonString(ShownValue(field), &line);
  }
  return line + '}';
}

// A value that has blanks, quotes or control characters is quoted, so that one fact stays one line.
void AppendTextValue(std::string_view value, std::string* line) {
  bool plain = !value.empty();
  for (char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7f') plain = false;
  }
  if (plain && ValidUtf8Prefix(value) == value.size()) {
    *line += value;
  } else {
    AppendJsonString(value, line);
  }
}

std::string TextLine(Instant now, Level level, std::string_view message, Fields fields) {
  std::string line = FormatInstant(now) + " ";
  line += kLevelNames[static_cast<size_t>(level)];
  line += ' ';
  std::string quoted;
  AppendJsonString(message, &quoted);
  line.append(quoted, 1, quoted.size() - 2);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendTextValue(ShownValue(field), &line);
  }
  return line;
}

void Write(Level level, std::string_view message, Fields fields) {
  if (!Enabled(level)) return;
  State& state = GlobalState();
  std::lock_guard lock(state.mutex);
  Instant now = state.clock->Now();
  std::string line = state.options.format == Format::kJson ? JsonLine(now, level, message, fields)
                                                           : TextLine(now, level, message, fields);
  if (state.options.sink) {
    state.options.sink(line);
  } else {
    state.logger->log(spdlog::level::info, spdlog::string_view_t(line));
  }
}

}  // namespace

void Configure(Options options) {
  State& state = GlobalState();
  std::lock_guard lock(state.mutex);
  g_level.store(options.level, std::memory_order_relaxed);
  state.options = std::move(options);
}

bool ParseLevel(std::string_view name, Level* level) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (EqualsIgnoreCase(name, kLevelNames[i])) {
      *level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

bool Enabled(Level level) {
  return level != Level::kOff && level >= g_level.load(std::memory_order_relaxed);
}

void Debug(std::string_view message, Fields fields) { Write(Level::kDebug, message, fields); }
void Info(std::string_view message, Fields fields) { Write(Level::kInfo, message, fields); }
void Warn(std::string_view message, Fields fields) { Write(Level::kWarn, message, fields); }
void Error(std::string_view message, Fields fields) { Write(Level::kError, message, fields); }

void Bug(std::string_view message, Fields fields) {
  g_bug_count.fetch_add(1, std::memory_order_relaxed);
  Write(Level::kError, "bug: " + std::string(message), fields);
  State& state = GlobalState();
  bool stop = false;
  {
    std::lock_guard lock(state.mutex);
    stop = state.options.abort_on_bug;
  }
  if (stop) std::abort();
}

uint64_t BugCount() { return g_bug_count.load(std::memory_order_relaxed); }

}  // namespace flyball::log
