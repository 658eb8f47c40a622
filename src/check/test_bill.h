// For tests: a bill that keeps every rule, as CSV with all columns of a version, to break one thing
// of at a time.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "check/check.h"

namespace flyball::check {

using Row = std::map<std::string, std::string>;

// On-demand usage: 2 hours at 0.5 (list) and 0.4 (contracted).
inline Row Usage() {
  return {{"AvailabilityZone", "eu-1a"},
          {"BilledCost", "0.8"},
          {"BillingAccountId", "acme"},
          {"BillingAccountName", "Acme"},
          {"BillingAccountType", "Payer"},
          {"BillingCurrency", "USD"},
          {"BillingPeriodEnd", "2025-02-01T00:00:00Z"},
          {"BillingPeriodStart", "2025-01-01T00:00:00Z"},
          {"ChargeCategory", "Usage"},
          {"ChargeDescription", "Small machine"},
          {"ChargeFrequency", "Usage-Based"},
          {"ChargePeriodEnd", "2025-01-02T00:00:00Z"},
          {"ChargePeriodStart", "2025-01-01T00:00:00Z"},
          {"ConsumedQuantity", "2"},
          {"ConsumedUnit", "Hours"},
          {"ContractedCost", "0.8"},
          {"ContractedUnitPrice", "0.4"},
          {"EffectiveCost", "0.8"},
          {"HostProviderName", "Cloud"},
          {"InvoiceId", "I-1"},
          {"InvoiceIssuerName", "Cloud"},
          {"ListCost", "1"},
          {"ListUnitPrice", "0.5"},
          {"PricingCategory", "Standard"},
          {"PricingCurrency", "USD"},
          {"PricingCurrencyContractedUnitPrice", "0.4"},
          {"PricingCurrencyEffectiveCost", "0.8"},
          {"PricingCurrencyListUnitPrice", "0.5"},
          {"PricingQuantity", "2"},
          {"PricingUnit", "Hours"},
          {"ProviderName", "Cloud"},
          {"PublisherName", "Cloud"},
          {"RegionId", "eu-1"},
          {"RegionName", "Europe 1"},
          {"ResourceId", "vm-1"},
          {"ResourceName", "web"},
          {"ResourceType", "Machine"},
          {"ServiceCategory", "Compute"},
          {"ServiceName", "Machines"},
          {"ServiceProviderName", "Cloud"},
          {"ServiceSubcategory", "Virtual Machines"},
          {"SkuId", "S"},
          {"SkuMeter", "Machine time"},
          {"SkuPriceDetails", R"({"CoreCount":2,"InstanceType":"small","x_Burst":true})"},
          {"SkuPriceId", "S-1"},
          {"SubAccountId", "team"},
          {"SubAccountName", "Team"},
          {"SubAccountType", "Project"},
          {"Tags", R"({"env":"prod"})"}};
}

inline Row With(Row row, const Row& changes) {
  for (const auto& [name, value] : changes) row[name] = value;
  return row;
}

// The purchase of a commitment for 1 January, and its use: 3 of 4 used, 1 left unused.
inline std::vector<Row> CommitmentRows() {
  const Row of_commitment = {
      {"CommitmentDiscountCategory", "Usage"},   {"CommitmentDiscountId", "ri-1"},
      {"CommitmentDiscountName", "One machine"}, {"CommitmentDiscountType", "Reserved"},
      {"CommitmentDiscountUnit", "Hours"},       {"SkuId", "R"},
      {"SkuMeter", "Machine reservation"}};
  const Row purchase =
      With(With(Usage(), of_commitment), {{"ChargeCategory", "Purchase"},
                                          {"ChargeFrequency", "One-Time"},
                                          {"AvailabilityZone", ""},
                                          {"BilledCost", "4"},
                                          {"CommitmentDiscountQuantity", "4"},
                                          {"ConsumedQuantity", ""},
                                          {"ConsumedUnit", ""},
                                          {"ContractedCost", "4"},
                                          {"ContractedUnitPrice", "1"},
                                          {"EffectiveCost", "0"},
                                          {"ListCost", "4"},
                                          {"ListUnitPrice", "1"},
                                          {"PricingCurrencyContractedUnitPrice", "1"},
                                          {"PricingCurrencyEffectiveCost", "0"},
                                          {"PricingCurrencyListUnitPrice", "1"},
                                          {"PricingQuantity", "4"},
                                          {"ResourceId", "ri-1"},
                                          {"ResourceName", "One machine"},
                                          {"ResourceType", "Reservation"},
                                          {"SkuPriceId", "R-buy"}});
  const Row used = With(With(Usage(), of_commitment), {{"BilledCost", "0"},
                                                       {"CommitmentDiscountQuantity", "3"},
                                                       {"CommitmentDiscountStatus", "Used"},
                                                       {"ConsumedQuantity", "3"},
                                                       {"ContractedCost", "3"},
                                                       {"ContractedUnitPrice", "1"},
                                                       {"EffectiveCost", "3"},
                                                       {"ListCost", "6"},
                                                       {"ListUnitPrice", "2"},
                                                       {"PricingCategory", "Committed"},
                                                       {"PricingCurrencyContractedUnitPrice", "1"},
                                                       {"PricingCurrencyEffectiveCost", "3"},
                                                       {"PricingCurrencyListUnitPrice", "2"},
                                                       {"PricingQuantity", "3"},
                                                       {"SkuPriceId", "R-use"}});
  const Row unused = With(used, {{"CommitmentDiscountQuantity", "1"},
                                 {"CommitmentDiscountStatus", "Unused"},
                                 {"AvailabilityZone", ""},
                                 {"ConsumedQuantity", ""},
                                 {"ConsumedUnit", ""},
                                 {"ContractedCost", "1"},
                                 {"EffectiveCost", "1"},
                                 {"ListCost", "2"},
                                 {"PricingCurrencyEffectiveCost", "1"},
                                 {"PricingQuantity", "1"},
                                 {"ResourceId", "ri-1"},
                                 {"ResourceName", "One machine"},
                                 {"ResourceType", "Reservation"}});
  return {purchase, used, unused};
}

inline Row Credit() {
  Row row = Usage();
  for (const char* name :
       {"ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice",
        "PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice", "PricingQuantity",
        "PricingUnit", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "PricingCategory",
        "AvailabilityZone"}) {
    row[name] = "";
  }
  return With(row, {{"ChargeCategory", "Credit"},
                    {"ChargeFrequency", "One-Time"},
                    {"BilledCost", "-0.5"},
                    {"EffectiveCost", "-0.5"},
                    {"ContractedCost", "-0.5"},
                    {"ListCost", "-0.5"},
                    {"PricingCurrencyEffectiveCost", "-0.5"}});
}

inline Row Tax() {
  return With(Credit(), {{"ChargeCategory", "Tax"},
                         {"BilledCost", "0.1"},
                         {"EffectiveCost", "0.1"},
                         {"ContractedCost", "0.1"},
                         {"ListCost", "0.1"},
                         {"PricingCurrencyEffectiveCost", "0.1"}});
}

inline Row Reserved() {
  return With(Usage(), {{"CapacityReservationId", "cr-1"}, {"CapacityReservationStatus", "Used"}});
}

inline std::vector<Row> WholeBill() {
  std::vector<Row> rows = CommitmentRows();
  rows.insert(rows.begin(), Usage());
  rows.push_back(Reserved());
  rows.push_back(Credit());
  rows.push_back(Tax());
  return rows;
}

inline std::string CsvField(const std::string& value) {
  if (value.find_first_of(",\"\n") == std::string::npos) return value;
  std::string quoted = "\"";
  for (char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// With all columns of the version and then `custom`; gives the path.
inline std::string WriteBill(const std::string& name, focus::Version version,
                             const std::vector<Row>& rows,
                             const std::vector<std::string>& custom = {},
                             focus::DataSet set = focus::DataSet::kCostAndUsage) {
  std::vector<std::string> names;
  for (const focus::Column& column : focus::Columns(set)) {
    if (column.In(version)) names.emplace_back(column.name);
  }
  names.insert(names.end(), custom.begin(), custom.end());
  const std::string path = testing::TempDir() + "/check_" + name + ".csv";
  std::ofstream file(path, std::ios::binary);
  for (size_t i = 0; i < names.size(); ++i) file << (i > 0 ? "," : "") << names[i];
  file << "\n";
  for (const Row& row : rows) {
    for (size_t i = 0; i < names.size(); ++i) {
      auto found = row.find(names[i]);
      file << (i > 0 ? "," : "") << (found == row.end() ? "" : CsvField(found->second));
    }
    file << "\n";
  }
  return path;
}

inline Report Checked(CheckOptions options) {
  options.temp_dir = testing::TempDir();
  Result<Report> report = RunCheck(options);
  EXPECT_TRUE(report.has_value()) << report.error().ToString();
  return report ? std::move(*report) : Report{};
}
inline Report CheckBill(const std::string& path, std::optional<focus::Version> version = {}) {
  CheckOptions options;
  options.files = {path};
  options.version = version;
  return Checked(options);
}
inline const RuleResult& Of(const Report& report, const std::string& id) {
  static const RuleResult kNone;
  for (const RuleResult& result : report.results) {
    if (result.rule.id == id) return result;
  }
  ADD_FAILURE() << "no rule " << id;
  return kNone;
}
inline std::string Failures(const Report& report) {
  std::string text;
  for (const RuleResult& result : report.results) {
    if (result.verdict != Verdict::kFailed) continue;
    text += result.rule.id + " " + std::to_string(result.rows_failed) + " " + result.reason;
    for (const RowPlace& place : result.first) text += " :" + std::to_string(place.line);
    text += "\n";
  }
  return text;
}

}  // namespace flyball::check
