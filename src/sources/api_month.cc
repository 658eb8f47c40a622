#include "sources/api_month.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "sources/api_doubts.h"
#include "sources/api_pages.h"

namespace flyball::sources {
namespace {

constexpr char kBillNote[] = "bill";  // beside the walks: what they are together

// The days that are due to be asked for; empty: none.
Result<Period> DueDays(const VendorApi& api, const ApiMonth& month, const std::vector<Walk>& walks,
                       Instant now) {
  const Instant earliest = api.history_days == 0
                               ? month.days.start
                               : Instant{FloorDay(now).us - api.history_days * kMicrosPerDay};
  std::optional<Period> lost;  // the days that were never had and can't be, and what is between
  std::optional<Instant> due;
  for (Instant day = month.days.start; day < month.days.end; day = NextDay(day)) {
    const std::optional<Instant> asked_at = AskedAt(walks, day);
    if (day < earliest) {
      if (!asked_at) lost = {lost ? lost->start : day, NextDay(day)};
      continue;
    }
    const Instant final_at{NextDay(day).us + month.again_days * kMicrosPerDay};
    const bool is_final = asked_at && *asked_at >= final_at && *asked_at <= now;
    if (!is_final && !due) due = day;
  }
  if (lost) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("{} goes {} days back, and days of {} before {} were not fetched in "
                            "time",
                            api.name, api.history_days, month.id, FormatDate(lost->end)),
                fmt::format("nothing of the month is imported, as it would be taken for whole; to "
                            "go on without them, let `from` of the source be {}: the ledger then "
                            "has none of the charges since {} that were not fetched",
                            FormatDate(lost->end), FormatDate(lost->start)));
  }
  if (!due) return Period{month.days.end, month.days.end};
  return Period{*due, month.days.end};
}

std::unexpected<Error> TooMuch(const VendorApi& api, const ApiMonth& month) {
  return Fail(
      Code::kResourceExhausted,
      fmt::format("{} says more than {} of {}, which is the most that is imported of a month",
                  api.name, FormatBytes(month.bytes_max), month.id),
      "let `from` of the source be a later month, and import this one from files that the "
      "vendor exports (docs/SYNC.md)");
}

// Walks over the network. `charged`: the days of the month that had charges until now.
class Walker {
 public:
  Walker(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month,
         std::set<Instant> charged, bool keep)
      : fetcher_(fetcher),
        api_(api),
        month_(month),
        charged_(std::move(charged)),
        doubts_(ReadDoubts(fetcher.files, month.folder)),
        keep_(keep) {}

  // Asks for all pages, with fewer days a page where they are too large.
  Result<DayTexts> RunAnew(Walk* walk) {
    for (walk->days_a_page = api_.days_a_page;; walk->days_a_page /= 2) {
      Result<DayTexts> days = GoOn(walk);
      if (days || !page_too_large_ || walk->days_a_page == 1) return days;
      if (keep_) FB_CHECK(fetcher_.files.RemoveTree(FolderOf(*walk)));
      walk->pages.clear();
    }
  }

  // Asks for the pages that are missing.
  Result<DayTexts> GoOn(Walk* walk) {
    Reading reading = FB_TRY(ReadPages(fetcher_.files, api_, month_.folder, *walk));
    if (keep_) FB_CHECK(fetcher_.files.MakeDirs(FolderOf(*walk)));
    while (!walk->whole) {
      if (walk->pages.size() >= kWalkPagesMax) {
        return Fail(Code::kResourceExhausted,
                    fmt::format("{} answers with more than {} pages for {}", api_.name,
                                kWalkPagesMax, month_.id));
      }
      const std::string body = FB_TRY(AskPage(*walk, reading.next));
      if (Status added = reading.Add(api_, walk->days, body); !added) {
        added.error().message = fmt::format("{}: {}", api_.name, added.error().message);
        return Fail(std::move(added).error());
      }
      if (reading.bytes > month_.bytes_max) return TooMuch(api_, month_);
      const bool last = reading.next.empty();
      if (last) FB_CHECK(CheckNothingIsLost(*walk, reading.days));
      const std::string name = PageName(walk->pages.size(), last);
      if (keep_) {
        FB_CHECK(KeepKey(fetcher_.files, api_, os::ParentPath(month_.folder)));
        FB_CHECK(os::AtomicWrite(fetcher_.files, os::JoinPath(FolderOf(*walk), name), body));
      }
      walk->pages.push_back(name);
      walk->whole = last;
    }
    return std::move(reading.days);
  }

  std::string FolderOf(const Walk& walk) const { return os::JoinPath(month_.folder, walk.Name()); }

