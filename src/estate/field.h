// Field: what a rule can look at in a signature, and Row: one signature, read lazily.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/signature.h"

namespace flyball::estate {

struct Field {
  enum class Kind : uint8_t {
    kColumn,    // the column, or the second one where it is absent (account)
    kProvider,  // ServiceProviderName, in the canonical spelling of the `providers` table
    kJson,      // one key of a JSON column: tag:KEY, SkuPriceDetails.KEY
    kText,      // all that the row says about what was bought, joined by " | "
  };
  Kind kind = Kind::kColumn;
  int column = -1;
  int second_column = -1;
  std::string key;  // kJson; lower case

  bool operator==(const Field&) const = default;
};

// INVALID_ARGUMENT (without a place) with the nearest name for what is no field.
Result<Field> ParseField(std::string_view name);

// Maps spellings to canonical ones, blind to ASCII case and to legal forms (", Inc.").
class ProviderNames {
 public:
  void Add(std::string_view spelling, std::string_view canonical);
  // The canonical spelling, or the text itself.
  std::string_view Canonical(std::string_view text) const;

 private:
  std::unordered_map<std::string, std::string> canonical_;
};

// One signature while it is being assigned; each derived text is made once, when a rule first asks.
// Not thread-safe; it lives on the stack of one Assign and views the caller's values.
class Row {
 public:
  Row(const signature::Values& values, const ProviderNames& providers);

  // The value as it is written; nullopt when absent or empty.
  std::optional<std::string_view> Get(const Field& field);
  // In ASCII lower case.
  std::optional<std::string_view> GetLower(const Field& field);

 private:
  struct JsonMember {
    std::string key;  // lower case
    std::string value;
  };
  struct JsonColumn {
    int column = -1;
    std::vector<JsonMember> members;
  };
  std::optional<std::string_view> Column(int column) const;
  std::optional<std::string_view> Json(int column, std::string_view key);
  const std::string& Text();

  const signature::Values& values_;
  const ProviderNames& providers_;
  std::vector<std::optional<std::string>> lower_;  // by column
  std::optional<std::string> text_;
  std::optional<std::string> text_lower_;
  std::optional<std::string_view> provider_;
  std::optional<std::string> provider_lower_;
  std::vector<JsonColumn> json_;
  std::string scratch_;
};

// The members of a flat JSON object, in order: strings unescaped, other values as they are written.
// What is not a JSON object gives the members that could be read.
std::vector<std::pair<std::string, std::string>> FlatJsonMembers(std::string_view json);

}  // namespace flyball::estate
