#include "sources/api_month.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hash.h"
#include "base/text.h"

namespace flyball::sources {
namespace {

constexpr char kBillNote[] = "bill";  // beside the walks: what they are together

Instant NextDay(Instant day) { return Instant{day.us + kMicrosPerDay}; }

struct Walk {
  std::string name;
  Instant asked_at;
  Period days;
  std::vector<std::string> pages;  // names of its files
  bool whole = false;
};

std::string NameOf(Instant asked_at, Period days) {
  return fmt::format("{}_{}_{}", asked_at.us, FormatDate(days.start), FormatDate(days.end));
}

std::string PageName(size_t number, bool last) {
  return fmt::format("{:03}{}.json", number, last ? ".last" : "");
}

// Nothing for what is no walk's name.
std::optional<Walk> WalkOfName(const std::string& name) {
  const std::vector<std::string_view> parts = SplitText(name, '_');
  if (parts.size() != 3) return std::nullopt;
  Walk walk;
  walk.name = name;
  const auto read =
      std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), walk.asked_at.us);
  ParsedInstant start, end;
  if (read.ec != std::errc() || !ParseInstant(parts[1], &start) || !ParseInstant(parts[2], &end)) {
    return std::nullopt;
  }
  walk.days = {start.instant, end.instant};
  // Another spelling would not be found where it is looked for.
  if (NameOf(walk.asked_at, walk.days) != name) return std::nullopt;
  return walk;
}

// By time. Only pages without a gap before them count.
Result<std::vector<Walk>> ListWalks(os::Files& files, const std::string& folder) {
  std::vector<Walk> walks;
  if (!files.Exists(folder)) return walks;
  const std::vector<std::string> names = FB_TRY(files.List(folder));
  for (const std::string& name : names) {
    std::optional<Walk> walk = WalkOfName(name);
    if (!walk) continue;
    const std::vector<std::string> pages = FB_TRY(files.List(os::JoinPath(folder, name)));
    for (const std::string& page : pages) {
      if (walk->whole) break;
      const size_t number = walk->pages.size();
      walk->whole = page == PageName(number, true);
      if (walk->whole || page == PageName(number, false)) walk->pages.push_back(page);
    }
    walks.push_back(*std::move(walk));
  }
  std::ranges::sort(walks, {}, [](const Walk& walk) { return walk.asked_at; });
  return walks;
}

// Pages, one after the other.
struct Reading {
  DayTexts days;
  std::string next;

  Status Add(const VendorApi& api, Period asked, std::string_view body) {
    Result<ApiAnswer> answer = api.read(asked, next, body);
    if (!answer) return Fail(std::move(answer).error());
    for (auto& [day, text] : answer->days) {
      if (days.contains(day)) {
        return Fail(Code::kInvalidArgument, FormatDate(day) + " is answered on two pages");
      }
      days[day] = std::move(text);
    }
    next = answer->next;
    return {};
  }
};

Result<Reading> ReadPages(os::Files& files, const VendorApi& api, const std::string& folder,
                          const Walk& walk) {
  Reading reading;
  for (const std::string& page : walk.pages) {
    const std::string path = os::JoinPath(os::JoinPath(folder, walk.name), page);
    const Status added = reading.Add(api, walk.days, FB_TRY(files.ReadAll(path)));
    if (!added) {
      return Fail(Code::kDataLoss, fmt::format("'{}' is damaged: {}", path, added.error().message),
                  "delete the folder it stands in: the next sync asks for its days again");
    }
  }
  return reading;
}

// Of each of the month's days the text of the newest whole walk.
Result<DayTexts> ReadDays(os::Files& files, const VendorApi& api, const ApiMonth& month,
                          const std::vector<Walk>& walks) {
  DayTexts days;
  for (const Walk& walk : walks) {
    if (!walk.whole) continue;
    Reading reading = FB_TRY(ReadPages(files, api, month.folder, walk));
    for (Instant day = walk.days.start; day < walk.days.end; day = NextDay(day)) {
      if (!month.days.Contains(day)) continue;
      // A day without a charge need not be named.
      days[day] = std::move(reading.days[day]);
    }
  }
  return days;
}

