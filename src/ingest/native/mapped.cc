#include "ingest/native/mapped.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

constexpr std::array kPeriods = {charge::kChargePeriodStart, charge::kChargePeriodEnd,
                                 charge::kBillingPeriodStart, charge::kBillingPeriodEnd};

// "31.12.2026", "31/12/2026 10:00" as "2026-12-31"; what is no such date stays as it is.
template <bool kDayFirst>
std::string IsoDate(std::string_view text) {
  const std::string_view day = text.substr(0, text.find_first_of(" T"));
  const size_t first = day.find_first_of("./-");
  const size_t second = first == std::string_view::npos ? first : day.find(day[first], first + 1);
  if (second == std::string_view::npos || day.size() - second != 5) return std::string(text);
  std::string a(day.substr(0, first));
  std::string b(day.substr(first + 1, second - first - 1));
  for (std::string* part : {&a, &b}) {
    if (part->empty() || part->size() > 2) return std::string(text);
    if (part->size() == 1) part->insert(0, "0");
  }
  return std::string(day.substr(second + 1)) + "-" + (kDayFirst ? b : a) + "-" +
         (kDayFirst ? a : b) + std::string(text.substr(day.size()));
}

void FillOpen(Draft* draft) {
  Draft& d = *draft;
  const std::string start = d[charge::kChargePeriodStart];
  d[charge::kChargePeriodStart] = InstantOf(start);
  std::string& end = d[charge::kChargePeriodEnd];
  end = end.empty() ? DayAfter(start) : InstantOf(end);
  std::string& month = d[charge::kBillingPeriodStart];
  std::string& month_end = d[charge::kBillingPeriodEnd];
  const std::string of = month.empty() ? start : month;
  month_end = month_end.empty() ? MonthAfter(of) : InstantOf(month_end);
  month = MonthOf(of);
}

void CodeIso(const Row&, const Context&, std::vector<Draft>* drafts) { FillOpen(&drafts->front()); }

template <bool kDayFirst>
void CodeOther(const Row&, const Context&, std::vector<Draft>* drafts) {
  for (const int column : kPeriods) {
    std::string& cell = drafts->front()[column];
    cell = IsoDate<kDayFirst>(cell);
  }
  FillOpen(&drafts->front());
}

// A format, and the texts that it points to.
struct Owned {
  estate::Mapping mapping;
  std::string costs, title;
  Format format;
};

}  // namespace

std::shared_ptr<const Format> FormatOf(const estate::Mapping& mapping) {
  auto owned = std::make_shared<Owned>();
  owned->mapping = mapping;
  for (estate::MappedColumn& column : owned->mapping.columns) {
    for (std::string& from : column.from) from = LowerCase(from);
  }
  for (auto& [key, from] : owned->mapping.tags) from = LowerCase(from);
  owned->title = mapping.title.empty() ? "a mapping of the estate" : mapping.title;
  Format& format = owned->format;
  format.name = owned->mapping.name;
  format.title = owned->title;
  format.page = "estate.yaml";
  format.spell = LowerCase;
  for (const estate::MappedColumn& column : owned->mapping.columns) {
    const int index = charge::IndexOf(column.column);
    Rule rule{column.column, {}, column.from.empty()};
    if (rule.constant) rule.from[0] = column.value;
    std::ranges::copy(column.from, rule.from.begin());
    format.rules.push_back(rule);
    // Of several columns any may be the one that is there.
    if (column.from.size() == 1 &&
        (index == charge::kBilledCost || index == charge::kChargePeriodStart)) {
      format.needs.push_back(rule.from[0]);
    }
    if (index == charge::kBilledCost) {
      for (const std::string& from : column.from)
        owned->costs += (owned->costs.empty() ? "" : "|") + from;
    }
  }
  for (const int column : kPeriods) {
    format.derived.push_back(charge::kColumnNames[static_cast<size_t>(column)]);
  }
  for (const auto& [key, from] : owned->mapping.tags) format.tags.emplace_back(key, from);
  if (!format.tags.empty()) format.derived.push_back("Tags");
  format.costs = {owned->costs};
  format.code = CodeIso;
  if (mapping.dates == estate::DateOrder::kDayFirst) format.code = CodeOther<true>;
  if (mapping.dates == estate::DateOrder::kMonthFirst) format.code = CodeOther<false>;
  return {owned, &owned->format};
}

}  // namespace flyball::native
