// flyball sync: import what is new in the sources of the estate (docs/SYNC.md).
//
// A source is listed, its files are put together in sets, and each set that is new or changed is
// fetched and imported as `flyball import` would. A set that fails keeps no other back.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/api_months.h"
#include "app/command.h"
#include "app/error_json.h"
#include "app/importer.h"
#include "app/source_store.h"
#include "app/worker.h"
#include "base/hash.h"
#include "base/text.h"
#include "os/process.h"
#include "sources/fetch.h"
#include "sources/folder.h"
#include "sources/last_sync.h"
#include "sources/manifest.h"
#include "sources/plan.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
using sources::FileSet;

// A delivery that changes while it is fetched is looked at so many times.
constexpr int kListingsMax = 3;
constexpr uint64_t kDiskMarginBytes = 64u << 20;
constexpr int64_t kWaitSliceUs = 50'000;

std::string SyncFolder(const Environment& environment) {
  return os::JoinPath(environment.home, "sync");
}

bool WaitUnlessStopped(int64_t us) {
  for (; us > 0 && !os::StopRequested(); us -= kWaitSliceUs) {
    std::this_thread::sleep_for(std::chrono::microseconds(std::min(us, kWaitSliceUs)));
  }
  return !os::StopRequested();
}

// One source on its way.
class SourceSync {
 public:
  SourceSync(const Environment& environment, const SyncArgs& args, const estate::Source& source,
             uint64_t max_rate, std::optional<Importer>& importer)
      : environment_(environment),
        files_(environment.files),
        args_(args),
        source_(source),
        folder_(os::JoinPath(SyncFolder(environment), source.name)),
        importer_(importer),
        random_(static_cast<uint64_t>(environment.clock.MonotonicUs())),
        pacer_(Slower(source.max_rate, max_rate)),
        web_(WebOptionsOf(source)),
        api_(source, folder_),
        fetcher_{web_, files_, environment.clock, random_, pacer_, WaitUnlessStopped, {}} {}

  // What became of it, as JSON; an error: nothing could be said of any set.
  Result<Json> Run() {
    memory_ = FB_TRY(sources::ReadMemory(files_, MemoryPath()));
    for (int listing = 1;; ++listing) {
      const bool last = listing == kListingsMax;
      Result<std::vector<FileSet>> planned = Plan();
      if (!planned && planned.error().code == Code::kAborted && !last) continue;
      const std::vector<FileSet> sets = FB_TRY(std::move(planned));
      if (!args_.dry_run) FB_CHECK(RemoveStale(sets));
      const bool moved = FB_TRY(RunSets(sets, last));
      if (moved) continue;
      Json document{{"source", source_.name}, {"sets", Json::array()}};
      for (const auto& [id, told] : told_) document["sets"].push_back(told);
      const std::vector<std::string> gone = sources::Gone(sets, memory_);
      if (api_.all_asked() && !gone.empty()) document["gone"] = gone;
      return document;
    }
  }

  const std::vector<Error>& failures() const { return failures_; }

 private:
  // Of two rates of which 0 is none.
  static uint64_t Slower(uint64_t a, uint64_t b) {
    return a == 0 || b == 0 ? a + b : std::min(a, b);
  }

  static net::WebOptions WebOptionsOf(const estate::Source& source) {
    net::WebOptions options;
    options.ca_file = source.ca_file;
    options.stopped = [] { return os::StopRequested(); };
    return options;
  }

  std::string MemoryPath() const { return os::JoinPath(folder_, "memory.json"); }
  std::string FilesPath() const { return os::JoinPath(folder_, "files"); }
  bool is_folder() const { return source_.kind == estate::SourceKind::kFolder; }

