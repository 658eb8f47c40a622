#include "ledger/pack.h"

#include <algorithm>
#include <limits>

#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

using engine::QuoteLiteral;

uint64_t PartBytes(const Folder& folder) {
  uint64_t bytes = 0;
  for (const SliceFile& file : folder.files()) {
    if (IsPart(file)) bytes += file.bytes;
  }
  return bytes;
}

// Folders that become one pack.
struct Group {
  std::vector<Folder> folders;
  uint64_t bytes = 0;
  std::set<std::string> periods;

  bool Takes(const Folder& folder, uint64_t bytes_max) const {
    return folders.front().source() == folder.source() && PartBytes(folder) <= bytes_max - bytes &&
           std::ranges::none_of(folder.wanted, [this](const Slice* slice) {
             return periods.contains(slice->period);
           });
  }
  void Add(const Folder& folder) {
    folders.push_back(folder);
    bytes += PartBytes(folder);
    for (const Slice* slice : folder.wanted) periods.insert(slice->period);
  }
};

Status CheckParts(const Folder& folder, const std::string& dir) {
  for (const SliceFile& file : folder.files()) {
    if (!IsPart(file)) continue;
    std::string path = os::JoinPath(dir, file.name);
    if (FB_TRY(FileSha256(path)) == file.sha256) continue;
    return Fail(Code::kDataLoss, path + ": its content is not what the log says",
                "run `flyball rebuild`");
  }
  return {};
}

// The folders cut into runs of periods that follow each other in the pack.
std::vector<Folder> RunsByPeriod(const std::vector<Folder>& folders) {
  std::vector<Folder> each;
  for (const Folder& folder : folders) {
    for (const Slice* slice : folder.wanted) each.push_back({folder.slice, folder.pack, {slice}});
  }
  std::ranges::sort(each, {}, [](const Folder& one) { return one.wanted.front()->period; });
  std::vector<Folder> runs;
  for (Folder& one : each) {
    if (!runs.empty() && one.pack != nullptr && runs.back().pack == one.pack) {
      runs.back().wanted.push_back(one.wanted.front());
    } else {
      runs.push_back(std::move(one));
    }
  }
  return runs;
}

}  // namespace

std::string SelectRows(const Layout& layout, const Folder& folder) {
  std::string parts;
  for (const SliceFile& file : folder.files()) {
    if (!IsPart(file)) continue;
    if (!parts.empty()) parts += ", ";
    parts += QuoteLiteral(os::JoinPath(layout.FolderDir(folder), file.name));
  }
  std::string select = "SELECT * FROM read_parquet([" + parts +
                       "], union_by_name = true, hive_partitioning = false)";
  if (!folder.partial()) return select;
  std::string months;
  for (const Slice* slice : folder.wanted) {
    if (!months.empty()) months += ", ";
    months += "TIMESTAMP '" + FormatDate(PeriodStart(*slice)) + "'";
  }
  return select + " WHERE " + kBillingMonth + " IN (" + months + ")";
}

std::vector<std::vector<Folder>> FoldersToJoin(const History& history, uint64_t small_bytes) {
  const uint64_t limit = std::numeric_limits<uint64_t>::max();
  const uint64_t bytes_max =
      small_bytes > limit / kPackOfSmall ? limit : small_bytes * kPackOfSmall;
  std::vector<Group> groups;
  for (const Folder& folder : history.Stored()) {
    bool live = std::ranges::any_of(folder.wanted,
                                    [&](const Slice* slice) { return history.IsLive(slice->id); });
    if (!live || PartBytes(folder) >= small_bytes) continue;
    auto group = std::ranges::find_if(
        groups, [&](const Group& each) { return each.Takes(folder, bytes_max); });
    if (group == groups.end()) group = groups.insert(group, Group{});
    group->Add(folder);
  }
  std::vector<std::vector<Folder>> joins;
  for (Group& group : groups) {
    if (group.folders.size() >= 2) joins.push_back(std::move(group.folders));
  }
  return joins;
}

Result<Pack> WritePack(engine::Connection& connection, os::Files& files, const Layout& layout,
                       const std::vector<Folder>& folders, const std::string& dir) {
  for (const Folder& folder : folders) FB_CHECK(CheckParts(folder, layout.FolderDir(folder)));
  FB_CHECK(files.MakeDirs(dir));
  Pack pack;
  pack.source = folders.front().source();
  std::vector<const Slice*> slices;
  std::string rows;
  for (const Folder& run : RunsByPeriod(folders)) {
    if (!rows.empty()) rows += " UNION ALL BY NAME ";
    rows += SelectRows(layout, run);
    slices.insert(slices.end(), run.wanted.begin(), run.wanted.end());
  }
  FB_CHECK(connection.Execute("COPY (" + rows + ") TO " +
                              QuoteLiteral(os::JoinPath(dir, "part-0000.parquet")) + " (" +
                              kParquetOptions + ")"));
  const TotalsByMonth packed = FB_TRY(WritePackDerived(connection, dir));
  if (packed != MonthsOf(slices)) {
    for (const Slice* slice : slices) {
      auto found = packed.find(PeriodStart(*slice));
      if (found != packed.end() && found->second == MonthsOf({slice}).begin()->second) continue;
      return Fail(Code::kDataLoss, "slice " + slice->id + " does not hold what its commit says",
                  "run `flyball rebuild`");
    }
    return Fail(Code::kDataLoss, "a slice holds rows of another billing period than its own",
                "run `flyball rebuild`");
  }
  for (const Slice* slice : slices) pack.members.push_back(slice->id);
  pack.files = FB_TRY(DescribeSliceFiles(connection, files, dir));
  return pack;
}

}  // namespace flyball::ledger
