// Span: what is read of an OTLP span.
#pragma once

#include <string>

#include "base/time.h"
#include "ingest/otlp/fields.h"

namespace flyball::otlp {

struct Span {
  std::string trace_id, span_id, parent_id;  // bytes: 16, 8, 8 or none, when they are right
  Instant end;                               // 0: not stated
  bool failed = false;                       // its status is an error
  Fields fields;                             // of the span and, below them, of its resource
};

}  // namespace flyball::otlp