// When the day was asked for last; nothing: never.
std::optional<Instant> AskedAt(const std::vector<Walk>& walks, Instant day) {
  std::optional<Instant> asked_at;
  for (const Walk& walk : walks) {
    if (walk.whole && walk.days.Contains(day)) asked_at = walk.asked_at;
  }
  return asked_at;
}

// What is to be asked for now; empty: nothing.
Result<Period> DueDays(const VendorApi& api, const ApiMonth& month, const std::vector<Walk>& walks,
                       Instant now) {
  const Instant earliest = api.history_days == 0
                               ? month.days.start
                               : Instant{FloorDay(now).us - api.history_days * kMicrosPerDay};
  Instant lost_end{};  // the end of the days that were never had and can't be
  std::optional<Instant> due;
  for (Instant day = month.days.start; day < month.days.end; day = NextDay(day)) {
    const std::optional<Instant> asked_at = AskedAt(walks, day);
    if (day < earliest) {
      if (!asked_at) lost_end = NextDay(day);
      continue;
    }
    const Instant final_at{NextDay(day).us + month.again_days * kMicrosPerDay};
    const bool is_final = asked_at && *asked_at >= final_at && *asked_at <= now;
    if (!is_final && !due) due = day;
  }
  if (lost_end > month.days.start) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("{} goes {} days back, and days of {} before {} were not fetched in "
                            "time",
                            api.name, api.history_days, month.id, FormatDate(lost_end)),
                fmt::format("nothing of the month is imported, as it would be taken for whole; to "
                            "have it from there on only, let `from` of the source be {}",
                            FormatDate(lost_end)));
  }
  if (!due) return Period{month.days.end, month.days.end};
  return Period{*due, month.days.end};
}

// A walk over the network. `before`: what the vendor said of the month's days until now.
class Walker {
 public:
  Walker(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month, DayTexts before)
      : fetcher_(fetcher), api_(api), month_(month), before_(std::move(before)) {}

  // The days of a period; kept in `walk`, where there is one, whose pages are not asked for again.
  Result<DayTexts> Run(Period days, Walk* walk) {
    Reading reading;
    const std::string folder = walk == nullptr ? "" : os::JoinPath(month_.folder, walk->name);
    if (walk != nullptr) {
      reading = FB_TRY(ReadPages(fetcher_.files, api_, month_.folder, *walk));
      FB_CHECK(fetcher_.files.MakeDirs(folder));
    }
    for (size_t page = walk == nullptr ? 0 : walk->pages.size();; ++page) {
      if (page >= kWalkPagesMax) {
        return Fail(Code::kResourceExhausted,
                    fmt::format("{} answers with more than {} pages for {}", api_.name,
                                kWalkPagesMax, month_.id));
      }
      const std::string body = FB_TRY(AskPage(days, reading.next));
      if (Status added = reading.Add(api_, days, body); !added) {
        added.error().message = fmt::format("{}: {}", api_.name, added.error().message);
        return Fail(std::move(added).error());
      }
      const bool last = reading.next.empty();
      if (last) FB_CHECK(CheckNothingIsLost(days, reading.days));
      if (walk != nullptr) {
        const std::string name = PageName(page, last);
        FB_CHECK(os::AtomicWrite(fetcher_.files, os::JoinPath(folder, name), body));
        walk->pages.push_back(name);
      }
      if (last) break;
    }
    if (walk != nullptr) walk->whole = true;
    return std::move(reading.days);
  }

