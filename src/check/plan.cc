// The plan of a check: rules compiled against the columns that the files have.
#include <algorithm>

#include "base/assert.h"
#include "check/executor.h"

namespace flyball::check {
namespace {

// The first column that the files lack, or empty.
std::string Lacking(const Layout& layout, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (layout.Find(name) < 0) return name;
  }
  return {};
}

RunRule NotRun(Verdict verdict, std::string why) {
  RunRule run;
  run.verdict = verdict;
  run.not_run = std::move(why);
  return run;
}

RunRule NoColumn(const std::string& name) {
  return NotRun(Verdict::kNotApplicable, "the data has no column " + name);
}

class Planner {
 public:
  explicit Planner(Plan* plan) : plan_(plan), layout_(*plan->layout) {}

  RunRule Run(const Rule& rule) {
    switch (rule.means) {
      case Rule::Means::kRows:
        return Rows(rule);
      case Rule::Means::kGroup:
        return OfGroup(rule);
      case Rule::Means::kFixed:
        return NotRun(rule.fixed, rule.reason);
      case Rule::Means::kHeader:
      case Rule::Means::kParts:
      case Rule::Means::kShape:
        break;  // decided from the header, from other rules, from the reader's count
    }
    RunRule run;
    run.runs = true;
    return run;
  }

 private:
  RunRule Rows(const Rule& rule) {
    if (std::string name = Lacking(layout_, ColumnsOf(rule.requirement)); !name.empty()) {
      return NoColumn(name);
    }
    RunRule run;
    run.runs = true;
    Result<int> applies = plan_->program.Add(rule.condition);
    if (!applies) return NotRun(Verdict::kNotDecidable, applies.error().message);
    Result<int> breaks =
        plan_->program.Add(Expr::And({rule.condition, Expr::Not(rule.requirement)}));
    if (!breaks) return NotRun(Verdict::kNotDecidable, breaks.error().message);
    run.applies = *applies;
    run.breaks = *breaks;
    return run;
  }

  std::vector<int> Hashed(const std::vector<std::string>& names) {
    std::vector<int> columns;
    for (const std::string& name : names) {
      const int column = layout_.Find(name);
      plan_->layout->columns()[static_cast<size_t>(column)].keep_hash = true;
      columns.push_back(column);
    }
    return columns;
  }

  int Node(std::string_view text) {
    Result<Expr> expr = ParseExpr(text);
    FB_ASSERT(expr.has_value());
    Result<int> node = plan_->program.Add(*expr);
    FB_ASSERT(node.has_value());
    return *node;
  }

  RunRule OfCommitments() {
    for (const char* name : {"CommitmentDiscountId", "ChargeCategory", "BilledCost",
                             "EffectiveCost", "ChargePeriodStart", "ChargePeriodEnd"}) {
      if (layout_.Find(name) < 0) return NoColumn(name);
    }
    Hashed({"CommitmentDiscountId"});
    plan_->commitments = true;
    plan_->purchase = Node("ChargeCategory = 'Purchase' and CommitmentDiscountId is not null");
    plan_->use = Node("ChargeCategory = 'Usage' and CommitmentDiscountId is not null");
    plan_->used = Node("CommitmentDiscountStatus = 'Used'");
    plan_->unused = Node("CommitmentDiscountStatus = 'Unused'");
    RunRule run;
    run.runs = true;
    return run;
  }

  RunRule OfGroup(const Rule& rule) {
    RunRule run;
    run.runs = true;
    switch (rule.group.check) {
      case GroupCheck::kUsageIsPurchase:
      case GroupCheck::kUsageIsUsedAndUnused:
      case GroupCheck::kUnusedIsShown:
      case GroupCheck::kQuantityIsPurchased:
        return OfCommitments();
      case GroupCheck::kInvoiceSum:
        for (const char* name : {"InvoiceId", "BilledCost"}) {
          if (layout_.Find(name) < 0) return NoColumn(name);
        }
        Hashed({"InvoiceId"});
        if (layout_.Find("InvoiceIssuerName") >= 0) Hashed({"InvoiceIssuerName"});
        plan_->invoices = true;
        return run;
      case GroupCheck::kPeriodsFollow:
        for (const char* name : {"BillingAccountId", "BillingPeriodStart", "BillingPeriodEnd"}) {
          if (layout_.Find(name) < 0) return NoColumn(name);
        }
        Hashed({"BillingAccountId"});
        plan_->periods = true;
        return run;
      case GroupCheck::kOneValue:
      case GroupCheck::kUnique:
        break;
    }
    std::vector<std::string> names = rule.group.key;
    names.insert(names.end(), rule.group.value.begin(), rule.group.value.end());
    if (std::string name = Lacking(layout_, names); !name.empty()) return NoColumn(name);
    Result<int> applies = plan_->program.Add(rule.condition);
    if (!applies) return NotRun(Verdict::kNotDecidable, applies.error().message);
    run.applies = *applies;
    run.key = Hashed(rule.group.key);
    if (rule.group.within_provider && plan_->provider >= 0) {
      plan_->layout->columns()[static_cast<size_t>(plan_->provider)].keep_hash = true;
      run.key.push_back(plan_->provider);
    }
    run.value = Hashed(rule.group.value);
    run.groups = plan_->group_count++;
    return run;
  }

  Plan* plan_;
  const Layout& layout_;
};

int FirstColumn(const Layout& layout, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (int column = layout.Find(name); column >= 0) return column;
  }
  return -1;
}

}  // namespace

Plan MakePlan(const std::vector<Rule>& rules, Layout* layout) {
  Plan plan(layout);
  plan.provider = FirstColumn(
      *layout, {"ServiceProviderName", "ProviderName", "InvoiceIssuerName", "PublisherName"});
  plan.currency = FirstColumn(*layout, {"BillingCurrency"});
  plan.cost = FirstColumn(*layout, {"BilledCost", "ContractCommitmentCost"});
  for (int column : {plan.provider, plan.currency}) {
    if (column >= 0) layout->columns()[static_cast<size_t>(column)].keep_text = true;
  }
  Planner planner(&plan);
  for (const Rule& rule : rules) {
    plan.rules.push_back(&rule);
    plan.runs.push_back(planner.Run(rule));
  }
  return plan;
}

}  // namespace flyball::check
