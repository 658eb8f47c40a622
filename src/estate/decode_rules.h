// Decodes `rules:` and `tags:` of one file.
#pragma once

#include <vector>

#include "estate/decode.h"
#include "estate/decode_util.h"

namespace flyball::estate {

class RuleDecoder {
 public:
  explicit RuleDecoder(const SnapshotPart& part) : part_(part) {}

  Status Rules(At list, std::vector<RuleSpec>* out);
  // `tags: {team: [team, owner]}`: one rule for each dimension, {team: {from: [tag:team,
  // tag:owner]}}.
  Status Tags(At map, std::vector<RuleSpec>* out);

 private:
  Result<RuleSpec> Rule(At at);
  Result<MatchSpec> Match(At at);
  Status Condition(const std::string& field, At at, MatchSpec* match);
  Status Operators(const std::string& field, At at, MatchSpec* match);
  Result<std::vector<MatchSpec>> Alternatives(const std::string& field, At list);
  Status Set(At at, std::vector<SetSpec>* out);
  Result<SetSpec> SetOne(dimension::RuleDimension target, At at);
  Status TakeFrom(At at, SetSpec* set);
  Result<dimension::RuleDimension> Target(At key);
  std::string Origin(const std::string& name, int line) const;

  const SnapshotPart& part_;
};

}  // namespace flyball::estate
