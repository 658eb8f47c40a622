// The CSV files of the European Central Bank, line by line.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"
#include "rates/exchange.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kWanted =
    "eurofxref-hist.csv or eurofxref.csv of the European Central Bank, or the daily series of its "
    "data portal as CSV";
constexpr size_t kShownBytes = 60;

std::string Shown(std::string_view text) {
  if (text.size() <= kShownBytes) return "'" + std::string(text) + "'";
  const std::string_view cut = text.substr(0, kShownBytes);
  return "'" + std::string(cut.substr(0, ValidUtf8Prefix(cut))) + "...'";
}

std::unexpected<Error> Wrong(int64_t line, std::string message, std::string hint = {}) {
  Error error{Code::kInvalidArgument, std::move(message), std::move(hint), {}};
  error.place.line = line;
  if (error.hint.empty()) error.hint = "download the file again; it is read as it was published";
  return Fail(std::move(error));
}

// The lines of a text that say something, with their numbers from 1.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) { rest_ = SkipByteOrderMark(rest_); }
  bool Next() {
    while (!rest_.empty()) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (!Trim(line_).empty()) return true;
    }
    return false;
  }
  std::string_view line() const { return line_; }
  int64_t number() const { return number_; }

 private:
  std::string_view rest_, line_;
  int64_t number_ = 0;
};

// The cells of a line, blanks at their edges cut off; a quoted cell may have commas. No cell that
// is looked at has a quote in it, so doubled ones stay as they are.
Result<std::vector<std::string_view>> Cells(const Lines& at) {
  std::vector<std::string_view> cells;
  std::string_view rest = Trim(at.line());
  for (;;) {
    size_t end = rest.find(',');
    if (rest.starts_with('"')) {
      size_t close = rest.find('"', 1);
      while (close != std::string_view::npos && rest.substr(close + 1).starts_with('"')) {
        close = rest.find('"', close + 2);
      }
      if (close == std::string_view::npos) return Wrong(at.number(), "a quoted cell has no end");
      end = rest.find(',', close);
    }
    std::string_view cell = Trim(rest.substr(0, end));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = cell.substr(1, cell.size() - 2);
    }
    cells.push_back(cell);
    if (end == std::string_view::npos) return cells;
    rest.remove_prefix(end + 1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
}

std::optional<int> Number(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > 9999) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return text.empty() ? std::nullopt : std::optional(value);
}

