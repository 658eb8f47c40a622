#include "model/metered_call.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace flyball::metered {
namespace {

namespace dom = simdjson::dom;
constexpr std::array<std::string_view, 6> kBases = {"exact",    "bound",    "refused",
                                                    "not_sent", "reported", "declared"};

// Members of one object, absent ones left out.
class Writer {
 public:
  explicit Writer(char kind) {
    out_.reserve(512);
    out_.append(R"({"r":")").append(1, kind).append(1, '"');
  }
  Writer& Text(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    Name(name);
    AppendJsonString(value, &out_);
    return *this;
  }
  Writer& Number(std::string_view name, int64_t value) {
    Name(name);
    AppendNumber(value);
    return *this;
  }
  // Ids use all 64 bits, which readers of JSON elsewhere may not keep in a number.
  Writer& Id(uint64_t id) {
    std::array<char, 16> digits;  // NOLINT: filled below
    for (size_t i = digits.size(); i > 0; --i, id >>= 4)
      digits[i - 1] = "0123456789abcdef"[id & 15];
    return Text("id", std::string_view(digits.data(), digits.size()));
  }
  Writer& Amount(std::string_view name, Money value) { return Text(name, value.ToString()); }
  std::string& Raw(std::string_view name) {
    Name(name);
    return out_;
  }
  void AppendNumber(int64_t value) {
    std::array<char, 24> digits;  // NOLINT: filled below
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
  }
  std::string Done() && { return std::move(out_) + "}"; }

 private:
  void Name(std::string_view name) { out_.append(",\"").append(name).append("\":"); }
  std::string out_;
};

std::unexpected<Error> Broken(std::string_view member) {
  return Fail(Code::kDataLoss, fmt::format("a record of the call log has no usable '{}'", member));
}

class Reader {
 public:
  explicit Reader(dom::object object) : object_(object) {}
  std::string Text(const char* name) const {
    std::string_view text;
    return object_[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  Result<int64_t> Number(const char* name) const {
    int64_t number = 0;
    if (object_[name].get(number) != simdjson::SUCCESS) return Broken(name);
    return number;
  }
  Result<uint64_t> Id() const {
    const std::string text = Text("id");
    uint64_t id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id, 16);
    if (text.size() != 16 || read.ptr != text.data() + text.size()) return Broken("id");
    return id;
  }
  Result<Money> Amount(const char* name) const {
    Result<Money> amount = Money::Parse(Text(name));
    if (!amount) return Broken(name);
    return *amount;
  }
  bool Has(const char* name) const {
    dom::element ignored;
    return object_[name].get(ignored) == simdjson::SUCCESS;
  }
  dom::object object() const { return object_; }

 private:
  dom::object object_;
};

Result<Dispatch> DecodeDispatch(const Reader& in) {
  Dispatch d;
  d.id = FB_TRY(in.Id());
  d.at = Instant{FB_TRY(in.Number("at"))};
  d.attempt = static_cast<int>(FB_TRY(in.Number("n")));
  d.upstream = in.Text("upstream");
  d.provider = in.Text("provider");
  d.region = in.Text("region");
  d.dialect = in.Text("dialect");
  d.model = in.Text("model");
  d.key = in.Text("key");
  d.team = in.Text("team");
  d.project = in.Text("project");
  d.use_case = in.Text("use_case");
  d.end_customer = in.Text("end_customer");
  d.stream = in.Has("stream");
  d.bound = FB_TRY(in.Amount("bound"));
  d.currency = in.Text("currency");
  d.tiers = in.Text("tiers");
  d.anywhere = in.Has("anywhere");
  dom::object tags;
  if (in.object()["tags"].get(tags) == simdjson::SUCCESS) {
    for (const auto& [name, value] : tags) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) return Broken("tags");
      d.tags.emplace_back(name, text);
    }
  }
  return d;
}

