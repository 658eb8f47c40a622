// From YAML trees to plain values: the Estate and its rules as they are written, every field
// checked, nothing compiled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"
#include "estate/snapshot.h"
#include "model/dimension.h"

namespace flyball::estate {

// One condition on one field: it holds when `op` holds for any of `values`.
struct FieldTest {
  enum class Op : uint8_t {
    kEquals,
    kPrefix,
    kSuffix,
    kContains,
    kWord,  // with no letter or digit on either side
    kGlob,
    kRegex,
    kPresent,
    kAbsent
  };
  std::string field;  // as written: "provider", "ServiceName", "tag:team",
                      // "SkuPriceDetails.ModelId", "text"
  Op op = Op::kEquals;
  std::vector<std::string> values;
  Place place;
};

// All of it must hold: every test, none of `none`, and of every list in `any` at least one.
struct MatchSpec {
  std::vector<FieldTest> tests;
  std::vector<MatchSpec> none;
  std::vector<std::vector<MatchSpec>> any;
};

// What a rule gives to a dimension: `literal`, or the first of the fields `from` that is present
// (and, with a regex, its first group or whole match where there is no group; as a slug when
// `slug`: lower case, blanks to '-').
struct SetSpec {
  dimension::RuleDimension dimension = dimension::kDriver;
  std::string literal;
  std::vector<std::string> from;
  std::string regex;
  bool slug = false;
  Place place;
};

struct RuleSpec {
  std::string name;    // may be empty, never in the pack
  std::string origin;  // what Explain says: "estate.yaml:41", "pack:aws.bedrock"
  Place place;
  MatchSpec match;
  std::vector<SetSpec> set;
};

struct Document {
  Estate estate;
  std::vector<Named>
      providers;  // canonical names and other spellings; the estate's before the pack's
  std::vector<RuleSpec> estate_rules;
  std::vector<RuleSpec> pack_rules;
};

// INVALID_ARGUMENT with the place, what was found and what was expected.
Result<Document> Decode(const std::vector<SnapshotPart>& parts);

struct Include {
  std::string name;  // relative to the folder of the estate, with no step out of it
  Place place;
};
// What stands under `include:` of one file.
Result<std::vector<Include>> DecodeIncludes(const SnapshotPart& part);

}  // namespace flyball::estate
