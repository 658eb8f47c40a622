#include "reconcile/fault.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "reconcile/solve.h"
#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"price", "quantity", "discount",
                                                    "undetermined"};

struct Row {
  Instant day;
  CostRow cost;
  Money billed;
};
// Days whose costs are made of the same prices.
struct Series {
  ModelKey key;
  std::string meter;
  bool stated = true;
  std::vector<BookPrice> prices;
  std::vector<Row> rows;  // by day

  std::vector<Money> book() const {
    std::vector<Money> book;
    for (const BookPrice& price : prices) book.push_back(price.price);
    return book;
  }
};

Money Cost(int128 count, const BookPrice& price) {
  return Money::FromUnits(price.price.units() * count / Info(price.meter).per);
}

class Finder {
 public:
  Finder(std::span<const CallFact> calls, const Bill& bill, std::span<const Group> groups)
      : sides_(SeeBothSides(calls, bill, groups)), by_book_(bill.by_book), roundings_(bill) {}

  std::vector<Fault> Run() {
    for (const auto& [key, meters] : sides_.meters) {
      for (const auto& [meter, seen] : meters) Judge(key, meter, seen);
    }
    if (!by_book_) {
      for (const Series& series : series_) FindPrices(series);
      FindDiscounts();
    }
    std::ranges::sort(faults_, {}, [](const Fault& fault) {
      return std::tuple(-SizeOf(fault.difference()), fault.vendor, fault.model, fault.meter,
                        fault.first);
    });
    return std::move(faults_);
  }

 private:
  // Of all lines of a day.
  int128 RoundingFor(const ModelKey& key, const Seen& seen) const {
    return std::max<int128>(roundings_.Of(key.vendor, key.currency).units(), 1) * seen.lines;
  }

  // Whether the vendor's count is the same multiple of ours on every day, to the count.
  static bool IsMultiple(const std::vector<Seen>& all, int128* our_count, int128* their_count) {
    *our_count = *their_count = 0;
    for (const Seen& seen : all) {
      if (!seen.whole || !seen.their_count || seen.our_count == 0) return false;
      *our_count += seen.our_count;
      *their_count += *seen.their_count;
    }
    const Whole ours = *our_count, theirs = *their_count;
    return *our_count != *their_count && std::ssize(all) >= kFaultDaysMin &&
           std::ranges::all_of(all, [&](const Seen& seen) {
             return SizeOf(ours * *seen.their_count - theirs * seen.our_count) <= ours * seen.lines;
           });
  }

  void Judge(const ModelKey& key, const std::string& meter, const std::vector<Seen>& all) {
    int128 our_count = 0, their_count = 0;
    const bool multiple = IsMultiple(all, &our_count, &their_count);
    if (multiple && IsQuantity(key, meter, all, our_count, their_count)) return;
    // With a multiple that does not explain the costs, the vendor counts in another unit.
    AddSeries(key, meter, all, !multiple);
  }

  bool IsQuantity(const ModelKey& key, const std::string& meter, const std::vector<Seen>& all,
                  int128 our_count, int128 their_count) {
    Fault fault;
    fault.kind = FaultKind::kQuantity;
    fault.stated = true;
    bool differs = false;
    for (const Seen& seen : all) {
      Money book;
      for (const auto& [price, count] : seen.counts) book = Added(book, Cost(count, price));
      const Whole rounding = RoundingFor(key, seen);
      const Whole at_theirs = Whole(book.units()) * *seen.their_count;
      if (SizeOf(at_theirs - Whole(seen.cost.units()) * seen.our_count) >
          rounding * seen.our_count) {
        return false;
      }
      const Money difference = Difference(seen.cost, book);
      differs = differs || Whole(SizeOf(difference)) > rounding;
      fault.ours = Added(fault.ours, book);
      fault.theirs = Added(fault.theirs, seen.cost);
    }
    if (!differs) return false;
    fault.our_count = our_count;
    fault.their_count = their_count;
    fault.days = std::ssize(all);
    fault.call = sides_.last[{key, all.back().counts.begin()->first}];
    Add(std::move(fault), key, meter, all.front().day, all.back().day);
    return true;
  }