Result<Line> DecodeLine(const dom::element& element) {
  std::string_view meter, price, cost;
  Line line;
  dom::array parts;
  if (element.get(parts) != simdjson::SUCCESS || parts.size() != 4 ||
      parts.at(0).get(meter) != simdjson::SUCCESS ||
      parts.at(1).get(line.quantity) != simdjson::SUCCESS ||
      parts.at(2).get(price) != simdjson::SUCCESS || parts.at(3).get(cost) != simdjson::SUCCESS) {
    return Broken("lines");
  }
  const std::optional<Bucket> bucket = BucketByName(meter);
  const Result<Money> unit_price = Money::Parse(price);
  const Result<Money> amount = Money::Parse(cost);
  if (!bucket || !unit_price || !amount) return Broken("lines");
  line.meter = *bucket;
  line.unit_price = *unit_price;
  line.cost = *amount;
  return line;
}

Result<End> DecodeEnd(const Reader& in) {
  End e;
  e.id = FB_TRY(in.Id());
  e.at = Instant{FB_TRY(in.Number("at"))};
  const std::string basis = in.Text("basis");
  const auto found = std::find(kBases.begin(), kBases.end(), basis);
  if (found == kBases.end()) return Broken("basis");
  e.basis = static_cast<Basis>(found - kBases.begin());
  e.status = static_cast<int>(FB_TRY(in.Number("status")));
  e.answer_id = in.Text("answer");
  e.model = in.Text("model");
  e.tier = in.Text("tier");
  e.region = in.Text("region");
  e.cost = FB_TRY(in.Amount("cost"));
  dom::array lines;
  if (in.object()["lines"].get(lines) == simdjson::SUCCESS) {
    for (const dom::element& line : lines) e.lines.push_back(FB_TRY(DecodeLine(line)));
  }
  return e;
}

}  // namespace

std::string_view BasisName(Basis basis) { return kBases[static_cast<size_t>(basis)]; }

std::string TagsJson(const Dispatch& dispatch) {
  if (dispatch.tags.empty()) return {};
  std::string json;
  for (const auto& [name, value] : dispatch.tags) {
    json += json.empty() ? '{' : ',';
    AppendJsonString(name, &json);
    json += ':';
    AppendJsonString(value, &json);
  }
  return json + "}";
}

std::string Encode(const Dispatch& d) {
  Writer out('d');
  out.Id(d.id).Number("at", d.at.us).Number("n", d.attempt);
  out.Text("upstream", d.upstream).Text("provider", d.provider).Text("region", d.region);
  out.Text("dialect", d.dialect).Text("model", d.model).Text("key", d.key).Text("team", d.team);
  out.Text("project", d.project).Text("use_case", d.use_case);
  out.Text("end_customer", d.end_customer);
  if (d.stream) out.Number("stream", 1);
  out.Amount("bound", d.bound).Text("currency", d.currency).Text("tiers", d.tiers);
  if (d.anywhere) out.Number("anywhere", 1);
  if (!d.tags.empty()) out.Raw("tags") += TagsJson(d);
  return std::move(out).Done();
}

std::string Encode(const End& e) {
  Writer out('e');
  out.Id(e.id).Number("at", e.at.us).Text("basis", BasisName(e.basis)).Number("status", e.status);
  out.Text("answer", e.answer_id).Text("model", e.model).Text("tier", e.tier);
  out.Text("region", e.region);
  out.Amount("cost", e.cost);
  if (!e.lines.empty()) {
    std::string& raw = out.Raw("lines");
    char separator = '[';
    for (const Line& line : e.lines) {
      raw.append(1, separator).append(R"([")").append(Info(line.meter).name).append(R"(",)");
      out.AppendNumber(line.quantity);
      raw.append(R"(,")").append(line.unit_price.ToString()).append(R"(",")");
      raw.append(line.cost.ToString()).append(R"("])");
      separator = ',';
    }
    raw += ']';
  }
  return std::move(out).Done();
}

Result<Record> Decode(std::string_view json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size(), true).get(object) != simdjson::SUCCESS) {
    return Fail(Code::kDataLoss, "a record of the call log is no JSON object");
  }
  const Reader in(object);
  Record record;
  const std::string kind = in.Text("r");
  if (kind != "d" && kind != "e") return Broken("r");
  record.is_end = kind == "e";
  if (record.is_end) {
    record.end = FB_TRY(DecodeEnd(in));
  } else {
    record.dispatch = FB_TRY(DecodeDispatch(in));
  }
  return record;
}

}  // namespace flyball::metered