 private:
  // A vendor that takes a charge back says so, by a day without any, and again hours later; a day
  // that is not spoken of is a vendor that has a bad day itself.
  Status CheckNothingIsLost(const Walk& walk, const DayTexts& answered) {
    // Pages that are gone on with may have said it when the walk was begun.
    const Instant said = std::min(walk.asked_at, fetcher_.clock.Now());
    Doubts doubts;
    std::optional<Instant> doubted;
    for (const Instant day : charged_) {
      if (!walk.days.Contains(day)) continue;
      const auto text = answered.find(day);
      if (text == answered.end()) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("{}: {} had charges, and is not answered any more", api_.name,
                                FormatDate(day)),
                    fmt::format("run the sync again; if it stays so and is right, delete {}",
                                month_.folder));
      }
      if (!text->second.empty()) continue;
      const auto before = doubts_.find(day);
      const Instant first = before == doubts_.end() ? said : std::min(before->second, said);
      doubts[day] = first;
      if (!doubted && said.us - first.us < kEmptyAgainUs) doubted = day;
    }
    doubts_ = doubted ? std::move(doubts) : Doubts();
    if (keep_) FB_CHECK(WriteDoubts(fetcher_.files, month_.folder, doubts_));
    if (!doubted) return {};
    return Fail(Code::kInvalidArgument,
                fmt::format("{}: {} had charges, and is answered without any", api_.name,
                            FormatDate(*doubted)),
                fmt::format("its charges stay until a sync {} hours later or more is told so again",
                            kEmptyAgainUs / kMicrosPerHour));
  }

  Result<std::string> AskPage(const Walk& walk, const std::string& next) {
    Result<std::string> body = Ask(
        fetcher_,
        [&]() -> Result<net::WebRequest> { return api_.ask(walk.days, next, walk.days_a_page); },
        api_.name);
    page_too_large_ = !body && body.error().code == Code::kResourceExhausted;
    if (body) return body;
    Error error = std::move(body).error();
    if (error.message.find(api_.name) == std::string::npos) {
      error.message = fmt::format("{}: {}", api_.name, error.message);
    }
    if (error.code == Code::kUnauthenticated || error.code == Code::kPermissionDenied) {
      error.hint = api_.key_hint;
    } else if (page_too_large_) {
      error.hint = "that is one day alone: import its month from files that the vendor exports";
    }
    return Fail(std::move(error));
  }

  const Fetcher& fetcher_;
  const VendorApi& api_;
  const ApiMonth& month_;
  std::set<Instant> charged_;
  Doubts doubts_;
  bool keep_;
  bool page_too_large_ = false;  // the last one that was asked for
};

std::set<Instant> ChargedDays(const DayTexts& days) {
  std::set<Instant> charged;
  for (const auto& [day, text] : days) {
    if (!text.empty()) charged.insert(day);
  }
  return charged;
}

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
    FB_CHECK(files.RemoveTree(os::JoinPath(month.folder, walk.Name())));
    walks->erase(walks->begin() + static_cast<std::ptrdiff_t>(i));
  }
  return {};
}

// Whether a walk that was ended is not to be gone on with any more: where the vendor does not know
// the page, or what it says does not fit what it said before, all is asked for anew.
bool IsStale(const Error& error) {
  return error.code == Code::kFailedPrecondition || error.code == Code::kNotFound ||
         error.code == Code::kInvalidArgument || error.code == Code::kDataLoss ||
         error.code == Code::kResourceExhausted;
}

// Asks for the days and keeps them.
Status WalkAndKeep(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month, Period due,
                   std::vector<Walk>* walks) {
  const Instant now = fetcher.clock.Now();
  Walker walker(
      fetcher, api, month,
      ChargedDays(FB_TRY(ReadDays(fetcher.files, api, month.folder, month.whole, *walks))), true);
  if (Walk* begun = WalkToGoOnWith(*walks, due, now)) {
    const Result<DayTexts> rest = walker.GoOn(begun);
    if (rest) return RemoveOld(fetcher.files, month, walks);
    if (!IsStale(rest.error())) return Fail(rest.error());
    FB_CHECK(fetcher.files.RemoveTree(walker.FolderOf(*begun)));
    walks->pop_back();
  }
  Walk walk;
  walk.days = due;
  // Later than all others also where the clock was put back.
  walk.asked_at = now;
  if (!walks->empty()) {
    walk.asked_at = std::max(now, Instant{walks->back().asked_at.us + 1});
  }
  FB_CHECK(walker.RunAnew(&walk));
  walks->push_back(std::move(walk));
  return RemoveOld(fetcher.files, month, walks);
}

// What is imported of nothing is no document of the vendor's.
std::string KeyOf(const ApiMonth& month, uint64_t bytes) {
  return month.id + (bytes == 0 ? ".csv" : ".json");
}

