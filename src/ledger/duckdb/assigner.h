// Fills a table of assigned dimensions: signatures are read page by page, and the rules are run
// over each page on all of the database's threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "estate/estate.h"

namespace flyball::ledger {

class Assigner {
 public:
  // Registers its row source in the connection's database; one Assigner a database.
  static Result<std::unique_ptr<Assigner>> Make(engine::Connection& connection, int threads);
  ~Assigner();

  // Inserts into `table` the dimensions of every signature with n > after_n, as the connection's
  // transaction sees them. One call at a time; others wait.
  Status Fill(engine::Connection& connection, const std::string& table, int64_t after_n,
              const estate::RuleSet& rules);

 private:
  class Source;
  explicit Assigner(std::shared_ptr<Source> source);
  std::mutex mutex_;
  std::shared_ptr<Source> source_;
};

}  // namespace flyball::ledger
