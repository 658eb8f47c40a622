#include "reconcile/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"

namespace flyball::reconcile {
namespace {

constexpr size_t kRoundedLinesMax = 100;  // more lines round in both directions

// Half of the last digit that invoices print; most currencies have two (ISO 4217).
int128 HalfOfLastDigit(std::string_view currency) {
  constexpr int128 kHalfUnit = 500'000'000'000;
  for (std::string_view whole : {"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "PYG", "XAF", "XOF"}) {
    if (currency == whole) return kHalfUnit;
  }
  for (std::string_view thousandths : {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}) {
    if (currency == thousandths) return kHalfUnit / 1000;
  }
  return kHalfUnit / 100;
}

struct WhoseKey {
  std::string issuer, currency;  // the issuer in lower case
  auto operator<=>(const WhoseKey&) const = default;
};

// Account, category, service: what lines may state beside their invoice.
using Parts = std::array<std::string, 3>;
template <typename T>
Parts PartsOf(const T& each) {
  return {each.account, each.category, each.service};
}

// Everything that two sides say of one cell.
struct Cell {
  Money invoiced, ledger;
  int128 estimated = 0;  // units of the amounts that are estimates, whatever their sign
  std::vector<const InvoiceLine*> lines;
  std::vector<const LedgerSum*> sums;
};

Status AddTo(Money* sum, Money amount) {
  *sum = FB_TRY(sum->Plus(amount));
  return {};
}

std::string PlaceText(const Parts& parts) {
  std::string text;
  for (const auto& [name, value] :
       {std::pair{"account", parts[0]}, {"category", parts[1]}, {"service", parts[2]}}) {
    if (value.empty()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
  return text.empty() ? "in all" : text;
}

StepReason ByCategory(std::string_view category, StepReason otherwise) {
  if (category == "Tax") return StepReason::kTax;
  if (category == "Credit") return StepReason::kCredit;
  return otherwise;
}

int128 Size(Money amount) { return amount.units() < 0 ? -amount.units() : amount.units(); }

// The one among them with this amount, give or take; null when there is none or more than one.
template <typename T>
const T* OnlyOne(const std::vector<const T*>& all, Money amount, int128 give, Money T::* member) {
  const T* found = nullptr;
  for (const T* each : all) {
    if (Size(Money::FromUnits((each->*member).units() - amount.units())) > give) continue;
    if (found != nullptr) return nullptr;
    found = each;
  }
  return found;
}

class Explainer {
 public:
  explicit Explainer(const LadderInput& input) : input_(input) {}

  // One step, or several: a charge and the rounding of the invoice, corrections and what is left.
  std::vector<Step> Explain(const WhoseKey& whose, const Parts& parts, const Cell& cell) const {
    const Step step = WholeStep(parts, cell);
    std::vector<Step> booked = BookedHere(cell, step);
    Cell rest = cell;
    std::erase_if(rest.sums, [](const LedgerSum* sum) { return !sum->correction.empty(); });
    for (const Step& each : booked) {
      rest.ledger = Money::FromUnits(rest.ledger.units() - each.amount.units());
    }
    const Money left = Money::FromUnits(rest.ledger.units() - rest.invoiced.units());
    // Invoices of this month may have the corrections, too. Then they are no part of the
    // difference.
    if (booked.empty() || (!left.is_zero() && Size(left) >= Size(step.amount))) {
      return ExplainRest(whose, parts, cell);
    }
    if (left.is_zero()) return booked;
    if (std::vector<Step> named = NameExactly(whose, cell, step); !named.empty()) return named;
    rest.estimated = EstimatedIn(rest.sums);
    std::ranges::move(ExplainRest(whose, parts, rest), std::back_inserter(booked));
    return booked;
  }

 private:
  static Step WholeStep(const Parts& parts, const Cell& cell) {
    Step step;
    step.amount = Money::FromUnits(cell.ledger.units() - cell.invoiced.units());
    step.invoiced = cell.invoiced;
    step.ledger = cell.ledger;
    std::tie(step.account, step.category, step.service) = std::tie(parts[0], parts[1], parts[2]);
    return step;
  }

  static int128 EstimatedIn(const std::vector<const LedgerSum*>& sums) {
    int128 estimated = 0;
    for (const LedgerSum* sum : sums) estimated += Size(sum->estimate);
    return estimated;
  }

  // Of each closed month that charges of this one correct.
  static std::vector<Step> BookedHere(const Cell& cell, const Step& step) {
    std::map<std::string, std::pair<int128, int64_t>> months;
    for (const LedgerSum* sum : cell.sums) {
      if (sum->correction.empty()) continue;
      months[sum->correction].first += sum->billed.units();
      months[sum->correction].second += sum->charges;
    }
    std::vector<Step> steps;
    for (const auto& [month, booked] : months) {
      if (booked.first == 0) continue;
      Step& each = steps.emplace_back(step);
      each.reason = StepReason::kCorrection;
      each.amount = each.ledger = Money::FromUnits(booked.first);
      each.invoiced = Money();
      each.other_period = month;
      each.text =
          fmt::format("{}: corrections of {}, which is closed ({} {})", PlaceText(PartsOf(step)),
                      month, booked.second, booked.second == 1 ? "charge" : "charges");
    }
    return steps;
  }

  // What later months have as corrections of this one, where that is what the ledger lacks.
  std::vector<Step> BookedLater(const WhoseKey& whose, const Step& step, int128 rounding) const {
    Step booked = step;
    int128 later = 0;
    for (const LedgerSum& sum : input_.neighbours) {
      const Parts said = PartsOf(step), has = PartsOf(sum);
      bool same = !sum.correction.empty() && sum.correction == input_.month &&
                  ToLower(sum.issuer) == whose.issuer && sum.currency == whose.currency;
      for (size_t i = 0; i < said.size(); ++i) {
        same = same && (said[i].empty() || said[i] == has[i]);
      }
      if (!same) continue;
      later += sum.billed.units();
      booked.other_period = sum.period;
    }
    const Money rest = Money::FromUnits(step.amount.units() + later);
    if (later == 0 || Size(rest) > rounding) return {};
    booked.reason = StepReason::kCorrection;
    booked.amount = Money::FromUnits(-later);
    booked.invoiced = Money::FromUnits(later);
    booked.ledger = Money();
    booked.text = fmt::format("{}: booked as corrections in the billing period {}",
                              PlaceText(PartsOf(step)), booked.other_period);
    std::vector<Step> steps = {std::move(booked)};
    if (!rest.is_zero()) {
      Step rounded = step;
      rounded.amount = rest;
      rounded.invoiced = Money::FromUnits(step.invoiced.units() - later);
      steps.push_back(Rounding(rounded, PartsOf(step)));
    }
    return steps;
  }

  // A charge or a line that is the difference to the last digit.
  std::vector<Step> NameExactly(const WhoseKey& whose, const Cell& cell, Step step) const {
    if (std::vector<Step> named = NameCharges(cell, step, 0); !named.empty()) return named;
    if (NameLine(whose, cell, &step)) return {step};
    return {};
  }

  std::vector<Step> ExplainRest(const WhoseKey& whose, const Parts& parts, const Cell& cell) const {
    Step step = WholeStep(parts, cell);
    const auto lines = static_cast<int128>(std::min(cell.lines.size(), kRoundedLinesMax));
    const int128 rounding = HalfOfLastDigit(whose.currency) * lines;
    // What is the difference to the last digit comes before what is near it.
    if (std::vector<Step> named = NameExactly(whose, cell, step); !named.empty()) return named;
    if (!cell.sums.empty() && Size(step.amount) <= rounding) return {Rounding(step, parts)};
    if (std::vector<Step> later = BookedLater(whose, step, rounding); !later.empty()) return later;
    if (std::vector<Step> named = NameCharges(cell, step, rounding); !named.empty()) return named;
    SayOfCell(whose, parts, cell, &step);
    return {step};
  }

  static Step Rounding(Step step, const Parts& parts) {
    step.reason = StepReason::kRounding;
    step.text = fmt::format("{}: within half of the last digit for each line", PlaceText(parts));
    return step;
  }

  // What is left to say when no charge and no line is the difference by itself.
  void SayOfCell(const WhoseKey& whose, const Parts& parts, const Cell& cell, Step* step) const {
    if (IsQuarantined(whose, step)) return;
    if (cell.sums.empty() || cell.lines.empty()) {
      const bool missing = cell.sums.empty();
      step->reason =
          ByCategory(parts[1], missing ? StepReason::kMissing : StepReason::kNotInvoiced);
      step->text = fmt::format("{}: {}", PlaceText(parts),
                               missing ? "on the invoice and not in the ledger"
                                       : "in the ledger and not on the invoice");
      return;
    }
    if (Size(step->amount) <= cell.estimated) {
      step->reason = StepReason::kEstimate;
      step->estimate = Money::FromUnits(cell.estimated);
      step->text = fmt::format("{}: {} of the ledger's charges are estimates", PlaceText(parts),
                               Money::FromUnits(cell.estimated).ToString());
      return;
    }
    step->reason = ByCategory(parts[1], StepReason::kUnexplained);
    step->text = fmt::format("{}: {} in the ledger, {} on the invoice", PlaceText(parts),
                             cell.ledger.ToString(), cell.invoiced.ToString());
  }

  // Charges of the ledger that are just the difference: the invoice lacks them.
  static std::vector<Step> NameCharges(const Cell& cell, Step step, int128 rounding) {
    const LedgerSum* sum = OnlyOne(cell.sums, step.amount, rounding, &LedgerSum::billed);
    if (sum == nullptr || sum->billed.is_zero()) return {};
    const Money rest = Money::FromUnits(step.amount.units() - sum->billed.units());
    std::vector<Step> steps;
    if (!rest.is_zero()) {
      Step rounded = step;
      rounded.amount = rest;
      rounded.ledger = Money::FromUnits(step.ledger.units() - sum->billed.units());
      steps.push_back(Rounding(rounded, PartsOf(step)));
    }
    step.amount = step.ledger = sum->billed;
    step.invoiced = Money();
    std::tie(step.account, step.category, step.service) =
        std::tie(sum->account, sum->category, sum->service);
    step.reason = ByCategory(sum->category, StepReason::kNotInvoiced);
    if (!sum->correction.empty()) {  // one of several
      step.reason = StepReason::kCorrection;
      step.other_period = sum->correction;
    }
    step.text =
        fmt::format("{}: in the ledger and not on the invoice ({} {})", PlaceText(PartsOf(*sum)),
                    sum->charges, sum->charges == 1 ? "charge" : "charges");
    steps.push_back(std::move(step));
    return steps;
  }

  // A line of the invoice that is just the difference: the ledger lacks it, or has it elsewhere.
  bool NameLine(const WhoseKey& whose, const Cell& cell, Step* step) const {
    const Money lacking = step->amount.Negated();
    const InvoiceLine* line = OnlyOne(cell.lines, lacking, 0, &InvoiceLine::amount);
    if (line == nullptr) return false;
    const auto elsewhere = std::ranges::find_if(input_.neighbours, [&](const LedgerSum& sum) {
      const Parts said = PartsOf(*line), has = PartsOf(sum);
      bool same = ToLower(sum.issuer) == whose.issuer && sum.currency == whose.currency &&
                  sum.billed == lacking;
      for (size_t i = 0; i < said.size(); ++i)
        same = same && (said[i].empty() || said[i] == has[i]);
      return same;
    });
    std::tie(step->account, step->category, step->service) =
        std::tie(line->account, line->category, line->service);
    step->line = line->place;
    step->invoiced = line->amount;
    step->ledger = Money();
    if (elsewhere != input_.neighbours.end()) {
      step->reason = elsewhere->correction.empty() ? StepReason::kTiming : StepReason::kCorrection;
      step->other_period = elsewhere->period;
      step->text = fmt::format("{} ({}): the ledger has it in the billing period {}",
                               PlaceText(PartsOf(*line)), line->place, elsewhere->period);
      return true;
    }
    if (cell.lines.size() == 1 && cell.sums.empty()) return false;  // told by the cell itself
    step->reason = ByCategory(line->category, StepReason::kMissing);
    step->text = fmt::format("{} ({}): on the invoice and not in the ledger",
                             PlaceText(PartsOf(*line)), line->place);
    return true;
  }

  bool IsQuarantined(const WhoseKey& whose, Step* step) const {
    for (const auto& [currency, amount] : input_.quarantined) {
      if (currency != whose.currency || amount.is_zero() || amount != step->amount.Negated())
        continue;
      step->reason = StepReason::kQuarantined;
      step->text = "rows that the import could not read are just as much (flyball check)";
      return true;
    }
    return false;
  }

  const LadderInput& input_;
};

// One invoice's lines and the charges that it is about.
struct Matter {
  std::set<std::string> invoices;
  std::vector<const InvoiceLine*> lines;
  std::vector<const LedgerSum*> sums;
};

// Which parts all of the lines state: on these the two sides can be compared.
std::array<bool, 3> Stated(const std::vector<const InvoiceLine*>& lines) {
  std::array<bool, 3> stated = {true, true, true};
  for (const InvoiceLine* line : lines) {
    const Parts parts = PartsOf(*line);
    for (size_t i = 0; i < parts.size(); ++i) stated[i] = stated[i] && !parts[i].empty();
  }
  return stated;
}

Result<Ladder> MakeLadder(const Explainer& explainer, const WhoseKey& whose, const Matter& matter) {
  Ladder ladder;
  ladder.issuer = matter.lines.empty() ? matter.sums.front()->issuer : matter.lines.front()->issuer;
  ladder.currency = whose.currency;
  for (const std::string& invoice : matter.invoices) {
    ladder.invoice += (ladder.invoice.empty() ? "" : " + ") + invoice;
  }
  const std::array<bool, 3> stated = Stated(matter.lines);
  std::map<Parts, Cell> cells;
  const auto key = [&](Parts parts) {
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!stated[i]) parts[i].clear();
    }
    return parts;
  };
  for (const InvoiceLine* line : matter.lines) {
    Cell& cell = cells[key(PartsOf(*line))];
    cell.lines.push_back(line);
    FB_CHECK(AddTo(&cell.invoiced, line->amount));
    FB_CHECK(AddTo(&ladder.invoiced, line->amount));
  }
  for (const LedgerSum* sum : matter.sums) {
    Cell& cell = cells[key(PartsOf(*sum))];
    cell.sums.push_back(sum);
    FB_CHECK(AddTo(&cell.ledger, sum->billed));
    cell.estimated += Size(sum->estimate);
    FB_CHECK(AddTo(&ladder.ledger, sum->billed));
    FB_CHECK(AddTo(&ladder.estimate, sum->estimate));
    if (!sum->correction.empty()) FB_CHECK(AddTo(&ladder.corrections, sum->billed));
  }
  if (matter.lines.empty()) return ladder;
  for (const auto& [parts, cell] : cells) {
    if (cell.ledger == cell.invoiced) continue;
    for (Step& step : explainer.Explain(whose, parts, cell))
      ladder.steps.push_back(std::move(step));
  }
  const auto order = [](const Step& step) {
    return std::tuple(-Size(step.amount), step.account, step.category,
                      step.service);  // largest first
  };
  std::ranges::sort(ladder.steps, {}, order);
  return ladder;
}

// The matters of one issuer and currency: an invoice each where both sides know its id; all others
// together.
std::vector<Matter> MattersOf(const std::vector<const InvoiceLine*>& lines,
                              const std::vector<const LedgerSum*>& sums) {
  std::set<std::string> known;
  for (const LedgerSum* sum : sums) known.insert(sum->invoice);
  const bool whole =
      std::ranges::any_of(lines, [](const InvoiceLine* line) { return line->invoice.empty(); });
  std::map<std::string, Matter> by_invoice;
  Matter rest;
  for (const InvoiceLine* line : lines) {
    const bool own = !whole && known.contains(line->invoice);
    Matter& matter = own ? by_invoice[line->invoice] : rest;
    matter.lines.push_back(line);
    if (!line->invoice.empty()) matter.invoices.insert(line->invoice);
  }
  Matter left;  // of invoices that nobody gave
  for (const LedgerSum* sum : sums) {
    const auto found = by_invoice.find(sum->invoice);
    if (found != by_invoice.end()) {
      found->second.sums.push_back(sum);
    } else if (!rest.lines.empty() && (whole || sum->invoice.empty())) {
      rest.sums.push_back(sum);
    } else {
      left.sums.push_back(sum);
      if (!sum->invoice.empty()) left.invoices.insert(sum->invoice);
    }
  }
  std::vector<Matter> all;
  for (auto& [invoice, matter] : by_invoice) all.push_back(std::move(matter));
  if (!rest.lines.empty()) all.push_back(std::move(rest));
  if (!left.sums.empty()) all.push_back(std::move(left));
  return all;
}

// Who issues invoices, by the names that people call them.
class Issuers {
 public:
  explicit Issuers(std::span<const LedgerSum> sums) {
    for (const LedgerSum& sum : sums) {
      names_[sum.currency].insert(sum.issuer);
      by_provider_[{ToLower(sum.provider), sum.currency}].insert(ToLower(sum.issuer));
    }
  }
  // The issuer of that name, or the only one that bills for the provider of that name.
  WhoseKey Of(const InvoiceLine& line) const {
    WhoseKey key{ToLower(line.issuer), line.currency};
    const auto names = names_.find(line.currency);
    if (names == names_.end()) return key;
    for (const std::string& name : names->second) {
      if (ToLower(name) == key.issuer) return key;
    }
    const auto found = by_provider_.find(key);
    if (found == by_provider_.end() || found->second.size() != 1) return key;
    return {*found->second.begin(), line.currency};
  }
  // For a line that is of nobody in the ledger.
  std::string Hint(const std::string& currency) const {
    const auto names = names_.find(currency);
    if (names == names_.end()) return "; the ledger has no charge in " + currency;
    std::string text;
    for (const std::string& name : names->second) text += (text.empty() ? "" : "; ") + name;
    return "; the ledger's issuers are " + text;
  }

 private:
  std::map<std::string, std::set<std::string>> names_;  // by currency
  std::map<WhoseKey, std::set<std::string>> by_provider_;
};

}  // namespace

std::string_view StepReasonName(StepReason reason) {
  switch (reason) {
    case StepReason::kRounding:
      return "rounding";
    case StepReason::kTax:
      return "tax";
    case StepReason::kCredit:
      return "credit";
    case StepReason::kTiming:
      return "timing";
    case StepReason::kNotInvoiced:
      return "not invoiced";
    case StepReason::kMissing:
      return "missing";
    case StepReason::kQuarantined:
      return "quarantined";
    case StepReason::kCorrection:
      return "correction";
    case StepReason::kEstimate:
      return "estimate";
    case StepReason::kUnexplained:
      break;
  }
  return "unexplained";
}

Result<Ladders> MakeLadders(const LadderInput& input) {
  std::map<WhoseKey, std::pair<std::vector<const InvoiceLine*>, std::vector<const LedgerSum*>>> by;
  const Issuers issuers(input.sums);
  for (const InvoiceLine& line : input.lines) by[issuers.Of(line)].first.push_back(&line);
  for (const LedgerSum& sum : input.sums) {
    by[{ToLower(sum.issuer), sum.currency}].second.push_back(&sum);
  }
  Ladders ladders;
  const Explainer explainer(input);
  for (const auto& [whose, sides] : by) {
    for (const Matter& matter : MattersOf(sides.first, sides.second)) {
      Ladder ladder = FB_TRY(MakeLadder(explainer, whose, matter));
      if (matter.sums.empty()) {
        for (Step& step : ladder.steps) step.text += issuers.Hint(whose.currency);
      }
      (matter.lines.empty() ? ladders.without_invoice : ladders.invoices)
          .push_back(std::move(ladder));
    }
  }
  return ladders;
}

}  // namespace flyball::reconcile
