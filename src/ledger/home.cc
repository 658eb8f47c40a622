#include "ledger/home.h"

#include <signal.h>
#include <unistd.h>
#include <filesystem>

#include <cerrno>
#include <charconv>
#include <mutex>

#include "base/text.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

constexpr std::string_view kQuarantineSuffix = ".jsonl";

Result<int> ReadVersion(os::Files& files, const Layout& layout) {
  std::string text = FB_TRY(files.ReadAll(layout.Version()));
  std::string_view trimmed = Trim(text);
  int version = 0;
  auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), version);
  if (error != std::errc() || end != trimmed.data() + trimmed.size() || version < 1) {
    Error wrong{Code::kDataLoss, "the home's VERSION is not a number", {}, {}};
    return Fail(std::move(wrong).At(Place{layout.Version(), 1, 0, 0}));
  }
  return version;
}

// slices/<source>/<period or "packs">. A stray file in their place is somebody else's, and is left
// alone.
std::vector<std::string> PeriodDirs(os::Files& files, const Layout& layout) {
  std::vector<std::string> dirs = {layout.Slices()};
  for (int depth = 0; depth < 2; ++depth) {
    std::vector<std::string> below;
    for (const std::string& dir : dirs) {
      Result<std::vector<std::string>> names = files.List(dir);
      if (!names) continue;
      for (const std::string& name : *names) below.push_back(os::JoinPath(dir, name));
    }
    dirs = std::move(below);
  }
  std::erase_if(dirs, [&](const std::string& dir) { return !files.List(dir).has_value(); });
  return dirs;
}

// The staging folders that this very process has made: with process ids used again (in a container
// always), the id alone does not tell them from those of a predecessor.
struct OwnStaging {
  std::mutex mutex;
  std::set<std::string, std::less<>> names;
};
OwnStaging& TheOwnStaging() {
  static OwnStaging own;
  return own;
}

// "import-<pid>-<n>" of a process that still runs.
bool OwnedByLivingProcess(std::string_view name) {
  std::string_view whole = name;
  std::string_view prefix = kStagingPrefix;
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  pid_t pid = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || pid <= 0 || end == name.data() + name.size() || *end != '-') {
    return false;
  }
  if (pid == getpid()) {
    std::lock_guard lock(TheOwnStaging().mutex);
    return TheOwnStaging().names.contains(whole);
  }
  return kill(pid, 0) == 0 || errno == EPERM;
}

}  // namespace

std::string AbsolutePath(const std::string& path) {
  std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

Status CheckHomePath(const std::string& home) {
  size_t at = home.find_first_of("*?[");
  if (at == std::string::npos) return {};
  return Fail(
      Code::kInvalidArgument,
      fmt::format("the home's path '{}' has a '{}', which stands for other characters in names of"
                  " files",
                  home, home[at]),
      "choose a home without '*', '?' and '['");
}

Result<std::string> MakeStagingDir(os::Files& files, const std::string& home) {
  FB_CHECK(CheckHomePath(home));
  OwnStaging& own = TheOwnStaging();
  std::lock_guard lock(own.mutex);
  for (size_t n = own.names.size();; ++n) {
    std::string name = fmt::format("{}{}-{}", kStagingPrefix, getpid(), n);
    std::string dir = os::JoinPath(Layout{home}.Tmp(), name);
    if (own.names.contains(name) || files.Exists(dir)) continue;
    FB_CHECK(files.MakeDirs(dir));
    own.names.insert(name);
    return dir;
  }
}

bool HomeExists(os::Files& files, const std::string& home) {
  const Layout layout{home};
  return files.Exists(layout.Version()) || files.Exists(layout.LogDir());
}

Status PrepareHome(os::Files& files, const Layout& layout) {
  if (files.Exists(layout.Version())) {
    int version = FB_TRY(ReadVersion(files, layout));
    if (version < kHomeVersion) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("the home has layout version {}, this program works on {}", version,
                              kHomeVersion),
                  "run `flyball migrate`");
    }
    if (version > kHomeVersion) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("the home has layout version {}, which is newer than {}", version,
                              kHomeVersion),
                  "use a newer flyball");
    }
  } else if (files.Exists(layout.Journal())) {
    return Fail(Code::kFailedPrecondition, "the home has a log but no VERSION file",
                "restore '" + layout.Version() + "'");
  }
  for (const std::string& dir : {layout.LogDir(), layout.Slices(), layout.Rules(),
                                 layout.Quarantine(), layout.Store(), layout.Tmp()}) {
    FB_CHECK(files.MakeDirs(dir));
  }
  // The version comes last: a home that has one is whole.
  if (!files.Exists(layout.Version())) {
    FB_CHECK(os::AtomicWrite(files, layout.Version(), fmt::format("{}\n", kHomeVersion)));
  }
  return {};
}

Status SweepStaging(os::Files& files, const Layout& layout) {
  const std::vector<std::string> names = FB_TRY(files.List(layout.Tmp()));
  for (const std::string& name : names) {
    if (OwnedByLivingProcess(name)) continue;
    FB_CHECK(files.RemoveTree(os::JoinPath(layout.Tmp(), name)));
  }
  return {};
}

Result<std::vector<std::string>> MissingFolders(os::Files& files, const Layout& layout,
                                                const std::set<std::string>& folders) {
  std::set<std::string> missing = folders;
  for (const std::string& period_dir : PeriodDirs(files, layout)) {
    const std::vector<std::string> ids = FB_TRY(files.List(period_dir));
    for (const std::string& id : ids) missing.erase(id);
  }
  return std::vector<std::string>(missing.begin(), missing.end());
}

Result<int> SweepUnnamed(os::Files& files, const Layout& layout,
                         const std::set<std::string>& folders,
                         const std::set<std::string>& quarantines) {
  int removed = 0;
  for (const std::string& period_dir : PeriodDirs(files, layout)) {
    const std::vector<std::string> ids = FB_TRY(files.List(period_dir));
    for (const std::string& id : ids) {
      if (folders.contains(id)) continue;
      FB_CHECK(files.RemoveTree(os::JoinPath(period_dir, id)));
      ++removed;
    }
  }
  const std::vector<std::string> rows = FB_TRY(files.List(layout.Quarantine()));
  for (const std::string& name : rows) {
    std::string_view id = name;
    if (id.ends_with(kQuarantineSuffix)) id.remove_suffix(kQuarantineSuffix.size());
    if (quarantines.contains(std::string(id))) continue;
    FB_CHECK(files.Remove(os::JoinPath(layout.Quarantine(), name)));
    ++removed;
  }
  return removed;
}

Result<std::string> MigrateHome(os::Files& files, const std::string& home) {
  Layout layout{home};
  if (!files.Exists(layout.Version())) {
    return Fail(Code::kNotFound, "there is no home at '" + home + "'");
  }
  int version = FB_TRY(ReadVersion(files, layout));
  if (version > kHomeVersion) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("the home has layout version {}, which is newer than {}", version,
                            kHomeVersion),
                "use a newer flyball");
  }
  // Version 1 is the first one: nothing older is to be brought up.
  return fmt::format("the home has layout version {} already", version);
}

}  // namespace flyball::ledger