  // ---- prices

  void AddSeries(const ModelKey& key, const std::string& meter, const std::vector<Seen>& all,
                 bool units_agree) {
    std::vector<Seen> kept;
    bool stated = true, single = true;
    for (Seen seen : all) {
      const bool theirs = units_agree && seen.their_count.has_value();
      if (theirs && *seen.their_count != seen.our_count) {
        // Of one price the bill's own quantity tells as much; of several it does not say which.
        if (seen.counts.size() > 1) continue;
        seen.counts.begin()->second = *seen.their_count;
      } else if (!theirs && !seen.whole) {
        continue;
      }
      stated = stated && theirs;
      single = single && seen.counts.size() == 1;
      kept.push_back(std::move(seen));
    }
    std::map<std::vector<BookPrice>, std::vector<const Seen*>> parts;
    std::set<BookPrice> prices;
    for (const Seen& seen : kept) {
      for (const auto& [price, count] : seen.counts) prices.insert(price);
      parts[single ? std::vector{seen.counts.begin()->first} : std::vector<BookPrice>()].push_back(
          &seen);
    }
    for (const auto& [of, days] : parts) {
      Series series{key, meter, stated, of, {}};
      if (!single) series.prices.assign(prices.begin(), prices.end());
      for (const Seen* seen : days) series.rows.push_back(RowOf(key, *seen, series.prices));
      series_.push_back(std::move(series));
    }
  }

  // Where prices are for different numbers of counts, all is multiplied to be for as many.
  Row RowOf(const ModelKey& key, const Seen& seen, const std::vector<BookPrice>& prices) const {
    int64_t per = 1;
    for (const BookPrice& price : prices) per = std::lcm(per, Info(price.meter).per);
    Row row{seen.day,
            {{}, Whole(seen.cost.units()) * per, Whole(RoundingFor(key, seen)) * per},
            seen.cost};
    for (const BookPrice& price : prices) {
      const auto found = seen.counts.find(price);
      const int128 count = found == seen.counts.end() ? 0 : found->second;
      row.cost.counts.push_back(count * (per / Info(price.meter).per));
    }
    return row;
  }

  void FindPrices(const Series& series) {
    const std::vector<Money> book = series.book();
    const auto wrong = [&](const Row& row) { return !Reproduces(row.cost, book); };
    const auto first = std::ranges::find_if(series.rows, wrong);
    const auto last = std::find_if(series.rows.rbegin(), series.rows.rend(), wrong).base();
    if (std::ranges::count_if(series.rows, wrong) < kFaultDaysMin) return;
    std::vector<CostRow> run;
    for (auto row = first; row != last; ++row) run.push_back(row->cost);
    // Prices that these days don't use would leave the others undetermined.
    std::vector<size_t> used;
    for (size_t k = 0; k < book.size(); ++k) {
      if (std::ranges::any_of(run, [k](const CostRow& row) { return row.counts[k] != 0; })) {
        used.push_back(k);
      }
    }
    Solution solution;
    if (used.size() <= kPricesMax) {
      std::vector<Money> known;
      for (const size_t k : used) known.push_back(book[k]);
      std::vector<CostRow> rows;
      for (const CostRow& row : run) {
        CostRow& part = rows.emplace_back(CostRow{{}, row.cost, row.rounding});
        for (const size_t k : used) part.counts.push_back(row.counts[k]);
      }
      solution = Solve(rows, known);
    }
    if (!solution.determined) {
      AddUndetermined(series, first, last);
      return;
    }
    if (solution.prices.empty()) return;
    std::vector<Money> prices = book;
    for (size_t i = 0; i < used.size(); ++i) prices[used[i]] = solution.prices[i];
    for (const size_t k : used) {
      if (prices[k] != book[k]) AddPrice(series, first, last, prices, k);
    }
  }

  using RowAt = std::vector<Row>::const_iterator;