Result<MonthBill> BillOfDays(const VendorApi& api, const ApiMonth& month, const DayTexts& days) {
  const std::string text = BillOf(days);
  if (text.size() > month.bytes_max) return TooMuch(api, month);
  MonthBill bill;
  bill.object.key = KeyOf(month, text.size());
  bill.object.bytes = text.size();
  bill.object.version = Sha256Hex(text);
  for (const auto& [day, unused] : days) bill.days |= 1u << (ToCivilDate(day).day - 1);
  return bill;
}

// The note says what the bill is of, so that pages need not be read while nothing new is there:
// "<hash of the walks' names> <days> <bytes> <hash>".
std::string HashOf(const std::vector<Walk>& walks) {
  std::string names;
  for (const Walk& walk : walks) names += walk.whole ? walk.Name() + "\n" : "";
  return Sha256Hex(names);
}

Status WriteNote(os::Files& files, const ApiMonth& month, const std::vector<Walk>& walks,
                 const MonthBill& bill) {
  return os::AtomicWrite(
      files, os::JoinPath(month.folder, kBillNote),
      fmt::format("{} {} {} {}", HashOf(walks), bill.days, bill.object.bytes, bill.object.version));
}

std::optional<MonthBill> ReadNote(os::Files& files, const ApiMonth& month,
                                  const std::vector<Walk>& walks) {
  const std::string path = os::JoinPath(month.folder, kBillNote);
  if (walks.empty() || !files.Exists(path)) return std::nullopt;
  const Result<std::string> text = files.ReadAll(path);
  if (!text) return std::nullopt;
  const std::vector<std::string_view> parts = SplitText(*text, ' ');
  if (parts.size() != 4 || parts[0] != HashOf(walks)) return std::nullopt;
  const auto read = [](std::string_view part, auto* number) {
    return std::from_chars(part.data(), part.data() + part.size(), *number).ec == std::errc();
  };
  MonthBill bill;
  bill.object.version = parts[3];
  if (!read(parts[1], &bill.days) || !read(parts[2], &bill.object.bytes)) return std::nullopt;
  bill.object.key = KeyOf(month, bill.object.bytes);
  return bill;
}

}  // namespace

Result<std::vector<ApiMonth>> MonthsOf(const VendorApi& api, const estate::Source& source,
                                       const std::string& folder, Instant now) {
  const std::string pages = PagesFolder(api, folder);
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
    month.whole = {start, AddMonths(start, 1)};
    month.days = {std::max(start, source.from), std::min(month.whole.end, end)};
    month.again_days = source.again_days;
    if (month.days.start < month.days.end) months.push_back(std::move(month));
  }
  return months;
}

Result<MonthBill> TakeMonth(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month,
                            bool keep) {
  os::Files& files = fetcher.files;
  std::vector<Walk> walks = FB_TRY(ListWalks(files, month.folder));
  const Period due = FB_TRY(DueDays(api, month, walks, fetcher.clock.Now()));
  const bool asks = due.start < due.end;
  if (!keep) {
    DayTexts days = FB_TRY(ReadDays(files, api, month.folder, month.whole, walks));
    if (asks) {
      Walk walk;
      walk.days = due;
      walk.asked_at = fetcher.clock.Now();
      Walker walker(fetcher, api, month, ChargedDays(days), false);
      DayTexts fresh = FB_TRY(walker.RunAnew(&walk));
      for (Instant day = due.start; day < due.end; day = NextDay(day)) {
        days[day] = std::move(fresh[day]);
      }
    }
    return BillOfDays(api, month, days);
  }
  if (asks) FB_CHECK(WalkAndKeep(fetcher, api, month, due, &walks));
  if (std::optional<MonthBill> noted = ReadNote(files, month, walks)) return *noted;
  const DayTexts days = FB_TRY(ReadDays(files, api, month.folder, month.whole, walks));
  MonthBill bill = FB_TRY(BillOfDays(api, month, days));
  if (!walks.empty()) FB_CHECK(WriteNote(files, month, walks, bill));
  return bill;
}

Status CheckDaysStay(const ApiMonth& month, const Remembered& before, const MonthBill& bill) {
  const uint32_t lost = before.days & ~bill.days;
  if (lost == 0) return {};
  const Instant first{month.whole.start.us + std::countr_zero(lost) * kMicrosPerDay};
  return Fail(Code::kFailedPrecondition,
              fmt::format("the ledger has {}, whose pages are gone and which is not asked for any "
                          "more: the month would lose its charges",
                          FormatDate(first)),
              fmt::format("let `from` of the source be {} again, or put back {}; to let go of what "
                          "the ledger has of such days, delete memory.json of the source",
                          FormatDate(first), month.folder));
}

Result<std::string> ReadMonthBill(os::Files& files, const VendorApi& api, const ApiMonth& month) {
  const std::vector<Walk> walks = FB_TRY(ListWalks(files, month.folder));
  return BillOf(FB_TRY(ReadDays(files, api, month.folder, month.whole, walks)));
}

}  // namespace flyball::sources