  Result<std::vector<FileSet>> Plan() {
    if (is_folder()) {
      return sources::PlanFiles(source_, FB_TRY(sources::ListFolder(source_.path)), memory_);
    }
    if (source_.is_api()) return PlanMonths();
    store_ = FB_TRY(OpenStore(source_, web_, files_, environment_.clock));
    const std::vector<sources::Object> objects = FB_TRY(sources::ListObjects(fetcher_, store_));
    estate::ManifestKind kind = source_.manifest;
    if (kind == estate::ManifestKind::kAuto) kind = sources::DetectManifests(objects);
    if (kind == estate::ManifestKind::kNone) {
      return sources::PlanFiles(source_, objects, memory_);
    }
    return PlanDeliveries(kind, objects);
  }

  Result<std::vector<FileSet>> PlanMonths() {
    std::vector<FileSet> sets;
    auto planned = FB_TRY(api_.Plan(fetcher_, memory_, !args_.dry_run, args_.accept_key));
    for (ApiMonths::Planned& month : planned) {
      if (month.failure) {
        Tell(month.set, "failed");
        KeepFailure(month.set, *std::move(month.failure));
      }
      sets.push_back(std::move(month.set));
    }
    return sets;
  }

  Result<std::vector<FileSet>> PlanDeliveries(estate::ManifestKind kind,
                                              const std::vector<sources::Object>& objects) {
    std::map<std::string, sources::Object> by_key;
    for (const sources::Object& object : objects) by_key[object.key] = object;
    std::vector<FileSet> sets;
    const auto places = FB_TRY(sources::NewestManifests(kind, objects));
    for (const sources::ManifestPlace& place : places) {
      Result<FileSet> set = PlanOne(kind, place, by_key);
      if (set) {
        sets.push_back(*std::move(set));
      } else if (set.error().code == Code::kCancelled || set.error().code == Code::kAborted) {
        return Fail(std::move(set).error());
      } else {
        FileSet failed;
        failed.id = place.period.empty() ? "all periods" : place.period;
        failed.ledger_source = source_.name;
        failed.manifest = place.object.key;
        if (told_.contains(failed.id)) continue;  // told at an earlier listing
        Tell(failed, "failed");
        KeepFailure(failed, std::move(set).error());
      }
    }
    return sets;
  }

  Result<FileSet> PlanOne(estate::ManifestKind kind, const sources::ManifestPlace& place,
                          const std::map<std::string, sources::Object>& objects) {
    const std::string text =
        FB_TRY(sources::FetchText(fetcher_, store_, place.object, sources::kManifestMaxBytes));
    const sources::Delivery delivery =
        FB_TRY(sources::ReadManifest(kind, place, source_.bucket, text));
    return sources::PlanDelivery(source_, delivery, FB_TRY(sources::ObjectsOf(delivery, objects)),
                                 memory_);
  }

  // True: something changed while it was fetched, and the source must be listed again.
  Result<bool> RunSets(const std::vector<FileSet>& sets, bool last) {
    bool moved = false;
    for (const FileSet& set : sets) {
      if (auto told = told_.find(set.id); told != told_.end()) {
        if (told->second.value("outcome", "") != "moved") continue;
      }
      if (set.change == sources::Change::kUnchanged) {
        Tell(set, "unchanged")["commit"] = memory_[set.id].commit;
      } else if (args_.dry_run) {
        Tell(set, "pending");
      } else if (set.files.empty()) {
        Tell(set, "empty");
      } else if (Status done = ImportSet(set); !done) {
        if (done.error().code == Code::kCancelled) return Fail(std::move(done).error());
        if (done.error().code == Code::kAborted && !last) {
          Tell(set, "moved");
          moved = true;
          continue;
        }
        Tell(set, "failed");
        KeepFailure(set, std::move(done).error());
      }
    }
    return moved;
  }

