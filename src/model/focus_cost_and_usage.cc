// FOCUS, Cost and Usage: the columns of 1.0 to 1.4 and of the 1.5 draft, with their closed lists of
// values. Sources: FOCUS_Spec, specification/columns (tags v1.0, v1.1, v1.2) and
// specification/datasets/cost_and_usage (1.3 on).
#include "model/focus_tables.h"

namespace flyball::focus {
namespace {

using enum ColumnType;
using enum Level;
using enum Version;
using tables::Earlier;
using tables::kNotNull;
using tables::kNullable;
using tables::Rows;
using tables::Until;

constexpr Rows kCau{DataSet::kCostAndUsage};

constexpr std::string_view kUsedOrUnused[] = {"Used", "Unused"};
constexpr std::string_view kChargeCategories[] = {"Usage", "Purchase", "Tax", "Credit",
                                                  "Adjustment"};
constexpr std::string_view kChargeClasses[] = {"Correction"};
constexpr std::string_view kChargeFrequencies[] = {"One-Time", "Recurring", "Usage-Based"};
constexpr std::string_view kCommitmentDiscountCategories[] = {"Spend", "Usage"};
constexpr std::string_view kPricingCategories[] = {"Standard", "Dynamic", "Committed", "Other"};
constexpr std::string_view kServiceCategories[] = {
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Multicloud",
    "Networking",
    "Security",
    "Storage",
    "Web",
    "Other",
};

constexpr std::array kServiceSubcategories = {
    ServiceSubcategory{"AI and Machine Learning", "AI Platforms"},
    ServiceSubcategory{"AI and Machine Learning", "Bots"},
    ServiceSubcategory{"AI and Machine Learning", "Generative AI"},
    ServiceSubcategory{"AI and Machine Learning", "Machine Learning"},
    ServiceSubcategory{"AI and Machine Learning", "Natural Language Processing"},
    ServiceSubcategory{"AI and Machine Learning", "Other (AI and Machine Learning)"},
    ServiceSubcategory{"Analytics", "Analytics Platforms"},
    ServiceSubcategory{"Analytics", "Business Intelligence"},
    ServiceSubcategory{"Analytics", "Data Processing"},
    ServiceSubcategory{"Analytics", "Search"},
    ServiceSubcategory{"Analytics", "Streaming Analytics"},
    ServiceSubcategory{"Analytics", "Other (Analytics)"},
    ServiceSubcategory{"Business Applications", "Productivity and Collaboration"},
    ServiceSubcategory{"Business Applications", "Other (Business Applications)"},
    ServiceSubcategory{"Compute", "Containers"},
    ServiceSubcategory{"Compute", "End User Computing"},
    ServiceSubcategory{"Compute", "Quantum Compute"},
    ServiceSubcategory{"Compute", "Serverless Compute"},
    ServiceSubcategory{"Compute", "Virtual Machines"},
    ServiceSubcategory{"Compute", "Other (Compute)"},
    ServiceSubcategory{"Databases", "Caching"},
    ServiceSubcategory{"Databases", "Data Warehouses"},
    ServiceSubcategory{"Databases", "Ledger Databases"},
    ServiceSubcategory{"Databases", "NoSQL Databases"},
    ServiceSubcategory{"Databases", "Relational Databases"},
    ServiceSubcategory{"Databases", "Time Series Databases"},
    ServiceSubcategory{"Databases", "Other (Databases)"},
    ServiceSubcategory{"Developer Tools", "Developer Platforms"},
    ServiceSubcategory{"Developer Tools", "Continuous Integration and Deployment"},
    ServiceSubcategory{"Developer Tools", "Development Environments"},
    ServiceSubcategory{"Developer Tools", "Source Code Management"},
    ServiceSubcategory{"Developer Tools", "Quality Assurance"},
    ServiceSubcategory{"Developer Tools", "Other (Developer Tools)"},
    ServiceSubcategory{"Identity", "Identity and Access Management"},
    ServiceSubcategory{"Identity", "Other (Identity)"},
    ServiceSubcategory{"Integration", "API Management"},
    ServiceSubcategory{"Integration", "Messaging"},
    ServiceSubcategory{"Integration", "Workflow Orchestration"},
    ServiceSubcategory{"Integration", "Other (Integration)"},
    ServiceSubcategory{"Internet of Things", "IoT Analytics"},
    ServiceSubcategory{"Internet of Things", "IoT Platforms"},
    ServiceSubcategory{"Internet of Things", "Other (Internet of Things)"},
    ServiceSubcategory{"Management and Governance", "Architecture"},
    ServiceSubcategory{"Management and Governance", "Compliance"},
    ServiceSubcategory{"Management and Governance", "Cost Management"},
    ServiceSubcategory{"Management and Governance", "Data Governance"},
    ServiceSubcategory{"Management and Governance", "Disaster Recovery"},
    ServiceSubcategory{"Management and Governance", "Endpoint Management"},
    ServiceSubcategory{"Management and Governance", "Observability"},
    ServiceSubcategory{"Management and Governance", "Support"},
    ServiceSubcategory{"Management and Governance", "Other (Management and Governance)"},
    ServiceSubcategory{"Media", "Content Creation"},
    ServiceSubcategory{"Media", "Gaming"},
    ServiceSubcategory{"Media", "Media Streaming"},
    ServiceSubcategory{"Media", "Mixed Reality"},
    ServiceSubcategory{"Media", "Other (Media)"},
    ServiceSubcategory{"Migration", "Data Migration"},
    ServiceSubcategory{"Migration", "Resource Migration"},
    ServiceSubcategory{"Migration", "Other (Migration)"},
    ServiceSubcategory{"Mobile", "Other (Mobile)"},
    ServiceSubcategory{"Multicloud", "Multicloud Integration"},
    ServiceSubcategory{"Multicloud", "Other (Multicloud)"},
    ServiceSubcategory{"Networking", "Application Networking"},
    ServiceSubcategory{"Networking", "Content Delivery"},
    ServiceSubcategory{"Networking", "Network Connectivity"},
    ServiceSubcategory{"Networking", "Network Infrastructure"},
    ServiceSubcategory{"Networking", "Network Routing"},
    ServiceSubcategory{"Networking", "Network Security"},
    ServiceSubcategory{"Networking", "Other (Networking)"},
    ServiceSubcategory{"Security", "Secret Management"},
    ServiceSubcategory{"Security", "Security Posture Management"},
    ServiceSubcategory{"Security", "Threat Detection and Response"},
    ServiceSubcategory{"Security", "Other (Security)"},
    ServiceSubcategory{"Storage", "Backup Storage"},
    ServiceSubcategory{"Storage", "Block Storage"},
    ServiceSubcategory{"Storage", "File Storage"},
    ServiceSubcategory{"Storage", "Object Storage"},
    ServiceSubcategory{"Storage", "Storage Platforms"},
    ServiceSubcategory{"Storage", "Other (Storage)"},
    ServiceSubcategory{"Web", "Application Platforms"},
    ServiceSubcategory{"Web", "Other (Web)"},
    ServiceSubcategory{"Other", "Other (Other)"},
};

constexpr auto kServiceSubcategoryNames = [] {
  std::array<std::string_view, kServiceSubcategories.size()> names{};
  for (size_t i = 0; i < names.size(); ++i) names[i] = kServiceSubcategories[i].name;
  return names;
}();

constexpr std::string_view kTokenDirections[] = {"Input", "Output"};
constexpr std::string_view kTokenCacheActions[] = {"Uncached", "Read", "Write", "Other"};

constexpr SkuPriceProperty kSkuPriceProperties[] = {
    {"CoreCount", kQuantity, "Cores", k1_2},
    {"DiskMaxIops", kQuantity, "IOPS", k1_2},
    {"DiskSpace", kQuantity, "GiB", k1_2},
    {"DiskType", kText, "", k1_2},
    {"GpuCount", kQuantity, "GPUs", k1_2},
    {"InstanceSeries", kText, "", k1_2},
    {"InstanceType", kText, "", k1_2},
    {"MemorySize", kQuantity, "GiB", k1_2},
    {"ModelDeveloper", kText, "", k1_5Draft},
    {"ModelFamily", kText, "", k1_5Draft},
    {"ModelId", kText, "", k1_5Draft},
    {"ModelVersion", kText, "", k1_5Draft},
    {"NetworkMaxIops", kQuantity, "IOPS", k1_2},
    {"NetworkMaxThroughput", kQuantity, "Mbps", k1_2},
    {"OperatingSystem", kText, "", k1_2},
    {"Redundancy", kText, "", k1_2},
    {"StorageClass", kText, "", k1_2},
    {"TokenCacheAction", kText, "", k1_5Draft, kTokenCacheActions},
    {"TokenDirection", kText, "", k1_5Draft, kTokenDirections},
};

// Conditions: the column must be there when the data generator ...
constexpr std::string_view kSplitsCosts = "splits the cost of shared resources";
constexpr std::string_view kManyBillingAccountTypes = "has more than one type of billing account";
constexpr std::string_view kSellsReservations = "sells capacity reservations";
constexpr std::string_view kSellsCommitments = "sells commitment discounts";
constexpr std::string_view kRunsCommitmentPrograms = "runs commitment programs";
constexpr std::string_view kMeasuresUsage = "measures usage";
constexpr std::string_view kAgreesContracts = "agrees contract commitments";
constexpr std::string_view kNegotiates = "negotiates prices";
constexpr std::string_view kKnowsPrincipals = "attributes charges to principals";
constexpr std::string_view kIssuesInvoices = "issues payable invoices";
constexpr std::string_view kPublishesPrices = "publishes list unit prices";
constexpr std::string_view kManyPricingCategories = "has more than one pricing category";
constexpr std::string_view kPricesInOtherCurrency = "prices in another currency than it bills in";
constexpr std::string_view kAssignsRegions = "assigns regions";
constexpr std::string_view kBillsResources = "bills provisioned resources";
constexpr std::string_view kSellsUnits = "sells by unit prices";
constexpr std::string_view kHasSubAccounts = "has sub accounts";
constexpr std::string_view kManySubAccountTypes = "has more than one type of sub account";
constexpr std::string_view kTagsResources = "lets resources be tagged";

// A row: name, type, nullable, since, then its condition and its allowed values where it has them.
constexpr std::array kColumns = {
    kCau.Recommended("AllocatedMethodDetails", kJson, kNullable, k1_3),
    kCau.Conditional("AllocatedMethodId", kText, kNullable, k1_3, kSplitsCosts),
    kCau.Conditional("AllocatedResourceId", kText, kNullable, k1_3, kSplitsCosts),
    kCau.Conditional("AllocatedResourceName", kText, kNullable, k1_3, kSplitsCosts),
    kCau.Conditional("AllocatedTags", kJson, kNullable, k1_3, kSplitsCosts),
    kCau.Recommended("AvailabilityZone", kText, kNullable, k1_0),
    kCau.Mandatory("BilledCost", kMoney, kNotNull, k1_0),
    kCau.Mandatory("BillingAccountId", kText, kNotNull, k1_0),
    kCau.Mandatory("BillingAccountName", kText, kNullable, k1_0),
    kCau.Conditional("BillingAccountType", kText, kNotNull, k1_2, kManyBillingAccountTypes),
    kCau.Mandatory("BillingCurrency", kText, kNotNull, k1_0),
    kCau.Mandatory("BillingPeriodEnd", kInstant, kNotNull, k1_0),
    kCau.Mandatory("BillingPeriodStart", kInstant, kNotNull, k1_0),
    kCau.Conditional("CapacityReservationId", kText, kNullable, k1_1, kSellsReservations),
    kCau.Conditional("CapacityReservationStatus", kText, kNullable, k1_1, kSellsReservations,
                     kUsedOrUnused),
    kCau.Mandatory("ChargeCategory", kText, kNotNull, k1_0, kChargeCategories),
    kCau.Mandatory("ChargeClass", kText, kNullable, k1_0, kChargeClasses),
    kCau.Mandatory("ChargeDescription", kText, kNullable, k1_0),
    kCau.Recommended("ChargeFrequency", kText, kNotNull, k1_0, kChargeFrequencies),
    kCau.Mandatory("ChargePeriodEnd", kInstant, kNotNull, k1_0),
    kCau.Mandatory("ChargePeriodStart", kInstant, kNotNull, k1_0),
    kCau.Conditional("CommitmentDiscountCategory", kText, kNullable, k1_0, kSellsCommitments,
                     kCommitmentDiscountCategories),
    kCau.Conditional("CommitmentDiscountId", kText, kNullable, k1_0, kSellsCommitments),
    kCau.Conditional("CommitmentDiscountName", kText, kNullable, k1_0, kSellsCommitments),
    kCau.Conditional("CommitmentDiscountQuantity", kQuantity, kNullable, k1_1, kSellsCommitments),
    kCau.Conditional("CommitmentDiscountStatus", kText, kNullable, k1_0, kSellsCommitments,
                     kUsedOrUnused),
    kCau.Conditional("CommitmentDiscountType", kText, kNullable, k1_0, kSellsCommitments),
    kCau.Conditional("CommitmentDiscountUnit", kText, kNullable, k1_1, kSellsCommitments),
    kCau.Conditional("CommitmentProgramEligibilityDetails", kJson, kNullable, k1_4,
                     kRunsCommitmentPrograms),
    kCau.Conditional("ConsumedQuantity", kQuantity, kNullable, k1_0, kMeasuresUsage),
    kCau.Conditional("ConsumedUnit", kText, kNullable, k1_0, kMeasuresUsage),
    kCau.Conditional("ContractApplied", kJson, kNullable, k1_3, kAgreesContracts),
    kCau.Mandatory("ContractedCost", kMoney, kNotNull, k1_0),
    kCau.Conditional("ContractedUnitPrice", kQuantity, kNullable, k1_0, kNegotiates),
    kCau.Conditional("CredentialDetails", kJson, kNullable, k1_5Draft, kKnowsPrincipals),
    kCau.Conditional("CredentialId", kText, kNullable, k1_5Draft, kKnowsPrincipals),
    kCau.Mandatory("EffectiveCost", kMoney, kNotNull, k1_0),
    kCau.Mandatory("HostProviderName", kText, kNotNull, k1_3),
    kCau.Conditional("InvoiceDetailId", kText, kNullable, k1_4, kIssuesInvoices),
    Earlier({k1_3, kRecommended, kNullable},
            kCau.Conditional("InvoiceId", kText, kNullable, k1_2, kIssuesInvoices)),
    kCau.Mandatory("InvoiceIssuerName", kText, kNotNull, k1_0),
    kCau.Mandatory("ListCost", kMoney, kNotNull, k1_0),
    kCau.Conditional("ListUnitPrice", kQuantity, kNullable, k1_0, kPublishesPrices),
    kCau.Conditional("PricingCategory", kText, kNullable, k1_0, kManyPricingCategories,
                     kPricingCategories),
    kCau.Conditional("PricingCurrency", kText, kNotNull, k1_2, kPricesInOtherCurrency),
    kCau.Conditional("PricingCurrencyContractedUnitPrice", kQuantity, kNullable, k1_2,
                     kPricesInOtherCurrency),
    kCau.Conditional("PricingCurrencyEffectiveCost", kMoney, kNotNull, k1_2,
                     kPricesInOtherCurrency),
    kCau.Conditional("PricingCurrencyListUnitPrice", kQuantity, kNullable, k1_2,
                     kPricesInOtherCurrency),
    kCau.Mandatory("PricingQuantity", kQuantity, kNullable, k1_0),
    kCau.Mandatory("PricingUnit", kText, kNullable, k1_0),
    kCau.Conditional("PrincipalId", kText, kNullable, k1_5Draft, kKnowsPrincipals),
    Until(k1_3, kCau.Mandatory("ProviderName", kText, kNotNull, k1_0)),
    Until(k1_3, kCau.Mandatory("PublisherName", kText, kNotNull, k1_0)),
    kCau.Conditional("RegionId", kText, kNullable, k1_0, kAssignsRegions),
    kCau.Conditional("RegionName", kText, kNullable, k1_0, kAssignsRegions),
    kCau.Conditional("ResourceId", kText, kNullable, k1_0, kBillsResources),
    kCau.Conditional("ResourceName", kText, kNullable, k1_0, kBillsResources),
    kCau.Conditional("ResourceType", kText, kNullable, k1_0, kBillsResources),
    kCau.Mandatory("ServiceCategory", kText, kNotNull, k1_0, kServiceCategories),
    kCau.Mandatory("ServiceName", kText, kNotNull, k1_0),
    kCau.Mandatory("ServiceProviderName", kText, kNotNull, k1_3),
    kCau.Recommended("ServiceSubcategory", kText, kNotNull, k1_1, kServiceSubcategoryNames),
    kCau.Conditional("SkuId", kText, kNullable, k1_0, kSellsUnits),
    kCau.Conditional("SkuMeter", kText, kNullable, k1_1, kSellsUnits),
    kCau.Conditional("SkuPriceDetails", kJson, kNullable, k1_1, kSellsUnits),
    kCau.Conditional("SkuPriceId", kText, kNullable, k1_0, kSellsUnits),
    kCau.Conditional("SubAccountId", kText, kNullable, k1_0, kHasSubAccounts),
    kCau.Conditional("SubAccountName", kText, kNullable, k1_0, kHasSubAccounts),
    kCau.Conditional("SubAccountType", kText, kNullable, k1_2, kManySubAccountTypes),
    kCau.Conditional("Tags", kJson, kNullable, k1_0, kTagsResources),
};
static_assert(tables::WellFormed(kColumns));
static_assert(tables::CountIn(kColumns, k1_0) == 43);
static_assert(tables::CountIn(kColumns, k1_1) == 50);
static_assert(tables::CountIn(kColumns, k1_2) == 57);
static_assert(tables::CountIn(kColumns, k1_3) == 65);
static_assert(tables::CountIn(kColumns, k1_4) == 65);
static_assert(tables::CountIn(kColumns, k1_5Draft) == 68);

}  // namespace

std::span<const Column> tables::CostAndUsage() { return kColumns; }
std::span<const ServiceSubcategory> ServiceSubcategories() { return kServiceSubcategories; }
std::span<const SkuPriceProperty> SkuPriceProperties() { return kSkuPriceProperties; }

}  // namespace flyball::focus
