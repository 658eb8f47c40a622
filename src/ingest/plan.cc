#include "ingest/plan.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "ingest/cells.h"
#include "ingest/import.h"
#include "model/charge.h"

namespace flyball::ingest {
namespace {

constexpr size_t kColumnNameMaxBytes = 200;
constexpr int kNameTriesMax = 1000;

std::unexpected<Error> BadHeader(const std::string& file, std::string message, std::string hint,
                                 int64_t column = 0) {
  Error error{Code::kInvalidArgument, std::move(message), std::move(hint), {file, 1, column, 0}};
  return Fail(std::move(error));
}

bool IsReserved(int column) {
  return column == charge::kLineage || column == charge::kSourceFile ||
         column == charge::kSourceLine || column == charge::kSignature;
}

// A column name as the store can hold it.
std::string CleanName(std::string_view name) {
  std::string clean = IsAscii(name) ? std::string(name) : RepairUtf8(name);
  clean.resize(ValidUtf8Prefix(std::string_view(clean).substr(0, kColumnNameMaxBytes)));
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '_';
  }
  return clean;
}

// Gives each field of one file its column.
class Planner {
 public:
  Planner(FilePlan* plan, Schema* schema) : plan_(plan), schema_(schema) {
    plan_->column_of.assign(plan_->header.size(), -1);
  }

  // x_SourceLine of a file that we wrote ourselves.
  void TakeLine(size_t field) {
    plan_->line_field = static_cast<int>(field);
    Take(field, charge::kSourceLine);
  }

  // FOCUS's own names first, so that nothing else can take their place.
  void TakeKnown(size_t field) {
    if (plan_->column_of[field] >= 0) return;
    const std::string& name = plan_->header[field];
    const focus::Column* known = focus::FindColumn(focus::DataSet::kCostAndUsage, name);
    if (known != nullptr) {
      if (known->name != name) Count(Repair::kColumnNameCase);
      int column = charge::IndexOf(known->name);
      if (column < 0) column = schema_->AddExtra("x_" + std::string(known->name));
      if (known->name == "ProviderName") plan_->provider_field = static_cast<int>(field);
      Take(field, column);
      return;
    }
    int column = schema_->Find(name);
    if (column < 0 || column >= charge::kColumnCount || IsReserved(column)) return;
    if (schema_->columns()[static_cast<size_t>(column)].name != name) {
      Count(Repair::kColumnNameCase);
    }
    Take(field, column);
  }

  void TakeExtra(size_t field) {
    if (plan_->column_of[field] >= 0) return;
    std::string name = CleanName(plan_->header[field]);
    int column = schema_->Find(name);
    if (column >= 0 && column < charge::kColumnCount && IsReserved(column)) {
      Count(Repair::kReservedColumn);
      name = "x_Input" + name.substr(2);
    } else if (name.empty()) {
      Count(Repair::kColumnWithoutXPrefix);
      name = "x_Column" + std::to_string(field + 1);
    } else if (!name.starts_with("x_")) {
      bool upper = name.starts_with("X_");
      Count(upper ? Repair::kColumnNameCase : Repair::kColumnWithoutXPrefix);
      name = upper ? "x_" + name.substr(2) : "x_" + name;
    }
    Take(field, FreeColumn(name));
  }

 private:
  void Count(Repair repair) { ++plan_->repairs[static_cast<size_t>(repair)]; }
  void Take(size_t field, int column) {
    plan_->column_of[field] = column;
    if (taken_.size() <= static_cast<size_t>(column)) {
      taken_.resize(static_cast<size_t>(column) + 1);
    }
    taken_[static_cast<size_t>(column)] = true;
  }
  bool IsTaken(int column) const {
    return static_cast<size_t>(column) < taken_.size() && taken_[static_cast<size_t>(column)];
  }
  // The column of that name, or of the name with the first free number behind it.
  int FreeColumn(const std::string& name) {
    std::string wanted = name;
    for (int n = 2; n < kNameTriesMax; ++n) {
      int column = schema_->Find(wanted);
      if (column < 0) return schema_->AddExtra(wanted);
      if (!IsTaken(column) && !IsReserved(column)) return column;
      wanted = name + "_" + std::to_string(n);
    }
    return schema_->AddExtra(name + "_");
  }