  Status ImportSet(const FileSet& set) {
    ImportArgs args;
    args.files = is_folder() ? PathsInFolder(set) : FB_TRY(Fetch(set));
    args.source = set.ledger_source;
    args.input_format = source_.is_api() ? api_.FormatOf(set.id) : source_.format;
    args.memory = args_.memory;
    args.rows_expected = set.rows;
    args.beside = source_.beside;
    if (!importer_) importer_ = FB_TRY(Importer::Open(environment_));
    const std::string text = FB_TRY(importer_->Import(args));
    const Json report = Json::parse(text, nullptr, false);
    const std::string commit = report.value("commit", "");
    Json& told = Tell(set, report.value("unchanged", false) ? "known" : "imported");
    told["commit"] = commit;
    for (const char* count : {"rows_in", "rows_quarantined", "overlaps"}) {
      if (report.contains(count)) told[count] = report[count];
    }
    memory_[set.id] = {set.fingerprint, commit, environment_.clock.Now(),
                       source_.is_api() ? api_.DaysOf(set.id) : 0};
    FB_CHECK(files_.MakeDirs(folder_));
    FB_CHECK(sources::WriteMemory(files_, MemoryPath(), memory_));
    for (const sources::Object& object : set.files) {
      if (!is_folder()) FB_CHECK(files_.RemoveTree(os::ParentPath(PathOf(object))));
    }
    return {};
  }

  std::vector<std::string> PathsInFolder(const FileSet& set) const {
    std::vector<std::string> paths;
    for (const sources::Object& file : set.files) {
      paths.push_back(os::JoinPath(source_.path, file.key));
    }
    return paths;
  }

  // Each version of an object has a folder of its own, so that a part of another one is never gone
  // on with; nothing of a key leads anywhere else.
  std::string PathOf(const sources::Object& object) const {
    constexpr size_t kFolderBytes = 16;
    constexpr size_t kNameMaxBytes = 120;
    const std::string folder =
        Sha256Hex(object.key + "\n" + object.version).substr(0, kFolderBytes);
    const std::string_view name = std::string_view(object.key).substr(object.key.rfind('/') + 1);
    return os::JoinPath(os::JoinPath(FilesPath(), folder), sources::PlainName(name, kNameMaxBytes));
  }

  Result<std::vector<std::string>> Fetch(const FileSet& set) {
    FB_CHECK(files_.MakeDirs(FilesPath()));
    const uint64_t total = set.bytes();
    if (FB_TRY(os::FreeDiskBytes(FilesPath())) < total + kDiskMarginBytes) {
      return Fail(Code::kResourceExhausted,
                  fmt::format("there is no room for {} under {}", FormatBytes(total), FilesPath()),
                  "make room on the disk");
    }
    std::vector<std::string> paths;
    uint64_t before = 0;
    const std::string what = fmt::format("fetching {} {}", source_.name, set.id);
    for (const sources::Object& object : set.files) {
      fetcher_.progress = [&](uint64_t done) {
        return ShowProgress(environment_, what, before + done, total);
      };
      paths.push_back(PathOf(object));
      if (source_.is_api()) {
        FB_CHECK(files_.MakeDirs(os::ParentPath(paths.back())));
        FB_CHECK(os::AtomicWrite(files_, paths.back(), FB_TRY(api_.ReadBill(files_, set.id))));
      } else {
        FB_CHECK(sources::FetchFile(fetcher_, store_, object, paths.back()));
      }
      before += object.bytes;
    }
    return paths;
  }

  // What was fetched of versions that are no more.
  Status RemoveStale(const std::vector<FileSet>& sets) {
    if (!files_.Exists(FilesPath())) return {};
    std::set<std::string> wanted;
    for (const FileSet& set : sets) {
      if (set.change == sources::Change::kUnchanged) continue;
      for (const sources::Object& object : set.files) {
        wanted.insert(os::ParentPath(PathOf(object)));
      }
    }
    const std::vector<std::string> names = FB_TRY(files_.List(FilesPath()));
    for (const std::string& name : names) {
      const std::string path = os::JoinPath(FilesPath(), name);
      if (!wanted.contains(path)) FB_CHECK(files_.RemoveTree(path));
    }
    return {};
  }

