#include "app/estate_now.h"

#include "os/files.h"

namespace flyball::app {

std::string EstatePath(const Environment& environment) {
  return os::JoinPath(environment.home, "estate.yaml");
}

Result<std::shared_ptr<const estate::RuleSet>> EstateNow::Get() {
  const std::string text = FB_TRY(estate::LoadEstate(environment_.files, EstatePath(environment_)));
  const std::lock_guard lock(mutex_);
  const bool known = !rules_ || *rules_ != nullptr;
  if (known && text == text_) return rules_;
  rules_ = estate::RuleSet::Compile(text);
  text_ = text;
  return rules_;
}

}  // namespace flyball::app