// "2026-10-02", or "02 October 2026" as in the file of a single day.
std::optional<Instant> ParseDay(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  std::optional<int> year, month, day;
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    year = Number(text.substr(0, 4));
    month = Number(text.substr(5, 2));
    day = Number(text.substr(8));
  } else if (const auto words = SplitText(text, ' '); words.size() == 3) {
    const auto name = std::ranges::find(kMonths, words[1]);
    if (name != kMonths.end()) month = static_cast<int>(name - kMonths.begin()) + 1;
    day = Number(words[0]);
    year = Number(words[2]);
  }
  if (!year || !month || !day || *year < 1 || *year > 9999 || *month < 1 || *month > 12) {
    return std::nullopt;
  }
  const CivilDate date{*year, *month, *day};
  const Instant instant = ToInstant(date);
  return ToCivilDate(instant) == date ? std::optional(instant) : std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : lines_(text) {}

  Result<ExchangeFile> Read() {
    if (!lines_.Next()) return Wrong(0, "the file is empty", std::string(kWanted));
    if (lines_.line().starts_with("PK\x03\x04")) {
      return Wrong(1, "this is a ZIP archive", "unpack it and import the CSV file in it");
    }
    header_ = FB_TRY(Cells(lines_));
    if (header_.front() == "Date") {
      FB_CHECK(ReadDays());
    } else if (Column("CURRENCY") && Column("TIME_PERIOD") && Column("OBS_VALUE")) {
      file_.format = ExchangeFormat::kEcbData;
      FB_CHECK(ReadObservations());
    } else {
      return Wrong(lines_.number(), "this is no file of exchange rates that can be read",
                   std::string(kWanted));
    }
    FB_CHECK(Settle());
    return std::move(file_);
  }

 private:
  std::optional<size_t> Column(std::string_view name) const {
    const auto found = std::ranges::find(header_, name);
    if (found == header_.end()) return std::nullopt;
    return static_cast<size_t>(found - header_.begin());
  }

  Result<Instant> Day(std::string_view cell) const {
    const std::optional<Instant> day = ParseDay(cell);
    if (!day) return Wrong(lines_.number(), Shown(cell) + " is no day, such as 2026-10-02");
    return *day;
  }

  Status CheckCurrency(std::string_view name) const {
    if (IsCurrencyCode(name) && name != kEuro) return {};
    return Wrong(lines_.number(), Shown(name) + " is no currency that has a rate to the euro");
  }

  Status AddRate(std::string_view currency, Instant day, std::string_view cell) {
    if (cell.empty() || cell == "N/A" || cell == "NaN") {
      ++file_.missing;
      return {};
    }
    const Result<Money> rate = Money::Parse(cell);
    constexpr int128 kRateMax = static_cast<int128>(1'000'000'000'000) * 1'000'000'000'000;
    if (!rate || rate->units() <= 0 || rate->units() >= kRateMax) {
      return Wrong(
          lines_.number(),
          fmt::format("{} is no rate of {} for {}", Shown(cell), currency, FormatDate(day)),
          "a rate is a number above zero with at most twelve decimals, or N/A");
    }
    auto series = file_.rates.find(std::string(currency));
    if (series == file_.rates.end()) {
      if (file_.rates.size() == kExchangeCurrenciesMax) {
        return Wrong(lines_.number(),
                     fmt::format("there are more than {} currencies", kExchangeCurrenciesMax));
      }
      series = file_.rates.emplace(currency, std::vector<DayRate>()).first;
    }
    series->second.push_back({day, *rate});
    ++file_.stated;
    return {};
  }

  Status ReadDays() {
    // The files end their lines with a comma, and so with a cell that has no name.
    while (header_.size() > 1 && header_.back().empty()) header_.pop_back();
    std::set<std::string_view> seen;
    for (size_t i = 1; i < header_.size(); ++i) {
      FB_CHECK(CheckCurrency(header_[i]));
      if (!seen.insert(header_[i]).second) {
        return Wrong(lines_.number(), Shown(header_[i]) + " is the name of two columns");
      }
    }
    while (lines_.Next()) {
      std::vector<std::string_view> cells = FB_TRY(Cells(lines_));
      while (cells.size() > header_.size() && cells.back().empty()) cells.pop_back();
      if (cells.size() != header_.size()) {
        return Wrong(lines_.number(), fmt::format("the row has {} cells and the header {}",
                                                  cells.size(), header_.size()));
      }
      const Instant day = FB_TRY(Day(cells.front()));
      for (size_t i = 1; i < cells.size(); ++i) FB_CHECK(AddRate(header_[i], day, cells[i]));
    }
    return {};
  }

  // A column that has to say this where it is there.
  Status CheckFact(const std::vector<std::string_view>& cells, std::string_view column,
                   std::string_view wanted) const {
    const std::optional<size_t> at = Column(column);
    if (!at || cells[*at] == wanted) return {};
    return Wrong(
        lines_.number(),
        fmt::format("{} is {}, and rates of days have {}", column, Shown(cells[*at]), wanted),
        "ask the data portal for the series D.<currency>.EUR.SP00.A");
  }

  Status ReadObservations() {
    const size_t currency = *Column("CURRENCY"), day = *Column("TIME_PERIOD");
    const size_t value = *Column("OBS_VALUE");
    while (lines_.Next()) {
      const std::vector<std::string_view> cells = FB_TRY(Cells(lines_));
      if (cells.size() != header_.size()) {
        return Wrong(lines_.number(), fmt::format("the row has {} cells and the header {}",
                                                  cells.size(), header_.size()));
      }
      // Averages of months, and rates of other kinds, have the same columns.
      FB_CHECK(CheckFact(cells, "FREQ", "D"));
      FB_CHECK(CheckFact(cells, "CURRENCY_DENOM", kEuro));
      FB_CHECK(CheckFact(cells, "EXR_TYPE", "SP00"));
      FB_CHECK(CheckFact(cells, "EXR_SUFFIX", "A"));
      FB_CHECK(CheckCurrency(cells[currency]));
      FB_CHECK(AddRate(cells[currency], FB_TRY(Day(cells[day])), cells[value]));
    }
    return {};
  }

  // By day, each once.
  Status Settle() {
    if (file_.rates.empty()) return Wrong(0, "the file has no exchange rate", std::string(kWanted));
    bool first = true;
    for (auto& [currency, series] : file_.rates) {
      std::ranges::sort(series);
      const auto twice = std::ranges::adjacent_find(
          series, [](const DayRate& a, const DayRate& b) { return a.day == b.day; });
      if (twice != series.end()) {
        return Wrong(
            0, fmt::format("the rate of {} for {} stands twice", currency, FormatDate(twice->day)));
      }
      const auto [low, high] = std::pair(series.front().day, series.back().day);
      file_.first_day = first ? low : std::min(file_.first_day, low);
      file_.last_day = first ? high : std::max(file_.last_day, high);
      first = false;
    }
    return {};
  }

  Lines lines_;
  std::vector<std::string_view> header_;
  ExchangeFile file_;
};

}  // namespace

Result<ExchangeFile> ReadExchangeFile(std::string_view text) {
  if (text.size() > kExchangeFileBytesMax) {
    return Wrong(0,
                 fmt::format("the file has {}, and one of exchange rates at most {}",
                             FormatBytes(text.size()), FormatBytes(kExchangeFileBytesMax)),
                 std::string(kWanted));
  }
  return Reader(text).Read();
}

}  // namespace flyball::rates