  Json& Tell(const FileSet& set, const char* outcome) {
    Json& told = told_[set.id];
    told = {{"set", set.id},
            {"ledger_source", set.ledger_source},
            {"change", sources::ChangeName(set.change)},
            {"outcome", outcome},
            {"files", set.files.size()},
            {"bytes", set.bytes()}};
    if (!set.manifest.empty()) told["manifest"] = set.manifest;
    return told;
  }

  void KeepFailure(const FileSet& set, Error error) {
    if (!set.manifest.empty() && error.message.find(set.manifest) == std::string::npos) {
      error.message = fmt::format("{}: {}", set.manifest, error.message);
    }
    error.message = fmt::format("{} {}: {}", source_.name, set.id, error.message);
    failures_.push_back(std::move(error));
  }

  const Environment& environment_;
  os::Files& files_;
  const SyncArgs& args_;
  const estate::Source& source_;
  std::string folder_;
  std::optional<Importer>& importer_;
  Random random_;
  sources::Pacer pacer_;
  net::WebClient web_;
  sources::Store store_;
  ApiMonths api_;
  sources::Fetcher fetcher_;
  sources::Memory memory_;
  std::map<std::string, Json> told_;  // by the id of a set
  std::vector<Error> failures_;
};

Result<std::vector<estate::Source>> ChooseSources(const Environment& environment,
                                                  const SyncArgs& args) {
  const std::string snapshot =
      FB_TRY(estate::LoadEstate(environment.files, os::JoinPath(environment.home, "estate.yaml")));
  const auto rules = FB_TRY(estate::RuleSet::Compile(snapshot));
  std::vector<estate::Source> chosen;
  std::vector<std::string_view> known;
  for (const estate::Source& source : rules->estate().sources) {
    if (source.kind == estate::SourceKind::kNamed) continue;
    known.push_back(source.name);
    const bool wanted =
        args.sources.empty() || std::ranges::find(args.sources, source.name) != args.sources.end();
    if (wanted) chosen.push_back(source);
  }
  if (known.empty()) {
    return Fail(Code::kFailedPrecondition, "the estate has no source with a `kind`",
                "say under `sources` of estate.yaml where bills come from (docs/SYNC.md)");
  }
  for (const std::string& name : args.sources) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string_view nearest = Nearest(name, known);
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is no source of the estate with a `kind`", name),
                nearest.empty() ? fmt::format("known are: {}", fmt::join(known, ", "))
                                : fmt::format("did you mean '{}'?", nearest));
  }
  for (const estate::Source& source : chosen) {
    ingest::ImportOptions ignored;
    if (Status known_format = ChooseFormat(environment, source.format, &ignored); !known_format) {
      return Fail(std::move(known_format).error().At(source.place));
    }
  }
  return chosen;
}

Result<uint64_t> ParseRate(const SyncArgs& args) {
  if (args.max_rate.empty()) return 0;
  const int64_t rate = ParseBytes(args.max_rate);
  if (rate >= static_cast<int64_t>(estate::kMaxRateLeast)) return static_cast<uint64_t>(rate);
  return Fail(Code::kInvalidArgument, fmt::format("--max-rate '{}' is no rate", args.max_rate),
              "such as 20MiB, which is a second's; at least 1KiB");
}

// Two at once would fetch into the same files.
Result<os::HomeLock> LockSyncing(const Environment& environment) {
  FB_CHECK(environment.files.MakeDirs(SyncFolder(environment)));
  Result<os::HomeLock> lock = os::HomeLock::Acquire(os::JoinPath(SyncFolder(environment), "LOCK"));
  if (!lock && lock.error().code == Code::kAlreadyExists) {
    lock.error().hint = "another `flyball sync` is at work: wait for it";
  }
  return lock;
}

