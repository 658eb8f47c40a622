#include "ledger/rule_books.h"

#include "base/hash.h"

namespace flyball::ledger {

Result<std::string> RuleBooks::Put(const std::string& snapshot) {
  std::string hash = Sha256Hex(snapshot);
  std::string path = layout_.RulesFile(hash);
  if (!files_.Exists(path)) FB_CHECK(os::AtomicWrite(files_, path, snapshot));
  return hash;
}

Result<std::shared_ptr<const estate::RuleSet>> RuleBooks::Get(const std::string& hash) {
  std::lock_guard lock(mutex_);
  for (const auto& [known, rules] : compiled_) {
    if (known == hash) return rules;
  }
  std::string path = layout_.RulesFile(hash);
  Result<std::string> snapshot = files_.ReadAll(path);
  if (!snapshot || Sha256Hex(*snapshot) != hash) {
    Error lost{Code::kDataLoss,
               snapshot ? "the rulebook snapshot was changed" : "the rulebook snapshot is missing",
               "restore it from a backup",
               {}};
    return Fail(std::move(lost).At(Place{path, 0, 0, 0}));
  }
  std::shared_ptr<const estate::RuleSet> rules = FB_TRY(estate::RuleSet::Compile(*snapshot));
  if (compiled_.size() == kCompiledKept) compiled_.erase(compiled_.begin());
  compiled_.emplace_back(hash, rules);
  return rules;
}

}  // namespace flyball::ledger
