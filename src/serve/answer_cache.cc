#include "serve/answer_cache.h"

namespace flyball::serve {
namespace {
// What an entry costs beside its texts.
constexpr uint64_t kEntryBytes = 200;
}  // namespace

AnswerCache::Text AnswerCache::Find(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  by_age_.splice(by_age_.begin(), by_age_, found->second);
  return found->second->answer;
}

void AnswerCache::Keep(const std::string& key, Text answer) {
  const uint64_t bytes = key.size() + answer->size() + kEntryBytes;
  std::lock_guard lock(mutex_);
  if (bytes > bytes_max_ / 4 || by_key_.contains(key)) {
    return;
  }
  while (bytes_ + bytes > bytes_max_) {
    DropOldest();
  }
  by_age_.push_front({key, std::move(answer)});
  by_key_.emplace(by_age_.front().key, by_age_.begin());
  bytes_ += bytes;
}

void AnswerCache::DropOldest() {
  const Entry& oldest = by_age_.back();
  bytes_ -= oldest.key.size() + oldest.answer->size() + kEntryBytes;
  by_key_.erase(oldest.key);
  by_age_.pop_back();
}

AnswerCache::Stats AnswerCache::stats() const {
  std::lock_guard lock(mutex_);
  return {hits_, misses_, bytes_, by_age_.size()};
}

}  // namespace flyball::serve
