#include "os/sim_files.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>

#include "base/assert.h"
#include "base/clock.h"
#include "os/posix_error.h"

namespace flyball::os {
namespace {

struct Node;
using NodePtr = std::shared_ptr<Node>;

// A change of a file's bytes that is not on the device yet.
struct ByteChange {
  bool truncates = false;
  uint64_t size = 0;  // of a truncation
  std::string bytes;  // of an append
  bool lost = false;  // thrown away by a failed sync: the device gets zeros
};

// A file or a folder, which may have several names or none.
struct Node {
  bool is_folder = false;
  std::string live;
  std::string durable;
  std::vector<ByteChange> changes;  // from durable to live
  std::map<std::string, NodePtr> live_names;
  std::map<std::string, NodePtr> durable_names;
};

// A change of names that is not on the device yet; all of it happens or none.
struct NameChange {
  struct Binding {
    NodePtr folder;
    std::string name;
    NodePtr target;  // null: the name goes
  };
  std::vector<Binding> bindings;
};

void ApplyToDevice(const ByteChange& change, std::string* durable) {
  if (change.truncates) {
    durable->resize(static_cast<size_t>(change.size));
  } else if (change.lost) {
    durable->append(change.bytes.size(), '\0');
  } else {
    durable->append(change.bytes);
  }
}

std::vector<std::string> PathParts(std::string_view path) {
  std::vector<std::string> parts;
  std::string part;
  auto finish = [&] {
    if (!part.empty() && part != ".") parts.push_back(part);
    part.clear();
  };
  for (char c : path) {
    if (c == '/') {
      finish();
    } else {
      part += c;
    }
  }
  finish();
  return parts;
}

}  // namespace

struct SimFiles::Disk {
  mutable std::mutex mutex;
  Random random;
  uint64_t failures_per_million;
  uint64_t capacity_bytes;
  uint64_t operations = 0;
  uint64_t cut_at = std::numeric_limits<uint64_t>::max();
  uint64_t boots = 0;  // an open file of an earlier boot is dead
  bool power_off = false;
  NodePtr root = std::make_shared<Node>();
  std::vector<NameChange> name_changes;

  explicit Disk(const SimFilesOptions& options)
      : random(options.seed),
        failures_per_million(options.failures_per_million),
        capacity_bytes(options.capacity_bytes) {
    root->is_folder = true;
  }

  // What becomes of one operation.
  enum class Fate { kDone, kFails, kPowerGoes };
  Fate NextFate() {
    if (power_off) return Fate::kPowerGoes;
    ++operations;
    if (operations >= cut_at) {
      power_off = true;
      return Fate::kPowerGoes;
    }
    return random.Below(1'000'000) < failures_per_million ? Fate::kFails : Fate::kDone;
  }

  // Runs an operation that happens as a whole or not at all. When the power goes it may have
  // happened, but nobody hears it.
  template <typename Operation>
  auto Run(std::string_view cannot_what, const std::string& path, Operation operation)
      -> decltype(operation()) {
    std::lock_guard lock(mutex);
    bool was_off = power_off;
    switch (NextFate()) {
      case Fate::kDone:
        return operation();
      case Fate::kPowerGoes:
        if (!was_off && random.Chance(1, 2)) (void)operation();
        break;
      case Fate::kFails:
        break;
    }
    return FailErrno(EIO, cannot_what, path);
  }

  NodePtr Find(std::string_view path) const {
    NodePtr node = root;
    for (const std::string& part : PathParts(path)) {
      if (!node->is_folder) return nullptr;
      auto at = node->live_names.find(part);
      if (at == node->live_names.end()) return nullptr;
      node = at->second;
    }
    return node;
  }
  NodePtr FindFolder(std::string_view path) const {
    NodePtr node = Find(path);
    return node != nullptr && node->is_folder ? node : nullptr;
  }
  static std::string LastPart(std::string_view path) {
    std::vector<std::string> parts = PathParts(path);
    return parts.empty() ? "" : parts.back();
  }

  void ChangeNames(NameChange change) {
    for (const NameChange::Binding& b : change.bindings) {
      if (b.target == nullptr) b.folder->live_names.erase(b.name);
    }
    for (const NameChange::Binding& b : change.bindings) {
      if (b.target != nullptr) b.folder->live_names[b.name] = b.target;
    }
    name_changes.push_back(std::move(change));
  }

