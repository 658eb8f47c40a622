// Requirements Model: the machine-readable rules that FOCUS publishes for each version
// (FOCUS_Spec, specification/requirements_model), read strictly and turned into rules of ours.
//
// Conditions are evaluated as they are written. A rule that a composite names speaks of the rows
// that its own condition and the composite's both hold of. Rules without a check function
// ("Dynamic") are decided by what model_dynamic.cc says of them, or are not decidable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "check/rule.h"
#include "check/verdicts.h"
#include "model/focus.h"

namespace flyball::check {

inline constexpr uint64_t kModelBytesMax = 64u << 20;
inline constexpr int kModelDepthMax = 32;  // of nested checks

struct ModelRule {
  std::string id, function, reference, entity;
  Keyword keyword = Keyword::kMust;
  std::string text;
  bool dynamic = false;
  bool active = true;
  std::vector<std::string> criteria;      // applicability
  std::vector<std::string> dependencies;  // rules that it rests on
  std::vector<std::string> parts;         // of a composite
  bool any_part = false;
  std::string undecidable;  // a check function that is not known, or columns that it lacks
  bool present = false;     // it asks for the column `reference_column` to be there
  std::string present_column;
  Expr condition = Expr::True();
  bool has_group = false;
  Group group;
  Expr requirement = Expr::True();
};

struct Model {
  std::string model_version, focus_version;
  std::vector<std::pair<std::string, std::string>> criteria;                // name, description
  std::vector<std::pair<std::string, std::vector<std::string>>> data_sets;  // name, root rules
  std::vector<ModelRule> rules;
};

// INVALID_ARGUMENT with the place (the byte of a syntax error, else the path inside the document)
// and the remedy.
Result<Model> ReadModel(std::string_view json);
Result<Model> ReadModelFile(const std::string& path);

// The model's rules for one data set. `supports`: criteria that hold though no column shows it.
Result<std::vector<Rule>> ModelRules(const Model& model, focus::DataSet data_set,
                                     const std::vector<FileHeader>& headers,
                                     const std::vector<std::string>& supports);

// How the data decides a rule without a check function; of FOCUS 1.2. nullptr: not known.
struct DynamicRule {
  std::string_view id;
  std::string_view must;  // an expression; empty: a group, or the reason below
  std::string_view when = {};
  std::string_view reason = {};  // why no data can decide it, or why it binds no data
  bool binds_no_data = false;
  int group = -1;  // a GroupCheck
  std::string_view key = {}, value = {};
  int header = -1;  // a HeaderCheck
};
const DynamicRule* FindDynamic(std::string_view id);
// What is known to be wrong in the published model itself; empty: nothing.
std::string_view KnownMistake(std::string_view id, std::string_view model_version);

}  // namespace flyball::check