  // The days on which these prices hold: outside of the run either as well as the book's, or not.
  static void Stretch(const Series& series, const std::vector<Money>& prices, size_t k,
                      RowAt* first, RowAt* last, Fault* fault) {
    const auto holds = [&](const Row& row) {
      return row.cost.counts[k] == 0 || Reproduces(row.cost, prices);
    };
    fault->begins = !std::all_of(series.rows.begin(), *first, holds);
    fault->ends = !std::all_of(*last, series.rows.end(), holds);
    if (!fault->begins) *first = series.rows.begin();
    if (!fault->ends) *last = series.rows.end();
  }

  void AddPrice(const Series& series, RowAt first, RowAt last, const std::vector<Money>& prices,
                size_t k) {
    Fault fault;
    fault.kind = FaultKind::kPrice;
    fault.stated = series.stated;
    fault.book = series.prices[k];
    fault.price = prices[k];
    Stretch(series, prices, k, &first, &last, &fault);
    int128 count = 0;
    const int64_t per = Info(fault.book.meter).per;
    std::optional<RowAt> from, to;
    for (auto row = first; row != last; ++row) {
      if (row->cost.counts[k] == 0) continue;
      if (!from) from = row;
      to = row;
      ++fault.days;
      count += row->cost.counts[k];
      fault.theirs = Added(fault.theirs, row->billed);
    }
    int64_t all = 1;
    for (const BookPrice& price : series.prices) all = std::lcm(all, Info(price.meter).per);
    count = count * per / all;
    fault.ours = Cost(count, fault.book);
    // A sum of several meters does not say what this one costs.
    if (series.prices.size() > 1) fault.theirs = Cost(count, {fault.book.meter, fault.price});
    fault.call = sides_.last[{series.key, fault.book}];
    Add(std::move(fault), series.key, std::string(Info(series.prices[k].meter).name), (*from)->day,
        (*to)->day);
  }

  void AddUndetermined(const Series& series, RowAt first, RowAt last) {
    Fault fault;
    fault.kind = FaultKind::kUndetermined;
    fault.stated = series.stated;
    fault.days = last - first;
    std::vector<CostRow> rows;
    const std::vector<Money> book = series.book();
    for (auto row = first; row != last; ++row) {
      rows.push_back(row->cost);
      fault.theirs = Added(fault.theirs, row->billed);
      fault.ours = Added(fault.ours, BookCost(series, *row));
    }
    // What prices can't explain at all is no fault of theirs: use beside the gateway, or another
    // thing on the bill.
    const std::optional<RatioSpan> span = FactorOfAll(rows, book);
    if (span) fault.factor = FactorIn(*span, fault).value_or(Money());
    if (fault.factor.is_zero() && !MayExplain(rows)) return;
    Add(std::move(fault), series.key, series.meter, first->day, std::prev(last)->day);
  }

  // The factors on all prices that make the costs of all these days; nothing: none does.
  static std::optional<RatioSpan> FactorOfAll(const std::vector<CostRow>& rows,
                                              const std::vector<Money>& book) {
    RatioSpan span{{0}, {kDecimalMaxUnits}};
    for (const CostRow& row : rows) {
      const std::optional<RatioSpan> factor = FactorOf(row, book);
      if (factor) {
        span = span.And(*factor);
      } else if (!Reproduces(row, book)) {
        return std::nullopt;  // what is free stays so at any factor
      }
    }
    return span.empty() ? std::nullopt : std::optional(span);
  }

  static Money BookCost(const Series& series, const Row& row) {
    int64_t all = 1;
    for (const BookPrice& price : series.prices) all = std::lcm(all, Info(price.meter).per);
    Money cost;
    for (size_t k = 0; k < series.prices.size(); ++k) {
      const BookPrice& price = series.prices[k];
      cost = Added(cost, Cost(row.cost.counts[k] * Info(price.meter).per / all, price));
    }
    return cost;
  }

  // ---- all prices of a vendor