  static void MakeDurable(const NameChange& change) {
    for (const NameChange::Binding& b : change.bindings) {
      if (b.target == nullptr) {
        b.folder->durable_names.erase(b.name);
      } else {
        b.folder->durable_names[b.name] = b.target;
      }
    }
  }

  // Brings the wanted name changes to the device, with all earlier ones of the same names.
  template <typename Wanted>
  void SettleNames(Wanted wanted) {
    std::set<std::pair<const Node*, std::string>> names;
    std::vector<bool> chosen(name_changes.size());
    for (size_t i = name_changes.size(); i-- > 0;) {
      const NameChange& change = name_changes[i];
      bool needed = wanted(change);
      for (const auto& b : change.bindings) needed |= names.contains({b.folder.get(), b.name});
      if (!needed) continue;
      chosen[i] = true;
      for (const auto& b : change.bindings) names.insert({b.folder.get(), b.name});
    }
    std::vector<NameChange> left;
    for (size_t i = 0; i < name_changes.size(); ++i) {
      if (chosen[i]) {
        MakeDurable(name_changes[i]);
      } else {
        left.push_back(std::move(name_changes[i]));
      }
    }
    name_changes = std::move(left);
  }

  uint64_t UsedBytes(const Node& node) const {
    uint64_t used = node.live.size();
    for (const auto& [name, child] : node.live_names) used += UsedBytes(*child);
    return used;
  }

  void AppendLive(Node* node, std::string_view bytes) const {
    node->live.append(bytes);
    node->changes.push_back({false, 0, std::string(bytes), false});
  }

  Status Append(Node* node, const std::string& path, std::string_view bytes) {
    bool was_off = power_off;
    Fate fate = NextFate();
    if (fate != Fate::kDone) {
      if (!was_off && !bytes.empty()) AppendLive(node, bytes.substr(0, random.Below(bytes.size())));
      return FailErrno(EIO, "write", path);
    }
    uint64_t used = UsedBytes(*root);
    uint64_t room = capacity_bytes > used ? capacity_bytes - used : 0;
    AppendLive(node, bytes.substr(0, std::min<uint64_t>(room, bytes.size())));
    if (bytes.size() > room) return FailErrno(ENOSPC, "write", path);
    return {};
  }

  static void SyncBytes(Node* node) {
    for (const ByteChange& change : node->changes) ApplyToDevice(change, &node->durable);
    node->changes.clear();
  }

  Status Sync(Node* node, const std::string& path) {
    bool was_off = power_off;
    Fate fate = NextFate();
    if (fate == Fate::kDone) {
      SyncBytes(node);
      return {};
    }
    if (fate == Fate::kPowerGoes && !was_off && random.Chance(1, 2)) SyncBytes(node);
    if (fate == Fate::kFails && random.Chance(1, 2)) {
      for (ByteChange& change : node->changes) change.lost = true;
    }
    return FailErrno(EIO, "sync", path);
  }

  // One of the contents that the device may have: some first changes whole, the next one torn.
  void CutBytes(Node* node) {
    auto whole = static_cast<size_t>(random.Below(node->changes.size() + 1));
    for (size_t i = 0; i < whole; ++i) ApplyToDevice(node->changes[i], &node->durable);
    if (whole < node->changes.size() && !node->changes[whole].truncates) {
      ByteChange torn = node->changes[whole];
      size_t size = torn.bytes.size();
      torn.bytes.resize(static_cast<size_t>(random.Below(size + 1)));
      if (random.Chance(1, 4))
        torn.bytes.resize(size, '\0');  // its size has arrived, its data has not
      ApplyToDevice(torn, &node->durable);
    }
    node->changes.clear();
    node->live = node->durable;
  }

  void Restart(Node* node) {
    CutBytes(node);
    node->live_names = node->durable_names;
    for (const auto& [name, child] : node->durable_names) Restart(child.get());
  }

