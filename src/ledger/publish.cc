#include "ledger/publish.h"

#include "base/log.h"

namespace flyball::ledger {
namespace {

// A folder on its way from staging to its place.
struct Staged {
  std::string dir, target;
  const std::vector<SliceFile>* files;
};

Status CheckStaged(os::Files& files, const Staged& staged) {
  for (const SliceFile& file : *staged.files) {
    std::string path = os::JoinPath(staged.dir, file.name);
    if (!os::IsPlainName(file.name)) {
      return Fail(Code::kInvalidArgument, "'" + file.name + "' is no plain file name");
    }
    uint64_t bytes = FB_TRY(files.Size(path));
    if (bytes != file.bytes) {
      return Fail(Code::kDataLoss,
                  fmt::format("'{}' has {} bytes, its commit states {}", path, bytes, file.bytes));
    }
  }
  return {};
}

Status SyncStaged(os::Files& files, const std::string& dir) {
  const std::vector<std::string> names = FB_TRY(files.List(dir));
  for (const std::string& name : names) {
    FB_CHECK(files.SyncFile(os::JoinPath(dir, name)));
  }
  return files.SyncDir(dir);
}

class Mover {
 public:
  Mover(os::Files& files, const Layout& layout) : files_(files), layout_(layout) {}

  Status Move(const Staged& staged) {
    std::string parent = os::ParentPath(staged.target);
    FB_CHECK(files_.MakeDirs(parent));
    moved_.push_back(staged.target);
    FB_CHECK(files_.Rename(staged.dir, staged.target));
    return files_.SyncDir(parent);
  }
  Status MoveQuarantine(const std::string& file, const std::string& id) {
    std::string target = os::JoinPath(layout_.Quarantine(), id + ".jsonl");
    FB_CHECK(files_.SyncFile(file));
    moved_.push_back(target);
    FB_CHECK(files_.Rename(file, target));
    return files_.SyncDir(layout_.Quarantine());
  }
  void Undo() {
    for (const std::string& path : moved_) {
      if (Status removed = files_.RemoveTree(path); !removed) {
        log::Warn("could not remove what a failed commit left; the next start will",
                  {{"path", path}, {"why", removed.error().message}});
      }
    }
  }

 private:
  os::Files& files_;
  const Layout& layout_;
  std::vector<std::string> moved_;
};

std::vector<Staged> StagedFolders(const Layout& layout, const Publication& publication,
                                  const Commit& commit) {
  std::vector<Staged> all;
  for (size_t i = 0; i < commit.opens.size(); ++i) {
    const Slice& slice = commit.opens[i];
    all.push_back({os::JoinPath(publication.staging_dir, publication.staged_names[i]),
                   layout.SliceDir(slice), &slice.files});
  }
  for (const Pack& pack : commit.packs) {
    all.push_back(
        {os::JoinPath(publication.staging_dir, pack.id), layout.PackDir(pack), &pack.files});
  }
  return all;
}

Status MoveAll(os::Files& files, const Layout& layout, const Publication& publication,
               const Commit& commit, Mover& mover) {
  const std::vector<Staged> all = StagedFolders(layout, publication, commit);
  for (const Staged& staged : all) {
    FB_CHECK(CheckStaged(files, staged));
    FB_CHECK(SyncStaged(files, staged.dir));
  }
  for (const Staged& staged : all) FB_CHECK(mover.Move(staged));
  if (publication.quarantine_file.empty()) return {};
  std::string file = publication.quarantine_file;
  if (!file.starts_with(publication.staging_dir)) {
    file = os::JoinPath(publication.staging_dir, file);
  }
  return mover.MoveQuarantine(file, QuarantineId(commit));
}

void RemoveStaging(os::Files& files, const std::string& dir) {
  if (dir.empty()) return;
  if (Status removed = files.RemoveTree(dir); !removed) {
    log::Warn("could not remove staging; the next start will",
              {{"path", dir}, {"why", removed.error().message}});
  }
}

}  // namespace

Result<Commit> PublishFiles(os::Files& files, const Layout& layout, CommitLog& log,
                            Publication publication) {
  CommitLog::Draft draft = log.Prepare(std::move(publication.commit));
  Mover mover(files, layout);
  Status moved = MoveAll(files, layout, publication, draft.commit, mover);
  if (!moved) {
    mover.Undo();
    RemoveStaging(files, publication.staging_dir);
    return Fail(std::move(moved).error());
  }
  Status counted = log.Append(draft);
  RemoveStaging(files, publication.staging_dir);
  if (!counted) return Fail(std::move(counted).error());
  return draft.commit;
}

void RemoveFolders(os::Files& files, const Layout& layout, const std::vector<Folder>& folders) {
  for (const Folder& folder : folders) {
    std::string dir = layout.FolderDir(folder);
    if (Status removed = files.RemoveTree(dir); !removed) {
      log::Warn("could not remove a joined folder; the next start will",
                {{"path", dir}, {"why", removed.error().message}});
    }
  }
}

}  // namespace flyball::ledger