 private:
  // A vendor that takes a charge back says so, by a day without any; a day that is not spoken of
  // is a vendor that has a bad day itself.
  Status CheckNothingIsLost(Period asked, const DayTexts& answered) const {
    for (const auto& [day, text] : before_) {
      if (text.empty() || !asked.Contains(day) || answered.contains(day)) continue;
      return Fail(
          Code::kInvalidArgument,
          fmt::format("{}: {} had charges, and is not answered any more", api_.name,
                      FormatDate(day)),
          fmt::format("run the sync again; if it stays so and is right, delete {}", month_.folder));
    }
    return {};
  }

  Result<std::string> AskPage(Period days, const std::string& next) {
    Result<std::string> body =
        Ask(fetcher_, [&]() -> Result<net::WebRequest> { return api_.ask(days, next); }, api_.name);
    if (body) return body;
    Error error = std::move(body).error();
    if (error.message.find(api_.name) == std::string::npos) {
      error.message = fmt::format("{}: {}", api_.name, error.message);
    }
    if (error.code == Code::kUnauthenticated || error.code == Code::kPermissionDenied) {
      error.hint = api_.key_hint;
    }
    return Fail(std::move(error));
  }

  const Fetcher& fetcher_;
  const VendorApi& api_;
  const ApiMonth& month_;
  DayTexts before_;
};

// The walk that was ended before its last page, where it can still be gone on with.
Walk* WalkToGoOnWith(std::vector<Walk>& walks, Period due, Instant now) {
  if (walks.empty()) return nullptr;
  Walk& newest = walks.back();
  const bool fresh = newest.asked_at <= now && now.us - newest.asked_at.us < kWalkGoesOnUs;
  return !newest.whole && !newest.pages.empty() && fresh && newest.days == due ? &newest : nullptr;
}

// Removes walks that a whole one has taken the place of, and those that were ended.
Status RemoveOld(os::Files& files, const ApiMonth& month, std::vector<Walk>* walks) {
  const Period newest = walks->back().days;
  for (size_t i = walks->size() - 1; i-- > 0;) {
    const Walk& walk = (*walks)[i];
    const bool covered = newest.start <= walk.days.start && walk.days.end <= newest.end;
    if (walk.whole && !covered) continue;
    FB_CHECK(files.RemoveTree(os::JoinPath(month.folder, walk.name)));
    walks->erase(walks->begin() + static_cast<std::ptrdiff_t>(i));
  }
  return {};
}

// Asks for the days and keeps them.
Status WalkAndKeep(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month, Period due,
                   std::vector<Walk>* walks) {
  const Instant now = fetcher.clock.Now();
  Walker walker(fetcher, api, month, FB_TRY(ReadDays(fetcher.files, api, month, *walks)));
  if (Walk* begun = WalkToGoOnWith(*walks, due, now)) {
    const Result<DayTexts> rest = walker.Run(due, begun);
    if (rest) return RemoveOld(fetcher.files, month, walks);
    // What passes is told; where the vendor does not know the page any more, or what it says does
    // not fit what it said before, all is asked for anew.
    switch (rest.error().code) {
      case Code::kFailedPrecondition:
      case Code::kNotFound:
      case Code::kInvalidArgument:
      case Code::kDataLoss:
        break;
      default:
        return Fail(rest.error());
    }
    FB_CHECK(fetcher.files.RemoveTree(os::JoinPath(month.folder, begun->name)));
    walks->pop_back();
  }
  Walk walk;
  walk.days = due;
  // Later than all others also where the clock was put back.
  walk.asked_at = now;
  if (!walks->empty()) {
    walk.asked_at = std::max(now, Instant{walks->back().asked_at.us + 1});
  }
  walk.name = NameOf(walk.asked_at, walk.days);
  FB_CHECK(walker.Run(due, &walk));
  walks->push_back(std::move(walk));
  return RemoveOld(fetcher.files, month, walks);
}

Object ObjectOf(const ApiMonth& month, std::string_view bill) {
  Object object;
  object.key = month.id + ".json";
  object.bytes = bill.size();
  object.version = Sha256Hex(bill);
  return object;
}