  static std::optional<Money> FactorIn(const RatioSpan& span, const Fault& fault) {
    if (span.empty() || fault.ours.units() <= 0) return std::nullopt;
    const Whole one = Money::Parse("1")->units();
    return SimplestIn(span, {Whole(fault.theirs.units()) * one, fault.ours.units()});
  }

  void FindDiscounts() {
    std::map<std::pair<std::string, std::string>, std::vector<const Series*>> by_vendor;
    for (const Series& series : series_) {
      by_vendor[{series.key.vendor, series.key.currency}].push_back(&series);
    }
    for (const auto& [whose, all] : by_vendor) FindDiscount(all);
  }

  void FindDiscount(const std::vector<const Series*>& all) {
    std::set<std::string> models;
    std::set<Instant> wrong;
    for (const Series* series : all) {
      for (const Row& row : series->rows) {
        if (Reproduces(row.cost, series->book())) continue;
        models.insert(series->key.model);
        wrong.insert(row.day);
      }
    }
    if (models.size() < 2 || std::ssize(wrong) < kFaultDaysMin) return;
    Fault fault;
    fault.kind = FaultKind::kDiscount;
    RatioSpan span{{0}, {kDecimalMaxUnits}};
    std::set<Instant> days;
    fault.stated = true;
    for (const Series* series : all) {
      for (const Row& row : series->rows) {
        if (row.day < *wrong.begin() || row.day > *wrong.rbegin()) continue;
        const std::optional<RatioSpan> factor = FactorOf(row.cost, series->book());
        if (!factor) {
          // What is free stays so at any factor.
          if (!Reproduces(row.cost, series->book())) return;
          continue;
        }
        span = span.And(*factor);
        days.insert(row.day);
        fault.ours = Added(fault.ours, BookCost(*series, row));
        fault.theirs = Added(fault.theirs, row.billed);
      }
      fault.stated = fault.stated && series->stated;
      for (const BookPrice& price : series->prices) {
        fault.all.push_back({price, series->key.model, sides_.last[{series->key, price}]});
      }
    }
    const std::optional<Money> factor = FactorIn(span, fault);
    if (!factor) return;
    fault.factor = *factor;
    fault.days = std::ssize(days);
    fault.begins = IsRightOutside(all, *wrong.begin(), span, true);
    fault.ends = IsRightOutside(all, *wrong.rbegin(), span, false);
    const ModelKey& key = all.front()->key;
    std::erase_if(faults_, [&](const Fault& each) {
      return each.kind != FaultKind::kQuantity && each.vendor == key.vendor &&
             each.currency == key.currency;
    });
    Add(std::move(fault), {key.vendor, "", key.currency}, "", *days.begin(), *days.rbegin());
  }

  // Whether a day before or after tells that the factor does not hold there.
  static bool IsRightOutside(const std::vector<const Series*>& all, Instant edge,
                             const RatioSpan& span, bool before) {
    return std::ranges::any_of(all, [&](const Series* series) {
      return std::ranges::any_of(series->rows, [&](const Row& row) {
        if (before ? row.day >= edge : row.day <= edge) return false;
        const std::optional<RatioSpan> factor = FactorOf(row.cost, series->book());
        return factor && factor->And(span).empty();
      });
    });
  }

  void Add(Fault fault, const ModelKey& key, const std::string& meter, Instant first,
           Instant last) {
    fault.vendor = key.vendor;
    fault.model = key.model;
    fault.currency = key.currency;
    fault.meter = meter;
    fault.first = first;
    fault.last = last;
    faults_.push_back(std::move(fault));
  }

  BothSides sides_;
  const bool by_book_;
  const Roundings roundings_;
  std::vector<Series> series_;
  std::vector<Fault> faults_;
};

}  // namespace

std::string_view FaultName(FaultKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::vector<Fault> FindFaults(std::span<const CallFact> calls, const Bill& bill,
                              std::span<const Group> groups) {
  return Finder(calls, bill, groups).Run();
}

}  // namespace flyball::reconcile
