// Conditions, precedence and the compiled rules against a plain evaluator that tries every rule in
// order.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <re2/re2.h>

#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "estate/decode.h"
#include "estate/field.h"
#include "estate/snapshot.h"
#include "estate/test_rows.h"

namespace flyball::estate {
namespace {

using Op = FieldTest::Op;

std::string SnapshotOf(const std::string& estate, bool pack = false) {
  std::vector<SnapshotPart> parts = {{false, "estate.yaml", estate}};
  if (pack) parts.insert(parts.end(), PackParts().begin(), PackParts().end());
  return WriteSnapshot(parts);
}

// The team that one rule with this match gives, or "".
std::string TeamOf(const std::string& match, const RowOf& row) {
  auto rules = RuleSet::Compile(
      SnapshotOf("rules:\n  - match: { " + match + " }\n    set: { team: hit }\n"));
  EXPECT_TRUE(rules) << match << "\n" << rules.error().ToString();
  if (!rules) return "error";
  return (*rules)->Assign(row.values())[dimension::kTeam].value_or("");
}

RowOf Example() {
  return RowOf{{"ServiceProviderName", "Amazon Web Services, Inc."},
               {"ServiceName", "Amazon Bedrock"},
               {"ServiceCategory", "AI and Machine Learning"},
               {"SkuMeter", "USE1-Claude3-input-tokens"},
               {"ResourceName", "prod-search-7"},
               {"BillingAccountId", "111"},
               {"SubAccountId", "222"},
               {"SkuPriceDetails", R"({"ModelId":"claude-3","CoreCount":4})"},
               {"Tags", R"({"Team":"Search","note":"a \"b\" c","empty":""})"}};
}

TEST(Conditions, EachKindHoldsAndFails) {
  const std::vector<std::pair<const char*, bool>> cases = {
      {"ServiceName: Amazon Bedrock", true},
      {"ServiceName: amazon bedrock", true},
      {"ServiceName: Bedrock", false},
      {"ServiceName: [X, Amazon Bedrock]", true},
      {"ServiceName: {prefix: amazon}", true},
      {"ServiceName: {prefix: [x, Amazon]}", true},
      {"ServiceName: {suffix: BEDROCK}", true},
      {"ServiceName: {suffix: amazon}", false},
      {"ServiceName: {contains: zon bed}", true},
      {"ServiceName: {contains: zonbed}", false},
      {"ServiceName: {word: bedrock}", true},
      {"ServiceName: {word: bed}", false},
      {"SkuMeter: {word: [tokens]}", true},
      {"SkuMeter: {word: claude}", false},
      {"ResourceName: {glob: '*-search-?'}", true},
      {"ResourceName: {glob: 'search*'}", false},
      {"ResourceName: {regex: '^prod-[a-z]+-\\d$'}", true},
      {"ResourceName: {regex: 'PROD'}", false},
      {"ResourceName: {regex: '(?i)PROD'}", true},
      {"ResourceName: {equals: prod-search-7, prefix: prod}", true},
      {"ResourceName: {prefix: prod, suffix: x}", false},
      {"ResourceName: {not: dev}", true},
      {"ResourceName: {present: true}", true},
      {"ResourceName: {present: false}", false},
      {"RegionId: {present: false}", true},
      {"RegionId: {not: x}", true},
      {"RegionId: {prefix: ''''}", false},
      {"ResourceName: [dev, {prefix: prod}]", true},
      {"ResourceName: [dev, {prefix: test}]", false},
      {"provider: AWS", false},
      {"provider: 'amazon web services, inc.'", true},
      {"service: Amazon Bedrock", true},
      {"account: '222'", true},
      {"BillingAccountId: '111'", true},
      {"tag:team: search", true},
      {"tag:note: 'a \"b\" c'", true},
      {"tag:empty: {present: true}", false},
      {"tag:none: {present: false}", true},
      {"SkuPriceDetails.ModelId: claude-3", true},
      {"SkuPriceDetails.CoreCount: 4", true},
      {"text: {contains: input-tokens}", true},
      {"text: {contains: prod-search}", false},
      {"any: [{ServiceName: x}, {tag:team: search}]", true},
      {"any: [{ServiceName: x}, {tag:team: y}]", false},
      {"not: {ServiceName: Amazon Bedrock, tag:team: y}", true},
      {"not: {ServiceName: Amazon Bedrock, tag:team: search}", false},
      {"ServiceName: Amazon Bedrock, tag:team: y", false},
      {"", true},
  };
  for (const auto& [match, holds] : cases) {
    EXPECT_EQ(TeamOf(match, Example()), holds ? "hit" : "") << match;
  }
}

TEST(Conditions, AccountFallsBackToTheBillingAccount) {
  EXPECT_EQ(TeamOf("account: '9'", RowOf{{"BillingAccountId", "9"}}), "hit");
}

TEST(Rules, TheFirstRuleWinsPerDimension) {
  auto rules = RuleSet::Compile(SnapshotOf(R"(
rules:
  - { match: { ServiceName: A }, set: { team: one } }
  - { match: { ServiceName: A }, set: { team: two, project: p } }
  - { match: {}, set: { team: rest, environment: prod } }
)"));
  ASSERT_TRUE(rules) << rules.error().ToString();
  auto assigned = (*rules)->Assign(RowOf{{"ServiceName", "A"}}.values());
  EXPECT_EQ(assigned[dimension::kTeam], "one");
  EXPECT_EQ(assigned[dimension::kProject], "p");
  EXPECT_EQ(assigned[dimension::kEnvironment], "prod");
  EXPECT_EQ((*rules)->Assign(RowOf().values())[dimension::kTeam], "rest");
}

TEST(Rules, ValuesAreTakenFromTheRowAndNormalised) {
  auto rules = RuleSet::Compile(SnapshotOf(R"(
teams: [{id: search, aliases: [Search-Team, srch]}]
environments: [{id: prod, aliases: [production]}]
rules:
  - { match: {}, set: { team: {from: [tag:squad, tag:owner]} } }
  - { match: {}, set: { project: {from: ResourceName, regex: '^[a-z]+-([a-z]+)-'} } }
  - { match: {}, set: { workload: {from: ResourceName, as: slug} } }
  - { match: {}, set: { stage: {from: tag:phase} } }
tags: { environment: [env, stage] }
)"));
  ASSERT_TRUE(rules) << rules.error().ToString();
  RowOf row{{"ResourceName", "prod-ads- Big_One."},
            {"Tags", R"({"owner":" SRCH ","phase":"Fine_Tune","Stage":"PRODUCTION"})"}};
  auto assigned = (*rules)->Assign(row.values());
  EXPECT_EQ(assigned[dimension::kTeam], "search");
  EXPECT_EQ(assigned[dimension::kProject], "ads");
  EXPECT_EQ(assigned[dimension::kWorkload], "prod-ads-big-one");
  EXPECT_EQ(assigned[dimension::kStage], "fine-tune");
  EXPECT_EQ(assigned[dimension::kEnvironment], "prod");
  row.Set("Tags", R"({"squad":"new","phase":"nonsense"})");
  assigned = (*rules)->Assign(row.values());
  EXPECT_EQ(assigned[dimension::kTeam], "new");  // not declared: as it is written
  EXPECT_EQ(assigned[dimension::kStage], std::nullopt);
  EXPECT_EQ((*rules)->Explain(row.values())[dimension::kTeam], "estate.yaml:5");
}

TEST(Rules, AStatedDriverOutsideTheListIsPassedOver) {
  auto rules = RuleSet::Compile(SnapshotOf("", true));
  ASSERT_TRUE(rules);
  RowOf row{{"ServiceCategory", "Storage"}, {"x_CostDriver", "Model_Inference"}};
  EXPECT_EQ((*rules)->Assign(row.values())[dimension::kDriver], "model inference");
  row.Set("x_CostDriver", "bananas");
  EXPECT_EQ((*rules)->Assign(row.values())[dimension::kDriver], "storage");
}

TEST(Rules, AnEstateMayNameAProviderInItsOwnWay) {
  auto rules = RuleSet::Compile(
      SnapshotOf("providers: [{id: AWS, aliases: [Amazonia]}]\nrules: []\n", true));
  ASSERT_TRUE(rules) << rules.error().ToString();
  RowOf row{{"ServiceProviderName", "AMAZONIA"}, {"ServiceName", "Amazon Bedrock"}};
  EXPECT_EQ((*rules)->Explain(row.values())[dimension::kDriver], "pack:aws.bedrock");
}

TEST(Rules, TheSnapshotAloneGivesTheSameAnswers) {
  std::string snapshot = SnapshotOf("teams: [a]\n", true);
  auto first = RuleSet::Compile(snapshot);
  auto second = RuleSet::Compile(std::string(snapshot));
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->hash(), (*second)->hash());
  EXPECT_EQ((*first)->Assign(Example().values()), (*second)->Assign(Example().values()));
  for (size_t cut : {size_t{0}, size_t{10}, snapshot.size() / 2, snapshot.size() - 1}) {
    auto broken = RuleSet::Compile(snapshot.substr(0, cut));
    EXPECT_FALSE(broken) << cut;
  }
}

// The rules as plainly as they can be read: no index, no interning, no scan, no memory.
class Naive {
 public:
  explicit Naive(const Document& document) : document_(document) {
    for (const Named& provider : document.providers) {
      providers_.Add(provider.id, provider.id);
      for (const std::string& alias : provider.aliases) providers_.Add(alias, provider.id);
    }
  }

  // Only rules with literal values; which rule gave each dimension.
  std::array<std::string, dimension::kRuleDimensionCount> Explain(const RowOf& row) const {
    std::array<std::string, dimension::kRuleDimensionCount> why;
    signature::Values values = row.values();
    for (const std::vector<RuleSpec>* rules : {&document_.estate_rules, &document_.pack_rules}) {
      for (const RuleSpec& rule : *rules) {
        Row fresh(values, providers_);
        if (!Holds(rule.match, fresh)) continue;
        for (const SetSpec& set : rule.set) {
          std::string& by = why[static_cast<size_t>(set.dimension)];
          if (!set.literal.empty() && by.empty()) by = rule.origin;
        }
      }
    }
    return why;
  }

 private:
  bool Holds(const MatchSpec& match, Row& row) const {
    for (const FieldTest& test : match.tests) {
      if (!Holds(test, row)) return false;
    }
    for (const MatchSpec& inner : match.none) {
      if (Holds(inner, row)) return false;
    }
    for (const std::vector<MatchSpec>& list : match.any) {
      bool one = false;
      for (const MatchSpec& inner : list) one = one || Holds(inner, row);
      if (!one) return false;
    }
    return true;
  }

  bool Holds(const FieldTest& test, Row& row) const {
    Field field = ParseField(test.field).value();
    std::optional<std::string_view> got = row.Get(field);
    if (test.op == Op::kPresent) return got.has_value();
    if (test.op == Op::kAbsent) return !got.has_value();
    if (!got.has_value()) return false;
    std::string text(*got);
    for (std::string value : test.values) {
      if (field.kind == Field::Kind::kProvider && test.op == Op::kEquals) {
        value = providers_.Canonical(value);
      }
      if (HoldsOne(test.op, value, text)) return true;
    }
    return false;
  }

  // Expressions are kept: compiling them is most of what this evaluator costs.
  static bool Matches(const std::string& pattern, const std::string& text) {
    static std::map<std::string, std::unique_ptr<RE2>> known;
    std::unique_ptr<RE2>& regex = known[pattern];
    if (regex == nullptr) regex = std::make_unique<RE2>(pattern);
    return RE2::PartialMatch(text, *regex);
  }

  static bool HoldsOne(Op op, const std::string& value, const std::string& text) {
    switch (op) {
      case Op::kEquals:
        return EqualsIgnoreCase(value, text);
      case Op::kPrefix:
        return EqualsIgnoreCase(text.substr(0, value.size()), value);
      case Op::kSuffix:
        return ToLower(text).ends_with(ToLower(value));
      case Op::kContains:
        return ToLower(text).find(ToLower(value)) != std::string::npos;
      case Op::kWord:
        return Matches("(?:^|[^a-z0-9])" + RE2::QuoteMeta(ToLower(value)) + "(?:[^a-z0-9]|$)",
                       ToLower(text));
      case Op::kGlob:
        return GlobMatch(ToLower(value), ToLower(text));
      case Op::kRegex:
        return Matches(value, text);
      default:
        return false;
    }
  }

  const Document& document_;
  ProviderNames providers_;
};

struct Both {
  explicit Both(const std::string& snapshot)
      : parts(ReadSnapshot(snapshot).value()), document(Decode(parts)) {
    if (!document) RC_FAIL(document.error().ToString());
    auto compiled = RuleSet::Compile(snapshot);
    if (!compiled) RC_FAIL(compiled.error().ToString());
    rules = *compiled;
  }
  void ExpectSame(const std::vector<RowOf>& rows) const {
    Naive naive(*document);
    for (const RowOf& row : rows) {
      auto fast = rules->Explain(row.values());
      RC_ASSERT(fast == rules->Explain(row.values()));
      auto plain = naive.Explain(row);
      for (size_t d = 0; d < fast.size(); ++d) {
        if (d == dimension::kModel) continue;  // the pack takes models from texts
        RC_ASSERT(fast[d] == plain[d]);
      }
    }
  }

  std::vector<SnapshotPart> parts;
  Result<Document> document;
  std::shared_ptr<const RuleSet> rules;
};

rc::Gen<std::string> Piece() {
  return rc::gen::element<std::string>("alpha", "beta", "gpu", "A", "b", "alpha beta", "x-gpu-1",
                                       "Input Tokens", "gp", "token", "GPU", "1");
}

rc::Gen<RowOf> AnyRow(const std::vector<std::string>& columns) {
  return rc::gen::exec([columns] {
    RowOf row;
    for (const std::string& column : columns) {
      int parts = *rc::gen::inRange(0, 3);
      std::string text;
      for (int i = 0; i < parts; ++i) text += (i == 0 ? "" : " ") + *Piece();
      if (parts > 0) row.Set(column, text);
    }
    return row;
  });
}

std::string AnyMatch(int depth) {
  std::string out = "{";
  int count = *rc::gen::inRange(0, 3);
  std::set<std::string> used;
  for (int i = 0; i < count; ++i) {
    std::string field =
        *rc::gen::element<std::string>("ServiceName", "SkuMeter", "text", "RegionId", "provider");
    if (!used.insert(field).second) continue;
    std::string op = *rc::gen::element<std::string>("equals", "prefix", "suffix", "contains",
                                                    "word", "glob", "regex");
    std::string a = *Piece();
    if (op == "glob") a = "*" + a + "*";
    out +=
        (out.size() > 1 ? ", " : "") + field + ": {" + op + ": ['" + a + "', '" + *Piece() + "']}";
  }
  if (depth > 0 && *rc::gen::arbitrary<bool>()) {
    out += (out.size() > 1 ? ", " : "") + std::string("not: ") + AnyMatch(depth - 1);
  }
  if (depth > 0 && *rc::gen::arbitrary<bool>()) {
    out += (out.size() > 1 ? ", " : "") + std::string("any: [") + AnyMatch(depth - 1) + ", " +
           AnyMatch(depth - 1) + "]";
  }
  return out + "}";
}

TEST(Rules, CompiledEqualsNaiveForAnyRules) {
  bool ok = rc::check("compiled == naive", [] {
    std::string estate = "rules:\n";
    int count = *rc::gen::inRange(1, 12);
    for (int i = 0; i < count; ++i) {
      std::string target = *rc::gen::element<std::string>("team", "project", "workload");
      estate += "  - match: " + AnyMatch(2) + "\n    set: { " + target + ": v" + std::to_string(i) +
                " }\n";
    }
    std::vector<RowOf> rows = *rc::gen::container<std::vector<RowOf>>(
        AnyRow({"ServiceName", "SkuMeter", "RegionId", "ServiceProviderName"}));
    std::string snapshot = SnapshotOf(estate);
    Both(snapshot).ExpectSame(rows);
  });
  EXPECT_TRUE(ok);
}

TEST(Rules, CompiledEqualsNaiveForThePack) {
  static const std::vector<std::string> kWords = {"AWS",
                                                  "Microsoft",
                                                  "Google",
                                                  "Oracle",
                                                  "OpenAI",
                                                  "Databricks",
                                                  "Kubernetes",
                                                  "Amazon EC2",
                                                  "Bedrock",
                                                  "SageMaker",
                                                  "Cognitive Services",
                                                  "Vertex AI",
                                                  "Storage",
                                                  "Data Transfer",
                                                  "training",
                                                  "fine-tuning",
                                                  "Input Tokens",
                                                  "p5.48xlarge",
                                                  "H100",
                                                  "GPU",
                                                  "licence",
                                                  "snapshot",
                                                  "support",
                                                  "KMS",
                                                  "notebook",
                                                  "Compute",
                                                  "Databases",
                                                  "Other",
                                                  "Security",
                                                  "kWh",
                                                  "vLLM"};
  static const std::string snapshot(ShippedPack());
  static const Both both(snapshot);
  bool ok = rc::check("pack == naive", [] {
    auto word = rc::gen::elementOf(kWords);
    std::vector<RowOf> rows;
    for (int i = 0; i < 4; ++i) {
      RowOf row{{"ServiceProviderName", *word},
                {"ServiceName", *word + " " + *word},
                {"ServiceCategory", *word}};
      if (*rc::gen::arbitrary<bool>()) row.Set("SkuMeter", *word + " " + *word);
      if (*rc::gen::arbitrary<bool>()) row.Set("ChargeDescription", *word);
      rows.push_back(row);
    }
    both.ExpectSame(rows);
  });
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace flyball::estate
