// AnswerCache: answers of cost queries, kept by (commit, question). A commit never changes, so an
// answer never goes stale; the least recently used ones leave when the bytes run out. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace flyball::serve {

class AnswerCache {
 public:
  using Text = std::shared_ptr<const std::string>;
  explicit AnswerCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  // nullptr: not here.
  Text Find(const std::string& key);
  // An answer larger than a quarter of the cache is not kept.
  void Keep(const std::string& key, Text answer);

  struct Stats {
    uint64_t hits = 0, misses = 0, bytes = 0, answers = 0;
  };
  Stats stats() const;

 private:
  struct Entry {
    std::string key;
    Text answer;
  };
  void DropOldest();

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Entry> by_age_;  // newest first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  uint64_t bytes_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace flyball::serve
