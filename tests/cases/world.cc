#include "world.h"

#include <stdlib.h>

#include <filesystem>

#include "base/hash.h"

namespace flyball::cases {
namespace {

// A case's time begins here.
const Instant kStart = ToInstant({2026, 3, 1});

std::string TempRoot() {
  const char* dir = getenv("TMPDIR");
  return dir != nullptr && *dir != '\0' ? dir : "/tmp";
}

}  // namespace

World::World(std::string root)
    : root_(std::move(root)), files_(os::MakeRealFiles()), clock_(kStart) {}

World::~World() {
  ledger_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

Result<std::unique_ptr<World>> World::Make() {
  std::string root = TempRoot() + "/flyball-case-XXXXXX";
  if (mkdtemp(root.data()) == nullptr)
    return Fail(Code::kInternal, "no folder can be made in " + TempRoot());
  std::unique_ptr<World> world(new World(root));
  FB_CHECK(world->files().MakeDirs(world->Home()));
  FB_CHECK(world->files().MakeDirs(root + "/in"));
  return world;
}

Result<ledger::Ledger*> World::Ledger() {
  if (ledger_ == nullptr) {
    ledger::LedgerOptions options;
    options.home = Home();
    options.memory_bytes = 256u << 20;
    options.threads = 2;
    ledger_ = FB_TRY(ledger::Ledger::Open(options, *files_, clock_));
  }
  return ledger_.get();
}

std::string World::CommitOf(const std::string& label_or_id) const {
  auto found = labels_.find(label_or_id);
  return found == labels_.end() ? label_or_id : found->second;
}

Status World::CheckSlicesUnchanged() {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator entries(Home() + "/slices", error), end;
  for (; !error && entries != end; entries.increment(error)) {
    if (!entries->is_regular_file()) continue;
    std::string path = entries->path().string();
    std::string hash = Sha256Hex(FB_TRY(files_->ReadAll(path)));
    auto [known, fresh] = slice_hashes_.try_emplace(path, hash);
    if (known->second == hash) continue;
    known->second = hash;
    return Fail(Code::kDataLoss,
                "a file of a slice was rewritten: " + path.substr(Home().size() + 1));
  }
  return {};
}

Status World::ForgetHome() {
  Close();
  slice_hashes_.clear();
  FB_CHECK(files_->RemoveTree(Home()));
  return files_->MakeDirs(Home());
}

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> kVerbs = {
      {"estate", Shape::kInput, WriteEstate},   {"bill", Shape::kInput, WriteBill},
      {"charges", Shape::kInput, WriteCharges}, {"import", Shape::kPlain, RunImport},
      {"check", Shape::kPlain, RunCheck},       {"classify", Shape::kPlain, RunClassify},
      {"compact", Shape::kPlain, RunCompact},   {"rebuild", Shape::kPlain, RunRebuild},
      {"reopen", Shape::kPlain, Reopen},        {"delete-store", Shape::kPlain, DeleteStore},
      {"damage", Shape::kPlain, Damage},        {"clock", Shape::kPlain, MoveClock},
      {"query", Shape::kOutput, RunQuery},      {"rows", Shape::kOutput, ShowRows},
      {"commits", Shape::kOutput, ShowCommits}, {"slices", Shape::kOutput, ShowSlices},
      {"export", Shape::kPlain, RunExport},     {"empty-home", Shape::kPlain, EmptyHome},
      {"exchange", Shape::kInput, ImportRates},
  };
  return kVerbs;
}

const Verb* FindVerb(const std::string& name) {
  for (const Verb& verb : Verbs()) {
    if (name == verb.name) return &verb;
  }
  return nullptr;
}

}  // namespace flyball::cases