  void PowerCut() {
    // Each change of names by a coin, unless it builds on one that was lost.
    std::set<std::pair<const Node*, std::string>> lost;
    for (const NameChange& change : name_changes) {
      bool kept = random.Chance(1, 2);
      for (const auto& b : change.bindings) kept = kept && !lost.contains({b.folder.get(), b.name});
      if (kept) {
        MakeDurable(change);
      } else {
        for (const auto& b : change.bindings) lost.insert({b.folder.get(), b.name});
      }
    }
    name_changes.clear();
    Restart(root.get());
    ++boots;
    power_off = false;
    cut_at = std::numeric_limits<uint64_t>::max();
  }

  Status MakeDirs(const std::string& path) {
    NodePtr node = root;
    for (const std::string& part : PathParts(path)) {
      auto at = node->live_names.find(part);
      if (at == node->live_names.end()) {
        auto made = std::make_shared<Node>();
        made->is_folder = true;
        ChangeNames({{{node, part, made}}});
        SettleNames([&made](const NameChange& c) { return c.bindings[0].target == made; });
        node = made;
      } else if (!at->second->is_folder) {
        return FailErrno(ENOTDIR, "make the folder", path);
      } else {
        node = at->second;
      }
    }
    return {};
  }

  void RemoveTree(const NodePtr& folder, const std::string& name) {
    NodePtr node = folder->live_names.at(name);
    while (!node->live_names.empty()) RemoveTree(node, node->live_names.begin()->first);
    ChangeNames({{{folder, name, nullptr}}});
  }
};

class SimFiles::OpenFile : public WritableFile {
 public:
  OpenFile(std::shared_ptr<Disk> disk, NodePtr node, std::string path)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        boot_(disk_->boots) {}

  Status Append(std::string_view bytes) override {
    std::lock_guard lock(disk_->mutex);
    if (boot_ != disk_->boots) return FailDead();
    return disk_->Append(node_.get(), path_, bytes);
  }
  Status Truncate(uint64_t size) override {
    return disk_->Run("truncate", path_, [&]() -> Status {
      if (boot_ != disk_->boots) return FailDead();
      node_->live.resize(static_cast<size_t>(size));
      node_->changes.push_back({true, size, "", false});
      return {};
    });
  }
  Status Sync() override {
    std::lock_guard lock(disk_->mutex);
    if (boot_ != disk_->boots) return FailDead();
    return disk_->Sync(node_.get(), path_);
  }
  uint64_t size() const override {
    std::lock_guard lock(disk_->mutex);
    return node_->live.size();
  }

 private:
  Status FailDead() const { return FailErrno(EBADF, "use", path_ + " of before the power cut"); }

