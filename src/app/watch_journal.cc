#include "app/watch_journal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFile[] = "watch/watch.journal";

}  // namespace

std::string WatchJournal::RecordOf(const Stand& stand) {
  Json ends = Json::object();
  for (const auto& [file, end] : stand.ends) ends[file] = end;
  return Json{{"stand", {{"at", FormatInstant(stand.at)}, {"ends", ends}}}}.dump();
}

std::optional<WatchJournal::Stand> WatchJournal::StandOf(std::string_view record) {
  if (!record.starts_with(R"({"stand":)")) return std::nullopt;
  const Json json = Json::parse(record, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const Json& body = json["stand"];
  ParsedInstant at;
  if (!body.is_object() || !ParseInstant(body.value("at", ""), &at)) return std::nullopt;
  Stand stand{at.instant, {}};
  for (const auto& [file, end] : body.value("ends", Json::object()).items()) {
    if (end.is_number_unsigned()) stand.ends[file] = end.get<uint64_t>();
  }
  return stand;
}

Status ReadWatchJournal(os::Files& files, const std::string& home, watch::Watcher* watcher) {
  const std::string path = os::JoinPath(home, kFile);
  if (!files.Exists(path)) return {};
  os::JournalReading how;
  how.on_damage = [](uint64_t, uint64_t) { return Status(); };  // the server tells it
  FB_CHECK(os::Journal::Read(
      files, path,
      [&](uint64_t, std::string_view record) -> Status {
        (void)watcher->Restore(record);
        return {};
      },
      how));
  return {};
}

Result<WatchJournal> WatchJournal::Open(os::Files& files, const std::string& home,
                                        watch::Watcher* watcher) {
  WatchJournal journal(files, os::JoinPath(home, kFile));
  if (!files.Exists(journal.path_)) return journal;  // it is made for the first record
  os::JournalReading how;
  how.on_damage = [&](uint64_t from, uint64_t to) {
    log::Error("the journal of the watch is damaged; what stood there is forgotten",
               {{"file", journal.path_},
                {"from_byte", std::to_string(from)},
                {"to_byte", std::to_string(to)}});
    return Status();
  };
  journal.journal_ = FB_TRY(os::Journal::Open(
      files, journal.path_,
      [&](uint64_t offset, std::string_view record) -> Status {
        if (auto stand = StandOf(record)) {
          journal.stands_.push_back(*std::move(stand));
          return {};
        }
        if (watcher->Restore(record)) return {};
        return how.on_damage(offset, offset + os::kJournalHeadBytes + record.size());
      },
      how));
  return journal;
}

CallTail::Ends WatchJournal::WarmFrom(Instant now) const {
  CallTail::Ends ends;
  for (const Stand& stand : stands_) {
    if (stand.at.us <= now.us - kWarmUs) ends = stand.ends;
  }
  return ends;
}

std::optional<Instant> WatchJournal::WatchedTo() const {
  if (stands_.empty()) return std::nullopt;
  return stands_.back().at;
}

Status WatchJournal::WriteAnew(const watch::Book& book) {
  journal_.reset();
  std::vector<std::string> records = book.Records();
  for (const Stand& stand : stands_) records.push_back(RecordOf(stand));
  journal_ = FB_TRY(os::Journal::WriteAnew(*files_, path_, records));
  anew_bytes_ = journal_->size();
  return {};
}

Status WatchJournal::Append(const std::vector<std::string>& records, const watch::Book& book) {
  const uint64_t most = std::max(kWatchJournalMaxBytes, 2 * anew_bytes_);
  if (!journal_ || journal_->size() > most) return WriteAnew(book);
  const std::vector<std::string_view> views(records.begin(), records.end());
  Status appended = journal_->Append(views, true);
  if (!appended) journal_.reset();
  return appended;
}

Status WatchJournal::Keep(const std::vector<watch::Effect>& effects, const watch::Book& book) {
  std::vector<std::string> records;
  for (const watch::Effect& effect : effects) {
    if (effect.keep) records.push_back(watch::Book::RecordOf(effect));
  }
  if (records.empty()) return {};
  return Append(records, book);
}

Status WatchJournal::Mark(const CallTail::Ends& ends, Instant now, const watch::Book& book) {
  if (!stands_.empty() && now.us - stands_.back().at.us < kMarkEveryUs) return {};
  if (ends.empty() || (!stands_.empty() && stands_.back().ends == ends)) return {};
  stands_.push_back({now, ends});
  // One from before the warm time is enough.
  while (stands_.size() > 1 && stands_[1].at.us <= now.us - kWarmUs) {
    stands_.erase(stands_.begin());
  }
  return Append({RecordOf(stands_.back())}, book);
}

}  // namespace flyball::app
