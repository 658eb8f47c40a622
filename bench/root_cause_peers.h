// Root cause localisation as others published it, written anew from their papers as named baselines
// of bench/rootcause: RiskLoc (Kalander 2022, arXiv 2205.10004) and Adtributor (Bhagwan et al.,
// NSDI 2014). With their published parameters; nothing of them is tuned to our data.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "watch/leaf_table.h"
#include "watch/test_generate.h"

namespace flyball::bench {

// What a baseline sees. For a measure that adds up, `actual` and `predicted` are the leaves' and
// the explanatory power is (actual - predicted) / total difference. For a ratio they are the
// ratios, and the explanatory power that of the Adtributor paper for derived measures.
struct PeerTable {
  const watch::LeafTable* leaves = nullptr;
  std::vector<double> actual, predicted, power;
  std::vector<uint32_t> rows;  // the leaves that count
};
PeerTable Additive(const watch::LeafTable& leaves);
// `leaves` has the numerators, `below` the denominators and `minutes` how often a leaf was there
// before, of the same leaves in the same order. As in RiskLoc's own runs on RS, only leaves that
// are there now count, and the mean is over the minutes in which they were.
PeerTable Ratio(const watch::LeafTable& leaves, const watch::LeafTable& below,
                const watch::LeafTable& minutes);

std::set<watch::generate::Elements> RiskLoc(const PeerTable& table);
// Of measures that add up; up to three dimensions, as published.
std::set<watch::generate::Elements> Adtributor(const PeerTable& table);

}  // namespace flyball::bench
