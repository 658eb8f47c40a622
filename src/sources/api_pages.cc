#include "sources/api_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace flyball::sources {
namespace {

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
  return std::from_chars(text.data(), text.data() + text.size(), *number).ec == std::errc();
}

// Nothing for what is no walk's name.
std::optional<Walk> WalkOfName(const std::string& name) {
  const std::vector<std::string_view> parts = SplitText(name, '_');
  if (parts.size() != 4) return std::nullopt;
  Walk walk;
  ParsedInstant start, end;
  if (!ReadNumber(parts[0], &walk.asked_at.us) || !ParseInstant(parts[1], &start) ||
      !ParseInstant(parts[2], &end) || !ReadNumber(parts[3], &walk.days_a_page)) {
    return std::nullopt;
  }
  walk.days = {start.instant, end.instant};
  // Another spelling would not be found where it is looked for.
  if (walk.days_a_page < 1 || walk.Name() != name) return std::nullopt;
  return walk;
}

std::string KeyPath(const std::string& pages_folder) {
  return os::JoinPath(pages_folder, "key.sha256");
}

}  // namespace

std::string PagesFolder(const VendorApi& api, const std::string& source_folder) {
  return os::JoinPath(os::JoinPath(source_folder, "pages"), api.report);
}

Status CheckKey(os::Files& files, const VendorApi& api, const std::string& pages_folder) {
  const std::string path = KeyPath(pages_folder);
  if (!files.Exists(path) || FB_TRY(files.ReadAll(path)) == api.key_sha256) return {};
  return Fail(Code::kFailedPrecondition,
              fmt::format("{}: the key is another one than before, and may be another "
                          "organisation's, whose charges would take the place of this one's",
                          api.name),
              "a new key of the same organisation: run `flyball sync --accept-key` once; another "
              "organisation: give it a source of another name");
}

Status KeepKey(os::Files& files, const VendorApi& api, const std::string& pages_folder) {
  FB_CHECK(files.MakeDirs(pages_folder));
  return os::AtomicWrite(files, KeyPath(pages_folder), api.key_sha256);
}

std::string Walk::Name() const {
  return fmt::format("{}_{}_{}_{}", asked_at.us, FormatDate(days.start), FormatDate(days.end),
                     days_a_page);
}

std::string PageName(size_t number, bool last) {
  return fmt::format("{:03}{}.json", number, last ? ".last" : "");
}

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

Status Reading::Add(const VendorApi& api, Period asked, std::string_view body) {
  Result<ApiAnswer> answer = api.read(asked, next, body);
  if (!answer) return Fail(std::move(answer).error());
  for (auto& [day, text] : answer->days) {
    if (days.contains(day)) {
      return Fail(Code::kInvalidArgument, FormatDate(day) + " is answered on two pages");
    }
    days[day] = std::move(text);
  }
  next = answer->next;
  bytes += body.size();
  return {};
}

Result<Reading> ReadPages(os::Files& files, const VendorApi& api, const std::string& folder,
                          const Walk& walk) {
  Reading reading;
  for (const std::string& page : walk.pages) {
    const std::string path = os::JoinPath(os::JoinPath(folder, walk.Name()), page);
    const Status added = reading.Add(api, walk.days, FB_TRY(files.ReadAll(path)));
    if (!added) {
      return Fail(Code::kDataLoss, fmt::format("'{}' is damaged: {}", path, added.error().message),
                  "delete the folder it stands in: the next sync asks for its days again");
    }
  }
  return reading;
}

Result<DayTexts> ReadDays(os::Files& files, const VendorApi& api, const std::string& folder,
                          Period days, const std::vector<Walk>& walks) {
  DayTexts texts;
  for (const Walk& walk : walks) {
    if (!walk.whole) continue;
    Reading reading = FB_TRY(ReadPages(files, api, folder, walk));
    for (Instant day = walk.days.start; day < walk.days.end; day = NextDay(day)) {
      if (!days.Contains(day)) continue;
      // A day without a charge need not be named.
      texts[day] = std::move(reading.days[day]);
    }
  }
  return texts;
}

std::optional<Instant> AskedAt(const std::vector<Walk>& walks, Instant day) {
  std::optional<Instant> asked_at;
  for (const Walk& walk : walks) {
    if (walk.whole && walk.days.Contains(day)) asked_at = walk.asked_at;
  }
  return asked_at;
}

}  // namespace flyball::sources
