#include "model/focus_tables.h"
namespace flyball::focus {
std::span<const Column> tables::InvoiceDetail() { return {}; }
std::span<const Column> tables::BillingPeriod() { return {}; }
}  // namespace flyball::focus
