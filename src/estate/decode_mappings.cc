#include "estate/decode_mappings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/charge.h"
#include "os/files.h"

namespace flyball::estate {
namespace {

// In the order of DateOrder.
constexpr std::array<std::string_view, 3> kDates = {"iso", "day-first", "month-first"};
// What no charge can do without.
constexpr std::array<std::string_view, 3> kRequired = {"BilledCost", "BillingCurrency",
                                                       "ChargePeriodStart"};
constexpr size_t kFromMax = 3;

// { value: USD }, a column of the bill, or a list of them.
Result<MappedColumn> DecodeColumn(At at, const std::string& column) {
  MappedColumn mapped;
  mapped.column = column;
  if (at.node.kind == YamlNode::Kind::kMap) {
    FB_CHECK(CheckKeys(at, "a mapped column", {"value"}));
    mapped.value = FB_TRY(ReadTextAt(at, "value", "the text that every charge gets"));
    if (mapped.value.empty()) return Unexpected(at, "a column of the bill, or { value: TEXT }");
    return mapped;
  }
  mapped.from = FB_TRY(ReadTexts(at, "a column of the bill"));
  // These join and cut names where costs are summed.
  const bool plain = std::ranges::none_of(mapped.from, [](const std::string& name) {
    return name.find('|') != std::string::npos || name.find("[].") != std::string::npos;
  });
  if (column == "BilledCost" && !plain) {
    return Unexpected(at, "a column without '|' and '[].' in its name", "rename it in the bill");
  }
  if (mapped.from.empty() || mapped.from.size() > kFromMax) {
    return Unexpected(at, fmt::format("one to {} columns of the bill", kFromMax),
                      "the first that says something counts");
  }
  return mapped;
}

Status CheckColumn(At key, const std::string& column) {
  const bool known = charge::IndexOf(column) >= 0;
  const bool made_here = column == "x_Lineage" || column == "x_Signature" ||
                         column == "x_SourceFile" || column == "x_SourceLine" || column == "Tags";
  if (known && !made_here) return {};
  if (column == "Tags") return Unexpected(key, "a column", "say tags by key under `tags`");
  const std::vector<std::string_view> names(charge::kColumnNames.begin(),
                                            charge::kColumnNames.end());
  return UnknownName(key, "column of FOCUS", column, names);
}

Result<Mapping> DecodeMapping(At map) {
  FB_CHECK(ExpectMap(map, "a mapping with `name` and `columns`"));
  FB_CHECK(CheckKeys(map, "a mapping", {"name", "title", "dates", "columns", "tags"}));
  Mapping mapping;
  mapping.place = map.place();
  mapping.name = FB_TRY(ReadTextAt(map, "name", "the name of a mapping"));
  if (!os::IsPlainName(mapping.name)) return Unexpected(map, "a mapping with a plain `name`");
  mapping.title = FB_TRY(ReadTextAt(map, "title", "a title"));
  if (const YamlNode* dates = map.node.Find("dates")) {
    const std::string order = FB_TRY(ReadClosed(At{*dates, map.file}, "order of dates", kDates));
    mapping.dates = static_cast<DateOrder>(std::ranges::find(kDates, order) - kDates.begin());
  }
  const YamlNode* columns = map.node.Find("columns");
  if (columns == nullptr) return Unexpected(map, "a mapping with `columns`");
  FB_CHECK(ExpectMap(At{*columns, map.file}, "a map of FOCUS columns"));
  for (size_t i = 0; i < columns->items.size(); ++i) {
    const std::string& column = columns->keys[i].scalar;
    FB_CHECK(CheckColumn(At{columns->keys[i], map.file}, column));
    mapping.columns.push_back(FB_TRY(DecodeColumn(At{columns->items[i], map.file}, column)));
  }
  for (const std::string_view required : kRequired) {
    const auto found = std::ranges::find(mapping.columns, required, &MappedColumn::column);
    if (found == mapping.columns.end()) {
      return Unexpected(At{*columns, map.file}, fmt::format("a map with {}", required));
    }
    if (required == kRequired[0] && found->from.empty()) {
      return Unexpected(At{*columns, map.file}, "BilledCost from a column of the bill");
    }
  }
  const YamlNode* tags = map.node.Find("tags");
  if (tags == nullptr) return mapping;
  FB_CHECK(ExpectMap(At{*tags, map.file}, "a map of tags"));
  for (size_t i = 0; i < tags->items.size(); ++i) {
    mapping.tags.emplace_back(tags->keys[i].scalar, FB_TRY(ReadText(At{tags->items[i], map.file},
                                                                    "a column of the bill")));
  }
  return mapping;
}

}  // namespace

Result<std::vector<Mapping>> DecodeMappings(At list) {
  FB_CHECK(ExpectList(list, "a list of mappings"));
  std::vector<Mapping> mappings;
  for (const YamlNode& node : list.node.items) {
    Mapping mapping = FB_TRY(DecodeMapping(At{node, list.file}));
    if (std::ranges::find(mappings, mapping.name, &Mapping::name) != mappings.end()) {
      return Fail(Error{Code::kInvalidArgument,
                        fmt::format("'{}' names two mappings", mapping.name),
                        "give each a name of its own", mapping.place});
    }
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

}  // namespace flyball::estate