// For others than who runs this: the page shows it. A note that cannot be written ends no sync.
void NoteOutcome(const Environment& environment, const std::string& source, const Json& document,
                 std::vector<Error> errors) {
  sources::LastSync last;
  last.time = environment.clock.Now();
  for (const Json& set : document.value("sets", Json::array())) {
    ++last.sets;
    if (set.value("outcome", "") == "imported") ++last.imported;
  }
  last.errors = std::move(errors);
  const Status noted =
      sources::WriteLastSync(environment.files, environment.home, source, std::move(last));
  if (!noted) Say("flyball: how the sync went could not be noted: " + noted.error().message);
}

struct Synced {
  Json sources = Json::array();
  std::vector<Error> failures;
};

Result<Synced> SyncAll(const Environment& environment, const SyncArgs& args) {
  const uint64_t max_rate = FB_TRY(ParseRate(args));
  const std::vector<estate::Source> chosen = FB_TRY(ChooseSources(environment, args));
  std::optional<os::HomeLock> lock;
  if (!args.dry_run) lock = FB_TRY(LockSyncing(environment));
  Synced synced;
  std::optional<Importer> importer;
  for (const estate::Source& source : chosen) {
    SourceSync sync(environment, args, source, max_rate, importer);
    Result<Json> done = sync.Run();
    if (!done && done.error().code == Code::kCancelled) return Fail(std::move(done).error());
    std::vector<Error> failures = sync.failures();
    if (!done) {
      failures.push_back(done.error());
      failures.back().message = fmt::format("{}: {}", source.name, failures.back().message);
    }
    if (!args.dry_run)
      NoteOutcome(environment, source.name, done.value_or(Json::object()), failures);
    std::ranges::move(failures, std::back_inserter(synced.failures));
    if (done) synced.sources.push_back(*std::move(done));
  }
  return synced;
}

void PrintTable(const Json& sources) {
  for (const Json& source : sources) {
    const std::string name = source.value("source", "");
    for (const Json& set : source["sets"]) {
      std::string line = fmt::format("{}  {}  {}: {} files, {}", name, set.value("set", ""),
                                     set.value("outcome", ""), set.value("files", 0),
                                     FormatBytes(set.value("bytes", uint64_t{0})));
      if (set.contains("rows_in")) {
        line += fmt::format(", {} rows", set.value("rows_in", int64_t{0}));
        if (const auto bad = set.value("rows_quarantined", int64_t{0}); bad > 0) {
          line += fmt::format(" ({} in quarantine)", bad);
        }
      }
      if (const std::string commit = set.value("commit", ""); !commit.empty()) {
        line += ", commit " + commit;
      }
      Print(line);
      for (const Json& overlap : set.value("overlaps", Json::array())) {
        Say("flyball: " + overlap.value("text", ""));
      }
    }
    if (source["sets"].empty()) Say(fmt::format("flyball: {} has no bill", name));
    if (!source.contains("gone")) continue;
    for (const Json& id : source["gone"]) {
      Say(fmt::format("flyball: {} {} is not there any more; its charges stay in the ledger", name,
                      id.get<std::string>()));
    }
  }
}

}  // namespace

int RunSync(const Environment& environment, const SyncArgs& args) {
  if (environment.format == "csv") {
    return Report(environment,
                  Error{Code::kInvalidArgument, "the report of a sync is a table or JSON", "", {}});
  }
  const Result<Synced> synced = SyncAll(environment, args);
  EndProgress(environment);
  if (!synced) return Report(environment, synced.error());
  Json document{{"sources", synced->sources}};
  int exit_code = kExitDone;
  for (const Error& failure : synced->failures) {
    exit_code = std::max(exit_code, Report("table", failure));  // in words, on standard error
    document["failures"].push_back(Json::parse(ErrorJson(failure))["error"]);
  }
  if (environment.json()) {
    Print(document.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    PrintTable(synced->sources);
  }
  return exit_code;
}

}  // namespace flyball::app