  std::shared_ptr<Disk> disk_;
  NodePtr node_;
  std::string path_;
  uint64_t boot_;
};

SimFiles::SimFiles(const SimFilesOptions& options) : disk_(std::make_shared<Disk>(options)) {}
SimFiles::~SimFiles() = default;

void SimFiles::CutPowerAfter(uint64_t operations) {
  std::lock_guard lock(disk_->mutex);
  disk_->cut_at = disk_->operations + operations + 1;
}

void SimFiles::PowerCut() {
  std::lock_guard lock(disk_->mutex);
  disk_->PowerCut();
}

void SimFiles::SetFailuresPerMillion(uint64_t failures) {
  std::lock_guard lock(disk_->mutex);
  disk_->failures_per_million = failures;
}

void SimFiles::SetCapacityBytes(uint64_t bytes) {
  std::lock_guard lock(disk_->mutex);
  disk_->capacity_bytes = bytes;
}

uint64_t SimFiles::operation_count() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

Result<std::string> SimFiles::ReadAll(const std::string& path) {
  return disk_->Run("read", path, [&]() -> Result<std::string> {
    NodePtr node = disk_->Find(path);
    if (node == nullptr) return FailErrno(ENOENT, "open", path);
    if (node->is_folder) return FailErrno(EISDIR, "read", path);
    return node->live;
  });
}

Result<std::string> SimFiles::ReadPart(const std::string& path, uint64_t offset, size_t bytes) {
  return disk_->Run("read", path, [&]() -> Result<std::string> {
    NodePtr node = disk_->Find(path);
    if (node == nullptr) return FailErrno(ENOENT, "open", path);
    if (node->is_folder) return FailErrno(EISDIR, "read", path);
    return node->live.substr(std::min<size_t>(offset, node->live.size()), bytes);
  });
}

Result<std::unique_ptr<WritableFile>> SimFiles::OpenAppend(const std::string& path) {
  return disk_->Run("open", path, [&]() -> Result<std::unique_ptr<WritableFile>> {
    NodePtr node = disk_->Find(path);
    if (node == nullptr) {
      NodePtr folder = disk_->FindFolder(ParentPath(path));
      if (folder == nullptr) return FailErrno(ENOENT, "open", path);
      node = std::make_shared<Node>();
      disk_->ChangeNames({{{folder, Disk::LastPart(path), node}}});
    }
    if (node->is_folder) return FailErrno(EISDIR, "open", path);
    return std::make_unique<OpenFile>(disk_, node, path);
  });
}

Status SimFiles::Rename(const std::string& from, const std::string& to) {
  return disk_->Run("rename '" + from + "' to", to, [&]() -> Status {
    NodePtr node = disk_->Find(from);
    NodePtr from_folder = disk_->FindFolder(ParentPath(from));
    NodePtr to_folder = disk_->FindFolder(ParentPath(to));
    NodePtr old = disk_->Find(to);
    if (node == nullptr || from_folder == nullptr || to_folder == nullptr) {
      return FailErrno(ENOENT, "rename '" + from + "' to", to);
    }
    if (old == node) return {};
    if (old != nullptr && (old->is_folder != node->is_folder || !old->live_names.empty())) {
      return FailErrno(old->is_folder ? ENOTEMPTY : ENOTDIR, "rename '" + from + "' to", to);
    }
    disk_->ChangeNames(
        {{{from_folder, Disk::LastPart(from), nullptr}, {to_folder, Disk::LastPart(to), node}}});
    return {};
  });
}

Status SimFiles::Remove(const std::string& path) {
  return disk_->Run("remove", path, [&]() -> Status {
    NodePtr node = disk_->Find(path);
    if (node == nullptr) return {};
    if (node->is_folder) return FailErrno(EISDIR, "remove", path);
    disk_->ChangeNames({{{disk_->FindFolder(ParentPath(path)), Disk::LastPart(path), nullptr}}});
    return {};
  });
}

Status SimFiles::RemoveTree(const std::string& path) {
  return disk_->Run("remove", path, [&]() -> Status {
    if (disk_->Find(path) == nullptr) return {};
    FB_ASSERT(!PathParts(path).empty());
    disk_->RemoveTree(disk_->FindFolder(ParentPath(path)), Disk::LastPart(path));
    return {};
  });
}

Status SimFiles::MakeDirs(const std::string& path) {
  return disk_->Run("make the folder", path, [&] { return disk_->MakeDirs(path); });
}

Result<std::vector<std::string>> SimFiles::List(const std::string& dir) {
  return disk_->Run("list", dir, [&]() -> Result<std::vector<std::string>> {
    NodePtr folder = disk_->FindFolder(dir);
    if (folder == nullptr) return FailErrno(ENOENT, "list", dir);
    std::vector<std::string> names;
    for (const auto& [name, node] : folder->live_names) names.push_back(name);
    return names;
  });
}

bool SimFiles::Exists(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  return !disk_->power_off && disk_->Find(path) != nullptr;
}

Result<uint64_t> SimFiles::Size(const std::string& path) {
  return disk_->Run("read the size of", path, [&]() -> Result<uint64_t> {
    NodePtr node = disk_->Find(path);
    if (node == nullptr) return FailErrno(ENOENT, "read the size of", path);
    return uint64_t{node->live.size()};
  });
}

Status SimFiles::SyncFile(const std::string& path) {
  std::lock_guard lock(disk_->mutex);
  NodePtr node = disk_->Find(path);
  if (node == nullptr) return FailErrno(ENOENT, "open", path);
  return disk_->Sync(node.get(), path);
}

Status SimFiles::SyncDir(const std::string& path) {
  return disk_->Run("sync", path, [&]() -> Status {
    NodePtr folder = disk_->FindFolder(path);
    if (folder == nullptr) return FailErrno(ENOENT, "open", path);
    disk_->SettleNames([&folder](const NameChange& change) {
      return std::any_of(change.bindings.begin(), change.bindings.end(),
                         [&folder](const auto& b) { return b.folder == folder; });
    });
    return {};
  });
}

}  // namespace flyball::os
