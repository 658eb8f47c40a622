// The report as JSON, and as JUnit XML for CI.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "check/check.h"

namespace flyball::check {
namespace {

using Json = nlohmann::ordered_json;

std::string Percent(int64_t ppm) { return FormatDecimal(ppm, 4); }

Json CostJson(const RuleResult& result) {
  Json costs = Json::array();
  for (const CostShare& share : result.cost) {
    costs.push_back({{"currency", share.currency},
                     {"affected", share.affected.ToString()},
                     {"whole", share.whole.ToString()},
                     {"share_percent", Percent(share.share_ppm)}});
  }
  return costs;
}

Json ResultJson(const RuleResult& result) {
  const Rule& rule = result.rule;
  Json json{{"id", rule.id},
            {"subject", rule.subject},
            {"function", rule.function},
            {"keyword", KeywordName(rule.keyword)},
            {"type", rule.dynamic ? "dynamic" : "static"},
            {"verdict", VerdictName(result.verdict)},
            {"text", rule.text}};
  if (!result.reason.empty()) json["reason"] = result.reason;
  if (!rule.note.empty()) json["note"] = rule.note;
  if (result.rows_applied > 0) json["rows_applied"] = result.rows_applied;
  if (result.verdict != Verdict::kFailed) return json;
  json["rows"] = result.rows_failed;
  if (!result.columns.empty()) json["columns"] = result.columns;
  if (!result.cost.empty()) json["cost"] = CostJson(result);
  Json first = Json::array();
  for (const RowPlace& place : result.first) {
    first.push_back({{"file", place.file}, {"line", place.line}});
  }
  json["first"] = std::move(first);
  if (!rule.remedy.empty()) json["remedy"] = rule.remedy;
  return json;
}

Json CountsJson(const Report& report) {
  return {{"total", report.results.size()},
          {"decided", report.decided()},
          {"executed", report.executed()},
          {"passed", report.Count(Verdict::kPassed)},
          {"failed", report.Count(Verdict::kFailed)},
          {"not_applicable", report.Count(Verdict::kNotApplicable)},
          {"not_decidable", report.Count(Verdict::kNotDecidable)}};
}

// For an attribute or the text of an element; what XML 1.0 cannot hold becomes '?'.
std::string Xml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t good = ValidUtf8Prefix(text);
    for (char c : text.substr(0, good)) {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        default:
          out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
      }
    }
    // U+FFFE and U+FFFF are good UTF-8 and no XML.
    for (const char* none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
      for (size_t at; (at = out.find(none)) != std::string::npos;) out.replace(at, 3, "?");
    }
    text.remove_prefix(good);
    if (text.empty()) break;
    out += '?';
    text.remove_prefix(1);
  }
  return out;
}

std::string FailureText(const RuleResult& result) {
  std::string text =
      fmt::format("{} {} rows of {}", result.rule.text, result.rows_failed, result.rows_applied);
  for (const std::string& column : result.columns) text += "; column " + column;
  for (const CostShare& share : result.cost) {
    text += fmt::format("; {} of {} {}", share.affected.ToString(), share.whole.ToString(),
                        share.currency);
  }
  for (const RowPlace& place : result.first) text += fmt::format("; {}:{}", place.file, place.line);
  if (!result.reason.empty()) text += "; " + result.reason;
  if (!result.rule.remedy.empty()) text += "; remedy: " + result.rule.remedy;
  return text;
}

}  // namespace

std::string ReportJson(const Report& report) {
  Json files = Json::array();
  for (const FileFacts& file : report.files) {
    files.push_back(
        {{"file", file.file}, {"rows", file.rows}, {"rows_unreadable", file.rows_unreadable}});
  }
  Json cost = Json::object();
  for (const auto& [currency, sum] : report.cost) cost[currency] = sum.ToString();
  Json providers = Json::array();
  for (const ProviderScore& one : report.providers) {
    providers.push_back({{"provider", one.provider},
                         {"rows", one.rows},
                         {"score_percent", Percent(one.score_ppm)},
                         {"rules_passed", one.rules_passed},
                         {"rules_failed", one.rules_failed}});
  }
  Json results = Json::array();
  for (const RuleResult& result : report.results) results.push_back(ResultJson(result));
  const Json json{{"data_set", focus::DataSetName(report.data_set)},
                  {"focus", focus::VersionName(report.version)},
                  {"rules_from", report.rules_from},
                  {"files", std::move(files)},
                  {"rows", report.rows},
                  {"cost", std::move(cost)},
                  {"rules", CountsJson(report)},
                  {"providers", std::move(providers)},
                  {"results", std::move(results)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ReportJUnit(const Report& report) {
  const int skipped = report.Count(Verdict::kNotApplicable) + report.Count(Verdict::kNotDecidable);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += fmt::format(
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n",
      Xml(report.rules_from), report.results.size(), report.Count(Verdict::kFailed), skipped);
  for (const RuleResult& result : report.results) {
    xml += fmt::format("  <testcase classname=\"{}\" name=\"{}\"", Xml(result.rule.subject),
                       Xml(result.rule.id));
    if (result.verdict == Verdict::kPassed) {
      xml += "/>\n";
    } else if (result.verdict == Verdict::kFailed) {
      xml += fmt::format("><failure type=\"{}\" message=\"{}\"/></testcase>\n",
                         KeywordName(result.rule.keyword), Xml(FailureText(result)));
    } else {
      xml += fmt::format("><skipped message=\"{}: {}\"/></testcase>\n", VerdictName(result.verdict),
                         Xml(result.reason));
    }
  }
  return xml + "</testsuite>\n";
}

}  // namespace flyball::check
