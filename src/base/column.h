// The column types that charges are made of, shared by the FOCUS table (model), the store and its
// engine.
#pragma once

#include <cstdint>
#include <string>

namespace flyball {

enum class ColumnType : uint8_t {
  kText,      // UTF-8                 VARCHAR
  kMoney,     // Money                 DECIMAL(38,12)
  kQuantity,  // Quantity              DECIMAL(38,15)
  kInstant,   // Instant, UTC          TIMESTAMP
  kJson,      // JSON text             VARCHAR
  kInt64,     //                       BIGINT
  kUint64,    //                       UBIGINT
};

struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::kText;
};

}  // namespace flyball
