// The schemas of the API's documents (JSON Schema 2020-12), beside the one of the cost query, which
// ledger/ owns.
#include "serve/api.h"

namespace flyball::serve {
namespace {

constexpr NamedSchema kSchemas[] = {
    {"Error", R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",
      "required":["code","message"],"properties":{
        "code":{"type":"string","examples":["INVALID_ARGUMENT","UNAUTHENTICATED","NOT_FOUND"]},
        "message":{"type":"string"},"hint":{"type":"string"},
        "place":{"type":"object","description":"Counted from 1; 0 is unknown.","properties":{
          "file":{"type":"string"},"line":{"type":"integer"},"column":{"type":"integer"},
          "byte":{"type":"integer"}}}}}}})"},
    {"Decimal", R"({"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$",
      "description":"An exact decimal. Do not read it as a binary floating-point number.",
      "examples":["20.5202271893"]})"},
    {"Health",
     R"({"type":"object","required":["status","version","home_version","commit","uptime_s",
      "resident_bytes","rules_stale"],"properties":{"status":{"const":"ok"},"version":{"type":"string"},
      "home_version":{"type":"integer"},"commit":{"type":"string","description":"The newest; empty: none yet."},
      "uptime_s":{"type":"integer"},"resident_bytes":{"type":"integer"},
      "rules_stale":{"type":"boolean","description":"estate.yaml differs from the rules in force."}}})"},
    {"Otlp",
     R"({"type":"object","description":"An export request of opentelemetry-proto, in its JSON form."})"},
    {"OtlpAnswer",
     R"({"type":"object","properties":{"partialSuccess":{"type":"object","properties":{
      "rejectedSpans":{"type":"string","description":"A 64-bit integer."},
      "errorMessage":{"type":"string"}}}}})"},
    {"QueryOrBatch", R"({"oneOf":[{"$ref":"#/components/schemas/Query"},
      {"type":"object","required":["queries"],"additionalProperties":false,"properties":{"queries":
        {"type":"array","maxItems":32,"items":{"$ref":"#/components/schemas/Query"}}}}]})"},
    {"Totals", R"({"type":"object","additionalProperties":{"oneOf":[
      {"$ref":"#/components/schemas/Decimal"},{"type":"null"}]}})"},
    {"Answer",
     R"({"type":"object","required":["rows","totals","totals_by_currency","commit","query_hash",
      "currency"],"properties":{
      "rows":{"type":"array","items":{"type":"object","additionalProperties":{"type":"string"},
        "description":"A value for each dimension and a decimal for each measure; `period` with a grain, `currency` when the answer has several."}},
      "totals":{"description":"Sums of exactly the rows shown; null with several currencies.",
        "oneOf":[{"$ref":"#/components/schemas/Totals"},{"type":"null"}]},
      "totals_by_currency":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Totals"}},
      "commit":{"type":"string"},"query_hash":{"type":"string"},"currency":{"type":["string","null"]},
      "live_through":{"type":"string","description":"The gateway's calls that were settled by then are in it, published or not. Absent: what is published alone, as of any commit that is named."},
      "read_from":{"enum":["cube","rollup","rows"]}}})"},
    {"AnswerOrBatch", R"({"oneOf":[{"$ref":"#/components/schemas/Answer"},
      {"type":"object","required":["answers"],"properties":{"answers":{"type":"array","items":{"oneOf":[
        {"$ref":"#/components/schemas/Answer"},{"$ref":"#/components/schemas/Error"}]}}}}]})"},
    {"RowsQuestion",
     R"({"type":"object","required":["query"],"additionalProperties":false,"properties":{
      "query":{"$ref":"#/components/schemas/Query"},"offset":{"type":"integer","minimum":0,"default":0},
      "limit":{"type":"integer","minimum":1,"maximum":10000,"default":100}}})"},
    {"RowsPage",
     R"({"type":"object","required":["columns","rows","total","offset","commit"],"properties":{
      "columns":{"type":"array","items":{"type":"string"}},
      "rows":{"type":"array","items":{"type":"array","items":{"type":["string","null"]}}},
      "total":{"type":"integer"},"offset":{"type":"integer"},"commit":{"type":"string"}}})"},
    {"SumCheck", R"({"type":"object","required":["in","kept","quarantined","residue"],"properties":{
      "in":{"type":"string"},"kept":{"type":"string"},"quarantined":{"type":"string"},
      "residue":{"type":"string","description":"Digits beyond the twelfth."}}})"},
    {"Commit",
     R"({"type":"object","required":["sequence","id","kind","time","source"],"properties":{
      "sequence":{"type":"integer"},"id":{"type":"string"},"parent":{"type":"string"},
      "kind":{"enum":["import","classify","compact","close","reopen"]},
      "period":{"type":"string","description":"Of a close or reopening: the billing period."},"time":{"type":"string","format":"date-time"},
      "author":{"type":"string"},"source":{"type":"string"},"content_hash":{"type":"string"},
      "rules":{"type":"string"},"opens":{"type":"array","items":{"type":"object"}},
      "closes":{"type":"array","items":{"type":"string"}},"packs":{"type":"array","items":{"type":"object"},
      "description":"Of a compaction: where the charges of slices lie from now on."},
      "import":{"type":"object","description":"Of an import: what its report says.","properties":{
        "rows_in":{"type":"integer"},"rows_kept":{"type":"integer"},
        "rows_quarantined":{"type":"integer"},
        "billed_cost":{"$ref":"#/components/schemas/SumCheck"},
        "lineage":{"type":"object",
          "description":"Column, then observed, derived, assumed or missing, then rows. Of a single commit only."}}}}})"},
    {"CommitsPage",
     R"({"type":"object","required":["commits","total","offset","limit"],"properties":{
      "commits":{"type":"array","items":{"$ref":"#/components/schemas/Commit"}},
      "total":{"type":"integer"},"offset":{"type":"integer"},"limit":{"type":"integer"}}})"},
    {"CommitOrNull", R"({"type":"object","required":["commit"],"properties":{"commit":{
      "description":"null: there was nothing to do.",
      "oneOf":[{"$ref":"#/components/schemas/Commit"},{"type":"null"}]}}})"},
    {"Named", R"({"type":"object","required":["id","name","owner","aliases"],"properties":{
      "id":{"type":"string"},"name":{"type":"string"},"owner":{"type":"string"},
      "aliases":{"type":"array","items":{"type":"string"}}}})"},
    {"UseCase", R"({"allOf":[{"$ref":"#/components/schemas/Named"},{"type":"object","properties":{
      "team":{"type":"string"},"project":{"type":"string"},"objective":{"type":"string"},
      "stage":{"type":"string"},"status":{"type":"string"},"status_reason":{"type":"string"},
      "target_cost":{"type":["string","null"],"description":"A month, in the estate's currency."},
      "target_unit_cost":{"type":["string","null"]},"unit":{"type":"string"},
      "expected_value":{"type":["string","null"],"description":"A year."}}}]})"},
    {"Estate", R"({"type":"object","required":["name","currency","teams","use_cases"],"properties":{
      "name":{"type":"string"},"currency":{"type":"string"},"fiscal_year_start_month":{"type":"integer"},
      "environments":{"type":"array","items":{"$ref":"#/components/schemas/Named"}},
      "teams":{"type":"array","items":{"$ref":"#/components/schemas/Named"}},
      "projects":{"type":"array","items":{"$ref":"#/components/schemas/Named"}},
      "use_cases":{"type":"array","items":{"$ref":"#/components/schemas/UseCase"}},
      "models":{"type":"array","items":{"$ref":"#/components/schemas/Named"}},
      "sources":{"type":"array","items":{"type":"object","properties":{
        "name":{"type":"string"},"title":{"type":"string"}}}},
      "rules":{"type":"string","description":"SHA-256 of the rulebook in force."}}})"},
    {"ExplainQuestion",
     R"({"type":"object","required":["columns"],"properties":{"columns":{"type":"object",
      "additionalProperties":{"type":["string","null"]},
      "description":"A charge's columns by name, as POST /api/v1/rows answers them; what no rule looks at is left out."}}})"},
    {"Explanation",
     R"({"type":"object","required":["dimensions","rules"],"properties":{"dimensions":{
      "type":"object","additionalProperties":{"type":"object","properties":{
        "value":{"type":["string","null"]},
        "set_by":{"type":["string","null"],"examples":["estate.yaml:41","pack:aws.bedrock","x_Team"]}}}},
      "rules":{"type":"string"}}})"},
    {"QuarantinePage", R"({"type":"object","required":["id","offset","rows","more"],"properties":{
      "id":{"type":"string"},"offset":{"type":"integer"},"total":{"type":"integer"},
      "more":{"type":"boolean"},"rows":{"type":"array","items":{"type":"object","properties":{
        "file":{"type":"string"},"line":{"type":"integer"},"reason":{"type":"string"},
        "raw":{"type":"string"}}}}}})"},
    {"PeriodRequest", R"({"type":"object","required":["period","closed"],"properties":{
      "period":{"type":"string","examples":["2026-10"]},"closed":{"type":"boolean"},
      "report_hash":{"type":"string","description":"SHA-256 of the report that it was closed with."}}})"},
    {"ImportRequest", R"({"type":"object","required":["files"],"properties":{
      "files":{"type":"array","minItems":1,"maxItems":256,"items":{"type":"string"},
        "description":"Absolute paths on the server."},
      "source":{"type":"string","description":"Empty: from the first file's name."},
      "format":{"type":"string","examples":["focus-csv","aws-cur"],
        "description":"Of the input (docs/NATIVE.md); empty: detected by its content."},
      "memory":{"type":"string","examples":["512MiB"]},"author":{"type":"string"},
      "dry_run":{"type":"boolean","default":false},
      "rows_expected":{"type":"integer","description":"What a manifest says that the files have in all."}}})"},
    {"ImportReport", R"({"type":"object","required":["commit","source","rows_in","rows_kept",
      "rows_quarantined","billed_cost","repairs","quarantine","unchanged"],"properties":{
      "commit":{"type":["string","null"]},"source":{"type":"string"},"focus_version":{"type":"string"},
      "rows_in":{"type":"integer"},"rows_kept":{"type":"integer"},"rows_quarantined":{"type":"integer"},
      "billed_cost":{"$ref":"#/components/schemas/SumCheck"},
      "billed_cost_by_currency":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/SumCheck"}},
      "repairs":{"type":"object","additionalProperties":{"type":"integer"}},
      "quarantine":{"type":"array","items":{"type":"object","properties":{"file":{"type":"string"},
        "line":{"type":"integer"},"reason":{"type":"string"}}}},
      "corrections":{"type":"array","description":"Of closed periods, which are not restated.","items":{"type":"object",
        "properties":{"period":{"type":"string","examples":["2026-10"]},"closed":{"type":"boolean"},
        "booked_in":{"type":"string"},"source":{"type":"string"},"changes":{"type":"integer"},
        "commit":{"type":["string","null"]}}}},
      "unchanged":{"type":"boolean"}}})"},
    {"ImportJob",
     R"({"type":"object","required":["job","state","bytes_done","bytes_total"],"properties":{
      "job":{"type":"string"},"state":{"enum":["waiting","running","done","failed"]},
      "bytes_done":{"type":"integer"},"bytes_total":{"type":"integer"},
      "report":{"$ref":"#/components/schemas/ImportReport"},
      "error":{"type":"object"}}})"},
    {"ExportRequest",
     R"({"type":"object","required":["staging"],"additionalProperties":false,"properties":{
      "query":{"$ref":"#/components/schemas/Query"},"focus":{"enum":["1.2","1.3","1.4"],"default":"1.4"},
      "format":{"enum":["csv","parquet"],"default":"csv"},"x_columns":{"type":"boolean","default":false},
      "staging":{"type":"string","description":"A folder in the home's tmp; the file `export` is written there."}}})"},
    {"ExportReport", R"({"type":"object","required":["rows","columns","commit"],"properties":{
      "rows":{"type":"integer"},"columns":{"type":"array","items":{"type":"string"}},
      "commit":{"type":"string"}}})"},
    {"CompactRequest",
     R"({"type":"object","properties":{"small_bytes":{"type":"integer","minimum":0,
      "default":67108864,"description":"Slices and packs smaller than this are joined."}}})"},
    {"Budget",
     R"({"type":"object","required":["name","scope","window","limit","settled","held","remaining",
      "resets_at","max_overspend"],"description":"Amounts are decimals of the currency, or tokens.","properties":{
      "name":{"type":"string"},"scope":{"type":"string","examples":["organisation","team=search","end_customer=*"]},
      "window":{"type":"string","examples":["month","rolling 24 hours"]},"zone":{"type":"string"},
      "measure":{"enum":["money","tokens"]},"currency":{"type":"string"},
      "limit":{"$ref":"#/components/schemas/Decimal"},"settled":{"$ref":"#/components/schemas/Decimal"},
      "blocked":{"$ref":"#/components/schemas/Decimal","description":"Of settled: of a hard budget, what its calls cost, each of which would have been refused."},
      "alerted":{"$ref":"#/components/schemas/Decimal","description":"Of settled: of a soft budget, what its calls cost, which only warn."},
      "unseen":{"$ref":"#/components/schemas/Decimal","description":"Of settled: charges of the ledger beside the gateway's calls, known with their bills and spans."},
      "held":{"$ref":"#/components/schemas/Decimal"},"remaining":{"$ref":"#/components/schemas/Decimal"},
      "resets_at":{"type":"string","format":"date-time"},
      "max_overspend":{"$ref":"#/components/schemas/Decimal"},
      "max_overspend_bounded":{"type":"boolean","description":"false: more than this may come."},
      "max_overspend_why":{"enum":["soft","quantile","unguarded","fault","edited"]},
      "hard":{"type":"boolean"},"mode":{"enum":["strict","quantile"]},
      "counts":{"enum":["ledger","gateway"],"description":"Every charge of the ledger, or the gateway's calls alone."},
      "warn":{"type":"array","items":{"type":"integer"},"description":"Percentages of the limit."},
      "warned":{"type":"integer","description":"The highest of them that is reached; 0: none."},
      "frozen":{"type":"boolean"},
      "refused":{"type":"integer","description":"Calls, since the gateway started."},
      "values":{"type":"integer","description":"Of a scope =*: how many values have been seen."},
      "faults":{"type":"integer"}}})"},
    {"Budgets", R"({"type":"array","items":{"$ref":"#/components/schemas/Budget"},
      "description":"Of a scope =* the hundred values that have used the most."})"},
    {"BudgetRequest",
     R"({"type":"object","additionalProperties":false,
      "description":"Of a budget that is there, by its `name` or else by scope, window and measure, what is said is changed; a new one needs a `scope` and `amount` or `tokens`, and has the defaults.",
      "properties":{"name":{"type":"string"},"scope":{"type":"string"},
      "amount":{"$ref":"#/components/schemas/Decimal"},"tokens":{"type":"string"},
      "currency":{"type":"string","default":"USD"},"window":{"type":"string","default":"month"},
      "zone":{"type":"string","default":"UTC"},"hard":{"type":"boolean","default":true},
      "mode":{"enum":["strict","quantile"],"default":"strict"},
      "counts":{"enum":["ledger","gateway"],"default":"ledger"},
      "warn":{"type":"array","maxItems":8,"items":{"type":"integer"}}}})"},
    {"FreezeRequest",
     R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"},
      "frozen":{"type":"boolean","default":true}}})"},
    {"RemoveRequest",
     R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"}}})"},
    {"Removed", R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"}}})"},
    {"KeyRequest", R"({"type":"object","additionalProperties":false,"properties":{
      "name":{"type":"string"},"team":{"type":"string"},"project":{"type":"string"},
      "use_case":{"type":"string"},"models":{"type":"array","maxItems":100,"items":{"type":"string"},
        "description":"Patterns such as gpt-*; none: all models."},
      "expires":{"type":"string","examples":["2027-01-01"]}}})"},
    {"Key", R"({"type":"object","required":["id","name","created","revoked"],"properties":{
      "id":{"type":"string"},"name":{"type":"string"},"team":{"type":"string"},
      "project":{"type":"string"},"use_case":{"type":"string"},
      "models":{"type":"array","items":{"type":"string"}},
      "created":{"type":"string","format":"date-time"},"expires":{"type":"string","format":"date-time"},
      "revoked":{"type":"boolean"}}})"},
    {"CreatedKey", R"({"allOf":[{"$ref":"#/components/schemas/Key"},{"type":"object",
      "required":["key"],"properties":{"key":{"type":"string","description":"Shown here once."}}}]})"},
    {"Keys", R"({"type":"object","required":["keys"],"properties":{"keys":{"type":"array",
      "items":{"$ref":"#/components/schemas/Key"}}}})"},
    {"Empty", R"({"type":"object"})"},
};

}  // namespace

std::span<const NamedSchema> Schemas() { return kSchemas; }

}  // namespace flyball::serve