// The note says what the bill is of, so that pages need not be read while nothing new is there:
// "<walk> <first day> <end> <bytes> <hash>".
std::string NoteStart(const ApiMonth& month, const std::vector<Walk>& walks) {
  return fmt::format("{} {} {} ", walks.back().name, FormatDate(month.days.start),
                     FormatDate(month.days.end));
}

std::optional<Object> ReadNote(os::Files& files, const ApiMonth& month,
                               const std::vector<Walk>& walks) {
  const std::string path = os::JoinPath(month.folder, kBillNote);
  if (walks.empty() || !files.Exists(path)) return std::nullopt;
  const Result<std::string> text = files.ReadAll(path);
  const std::string start = NoteStart(month, walks);
  if (!text || !text->starts_with(start)) return std::nullopt;
  const std::vector<std::string_view> parts =
      SplitText(std::string_view(*text).substr(start.size()), ' ');
  if (parts.size() != 2) return std::nullopt;
  Object object;
  object.key = month.id + ".json";
  const auto read =
      std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), object.bytes);
  if (read.ec != std::errc()) return std::nullopt;
  object.version = parts[1];
  return object;
}

}  // namespace

Result<std::vector<ApiMonth>> MonthsOf(const VendorApi& api, const estate::Source& source,
                                       const std::string& folder, Instant now) {
  const std::string pages = os::JoinPath(os::JoinPath(folder, "pages"), api.report);
  const Instant today = FloorDay(now);
  const Instant end = api.states_running_day ? NextDay(today) : today;
  std::vector<ApiMonth> months;
  for (Instant start = FloorMonth(source.from); start < end; start = AddMonths(start, 1)) {
    if (months.size() >= kApiMonthsMax) {
      return Fail(
          Error{Code::kResourceExhausted,
                fmt::format("`from` of a source is more than {} months back", kApiMonthsMax), "",
                source.place});
    }
    ApiMonth month;
    month.id = FormatDate(start).substr(0, 7);
    month.folder = os::JoinPath(pages, month.id);
    month.days = {std::max(start, source.from), std::min(AddMonths(start, 1), end)};
    month.again_days = source.again_days;
    if (month.days.start < month.days.end) months.push_back(std::move(month));
  }
  return months;
}

Result<Object> TakeMonth(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month,
                         bool keep) {
  std::vector<Walk> walks = FB_TRY(ListWalks(fetcher.files, month.folder));
  const Period due = FB_TRY(DueDays(api, month, walks, fetcher.clock.Now()));
  const bool asks = due.start < due.end;
  if (!keep) {
    DayTexts days = FB_TRY(ReadDays(fetcher.files, api, month, walks));
    if (asks) {
      DayTexts fresh = FB_TRY(Walker(fetcher, api, month, days).Run(due, nullptr));
      for (Instant day = due.start; day < due.end; day = NextDay(day)) {
        days[day] = std::move(fresh[day]);
      }
    }
    return ObjectOf(month, BillOf(days));
  }
  if (asks) FB_CHECK(WalkAndKeep(fetcher, api, month, due, &walks));
  if (std::optional<Object> noted = ReadNote(fetcher.files, month, walks)) return *noted;
  Object object = ObjectOf(month, BillOf(FB_TRY(ReadDays(fetcher.files, api, month, walks))));
  if (!walks.empty()) {
    const std::string note =
        fmt::format("{}{} {}", NoteStart(month, walks), object.bytes, object.version);
    FB_CHECK(os::AtomicWrite(fetcher.files, os::JoinPath(month.folder, kBillNote), note));
  }
  return object;
}

Result<std::string> ReadMonthBill(os::Files& files, const VendorApi& api, const ApiMonth& month) {
  const std::vector<Walk> walks = FB_TRY(ListWalks(files, month.folder));
  return BillOf(FB_TRY(ReadDays(files, api, month, walks)));
}

}  // namespace flyball::sources