  FilePlan* plan_;
  Schema* schema_;
  std::vector<bool> taken_;
};

Status CheckDuplicates(const std::vector<std::string>& header, const std::string& file) {
  std::unordered_map<std::string, size_t> seen;
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty()) continue;
    auto [found, fresh] = seen.emplace(ToLower(header[i]), i);
    if (fresh) continue;
    return BadHeader(file,
                     "the column " + CleanName(header[i]) + " stands twice in the header, as " +
                         std::to_string(found->second + 1) + " and " + std::to_string(i + 1),
                     "remove one of them", static_cast<int64_t>(i) + 1);
  }
  return {};
}

}  // namespace

int CountKnownColumns(const std::vector<std::string>& names) {
  return static_cast<int>(std::ranges::count_if(names, [](const std::string& name) {
    for (auto set : {focus::DataSet::kCostAndUsage, focus::DataSet::kContractCommitment,
                     focus::DataSet::kInvoiceDetail, focus::DataSet::kBillingPeriod}) {
      if (focus::FindColumn(set, name) != nullptr) return true;
    }
    return false;
  }));
}

int CountAllColumns(const std::vector<std::string>& names) {
  return static_cast<int>(names.size());
}

Schema::Schema() {
  auto columns = charge::Columns();
  columns_.assign(columns.begin(), columns.end());
  for (const ColumnSpec& column : columns_) lower_names_.push_back(ToLower(column.name));
}

int Schema::Find(const std::string& name) const {
  auto found = std::ranges::find(lower_names_, ToLower(name));
  return found == lower_names_.end() ? -1 : static_cast<int>(found - lower_names_.begin());
}

int Schema::AddExtra(const std::string& name) {
  if (int found = Find(name); found >= 0) return found;
  columns_.push_back({name, ColumnType::kText});
  lower_names_.push_back(ToLower(name));
  return static_cast<int>(columns_.size()) - 1;
}

std::vector<int> FilePlan::FieldOf(const Schema& schema) const {
  std::vector<int> field_of(schema.size(), -1);
  for (size_t i = 0; i < column_of.size(); ++i) {
    field_of[static_cast<size_t>(column_of[i])] = static_cast<int>(i);
  }
  return field_of;
}

std::string FilePlan::FormatName() const {
  return std::string(native != nullptr ? native->name : focus::VersionName(detection.version));
}

focus::Lineage FilePlan::LineageOf(std::string_view column) const {
  return native == nullptr ? focus::Lineage::kObserved : native::LineageOf(*native, column);
}

Result<FilePlan> MakePlan(const std::vector<std::string>& header, const std::string& file,
                          Schema* schema, const native::Format* native) {
  if (header.size() > static_cast<size_t>(kColumnsMax)) {
    return BadHeader(file, "the header has more than " + std::to_string(kColumnsMax) + " columns",
                     "split the file");
  }
  FB_CHECK(CheckDuplicates(header, file));
  std::vector<std::string_view> names(header.begin(), header.end());
  std::optional<focus::Detection> detection = focus::Detect(names);
  if (!detection) {
    return BadHeader(file, "no column of the header is known to FOCUS",
                     "a FOCUS file has columns such as BilledCost and BillingCurrency");
  }
  if (detection->data_set != focus::DataSet::kCostAndUsage) {
    return BadHeader(file,
                     "the file holds FOCUS " +
                         std::string(focus::DataSetName(detection->data_set)) +
                         " data, not Cost and Usage",
                     "import the Cost and Usage file of the same provider");
  }
  FilePlan plan;
  plan.header = header;
  plan.detection = *detection;
  plan.native = native;
  Planner planner(&plan, schema);
  if (native != nullptr) planner.TakeLine(0);
  for (size_t i = 0; i < header.size(); ++i) planner.TakeKnown(i);
  for (size_t i = 0; i < header.size(); ++i) planner.TakeExtra(i);
  if (plan.FieldOf(*schema)[charge::kBilledCost] < 0) {
    return BadHeader(file, "the header has no column BilledCost",
                     "every FOCUS version requires it; export the file again");
  }
  return plan;
}

}  // namespace flyball::ingest
