// Packing: which small folders of slices a compaction joins, and the writing of a pack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ledger {

// How much larger than a small folder a pack may become.
inline constexpr uint64_t kPackOfSmall = 8;

// Folders with live slices and less than small_bytes in their parts, in the groups that make one
// pack each: of one source, by period, two or more, no two slices of one period, at most
// kPackOfSmall times small_bytes. All slices of a folder are wanted: it goes as a whole.
std::vector<std::vector<Folder>> FoldersToJoin(const History& history, uint64_t small_bytes);

// The rows of the slices of a folder that are wanted, as a statement.
std::string SelectRows(const Layout& layout, const Folder& folder);

// Writes the rows of the folders into `dir`, by period and then in their old order, with what is
// derived from them; gives the pack but for its id. Rows are streamed. DATA_LOSS when a part is not
// what the log says, or a slice would not have the rows and the BilledCost that its commit states.
Result<Pack> WritePack(engine::Connection& connection, os::Files& files, const Layout& layout,
                       const std::vector<Folder>& folders, const std::string& dir);

}  // namespace flyball::ledger
