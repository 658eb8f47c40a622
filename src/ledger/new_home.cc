#include "ledger/new_home.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/log.h"
#include "estate/estate.h"
#include "ledger/home.h"

namespace flyball::ledger {
namespace {

// The folder and those above it that do not exist, innermost first.
std::vector<std::string> AbsentFolders(os::Files& files, std::filesystem::path folder) {
  std::vector<std::string> absent;
  for (; folder.has_relative_path() && !files.Exists(folder.string());
       folder = folder.parent_path()) {
    absent.push_back(folder.string());
  }
  return absent;
}

Status CheckEstate(os::Files& files, const Layout& layout) {
  FB_TRY(estate::RuleSet::Compile(FB_TRY(estate::LoadEstate(files, layout.Estate()))));
  return {};
}

}  // namespace

Result<NewHome> NewHome::Hold(os::Files& files, const std::string& home) {
  FB_CHECK(CheckHomePath(home));
  const Layout layout{home};
  NewHome held(files, home);
  FB_CHECK(CheckEstate(files, layout));
  held.made_ = AbsentFolders(files, layout.Tmp());
  FB_CHECK(files.MakeDirs(home));
  held.lock_ = FB_TRY(os::HomeLock::Acquire(layout.Lock()));
  if (HomeExists(files, home)) {
    held.lock_.reset();
    return Fail(Code::kAlreadyExists, "another process has just begun a ledger at '" + home + "'",
                "try again");
  }
  FB_CHECK(files.MakeDirs(layout.Tmp()));
  FB_CHECK(SweepStaging(files, layout));
  return held;
}

NewHome::NewHome(NewHome&& other) noexcept
    : files_(other.files_),
      home_(std::move(other.home_)),
      made_(std::move(other.made_)),
      lock_(std::exchange(other.lock_, std::nullopt)) {}

NewHome::~NewHome() {
  if (!lock_) return;
  // What somebody else has put into a folder in the meantime keeps it.
  (void)rmdir(Layout{home_}.Tmp().c_str());
  if (Status removed = std::move(*lock_).Remove(); !removed) {
    log::Warn("could not remove a lock file", {{"why", removed.error().message}});
  }
  for (const std::string& folder : made_) (void)rmdir(folder.c_str());
}

Result<std::unique_ptr<Ledger>> NewHome::Open(const LedgerOptions& options, Clock& clock) && {
  std::optional<os::HomeLock> lock = std::exchange(lock_, std::nullopt);
  return Ledger::Open(options, *files_, clock, std::move(lock));
}

}  // namespace flyball::ledger
