#include "guard/records.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "guard/codec.h"

namespace flyball::guard {
namespace {

constexpr uint64_t kListMax = 1u << 20;  // of one record; a larger count is damage
constexpr size_t kTextMaxBytes = 4096;

// Fields(io, record) names the fields of a record once, for both directions.
struct In {
  Reader reader;
  template <typename T>
    requires std::is_unsigned_v<T>
  void Number(T& value) {
    value = static_cast<T>(reader.NumberUpTo(std::numeric_limits<T>::max()));
  }
  void Signed(int64_t& value) { value = reader.Signed(); }
  void Int(int& value) {
    int64_t wide = reader.Signed();
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
      reader.Fail();
      wide = 0;
    }
    value = static_cast<int>(wide);
  }
  void Value(Amount& value) { value = reader.Amount(); }
  void Flag(bool& value) { value = reader.NumberUpTo(1) != 0; }
  template <typename E>
  void Choice(E& value, uint64_t max) {
    value = static_cast<E>(reader.NumberUpTo(max));
  }
  void Text(std::string& value) { value = reader.Text(kTextMaxBytes); }
  template <typename T, typename Each>
  void List(std::vector<T>& list, Each each) {
    uint64_t count = reader.NumberUpTo(kListMax);
    for (uint64_t i = 0; i < count && reader.ok(); ++i) {
      T item{};
      each(item);
      list.push_back(std::move(item));
    }
  }
};

struct Out {
  std::string* out;
  template <typename T>
    requires std::is_unsigned_v<T>
  void Number(T& value) {
    PutNumber(value, out);
  }
  void Signed(int64_t& value) { PutSigned(value, out); }
  void Int(int& value) { PutSigned(value, out); }
  void Value(Amount& value) { PutAmount(value, out); }
  void Flag(bool& value) { PutNumber(value ? 1 : 0, out); }
  template <typename E>
  void Choice(E& value, uint64_t) {
    PutNumber(static_cast<uint64_t>(value), out);
  }
  void Text(std::string& value) { PutText(value, out); }
  template <typename T, typename Each>
  void List(std::vector<T>& list, Each each) {
    PutNumber(list.size(), out);
    for (T& item : list) each(item);
  }
};

template <typename Io>
void Fields(Io& io, Period& p) {
  io.Signed(p.start.us);
  // The length is short where the end is not. Both are of ClampTime's range, but bytes may say
  // anything.
  int64_t length =
      static_cast<int64_t>(static_cast<uint64_t>(p.end.us) - static_cast<uint64_t>(p.start.us));
  io.Signed(length);
  if constexpr (std::is_same_v<Io, In>) {
    p.end.us =
        static_cast<int64_t>(static_cast<uint64_t>(p.start.us) + static_cast<uint64_t>(length));
  }
}
template <typename Io>
void Fields(Io& io, CellName& r) {
  io.Number(r.account);
  io.Number(r.generation);
  Fields(io, r.period);
}
template <typename Io>
void Fields(Io& io, budget::Budget& b) {
  io.Text(b.name);
  io.Choice(b.scope.kind, budget::kScopeKindCount - 1);
  io.Text(b.scope.value);
  io.Choice(b.measure, 1);
  io.Text(b.currency);
  io.Value(b.limit);
  io.Choice(b.window.unit, 6);
  io.Flag(b.window.rolling);
  io.Int(b.window.count);
  io.Text(b.window.zone);
  io.List(b.warn_percent, [&io](int& percent) { io.Int(percent); });
  io.Flag(b.hard);
  io.Choice(b.mode, 1);
  io.Int(b.quantile_overrun_percent);
  io.Flag(b.frozen);
}
template <typename Io>
void Fields(Io& io, BudgetRecord& r) {
  io.Number(r.account);
  io.Number(r.template_of);
  io.Number(r.generation);
  io.Flag(r.removed);
  Fields(io, r.budget);
  io.Signed(r.floor.us);
  io.Number(r.faults);
  io.Value(r.unguarded_peak);
  io.List(r.merged, [&io](BudgetRecord::Merged& m) {
    io.Number(m.generation);
    io.Signed(m.start.us);
  });
  Fields(io, r.merged_into);
}
template <typename Io>
void Fields(Io& io, GatewayOnlyRecord& r) {
  io.Number(r.account);
}
template <typename Io>
void Fields(Io& io, LeaseRecord& r) {
  io.List(r.leases, [&io](LeaseRecord::Lease& lease) {
    Fields(io, lease.cell);
    io.Value(lease.amount);
  });
}
template <typename Io>
void Fields(Io& io, hold::CallId& id) {
  uint64_t value = id.value();
  io.Number(value);
  if constexpr (std::is_same_v<Io, In>) id = hold::CallId(value);
}
template <typename Io>
void Fields(Io& io, ExcessRecord& r) {
  Fields(io, r.call);
  io.List(r.legs, [&io](ExcessRecord::Leg& leg) {
    Fields(io, leg.cell);
    io.Value(leg.excess);
    io.Flag(leg.freezes);
  });
}
template <typename Io>
void Fields(Io& io, LostRecord& r) {
  Fields(io, r.cell);
  io.Value(r.lost);
  io.Value(r.settled);
}
template <typename Io>
void Fields(Io& io, DispatchRecord& r) {
  Fields(io, r.call);
  io.Flag(r.unknown);
  io.Flag(r.suspect);
  io.List(r.legs, [&io](DispatchRecord::Leg& leg) {
    Fields(io, leg.cell);
    io.Value(leg.held);
    io.Value(leg.bound);
    io.Signed(leg.rate);
  });
}
template <typename Io>
void Fields(Io& io, std::vector<Amount>& amounts) {
  io.List(amounts, [&io](Amount& amount) { io.Value(amount); });
}
template <typename Io>
void Fields(Io& io, GrowRecord& r) {
  Fields(io, r.call);
  Fields(io, r.held);
  Fields(io, r.bound);
}
template <typename Io>
void Fields(Io& io, SettleRecord& r) {
  Fields(io, r.call);
  Fields(io, r.costs);
}
template <typename Io>
void Fields(Io& io, EndRecord& r) {
  Fields(io, r.call);
  io.Flag(r.released);
}
template <typename Io>
void Fields(Io& io, ExternalRecord& r) {
  io.Number(r.commit);
  io.List(r.legs, [&io](ExternalRecord::Leg& leg) {
    Fields(io, leg.cell);
    io.Value(leg.amount);
  });
}
template <typename Io>
void Fields(Io& io, CellRecord& r) {
  Fields(io, r.name);
  io.Value(r.settled);
  io.Value(r.lost);
  io.Value(r.excess);
  io.Value(r.external);
  io.Value(r.lease);
}
template <typename Io>
void Fields(Io& io, StateRecord& r) {
  io.Number(r.external_commit);
  io.Number(r.faults);
}

// The type of a record is its place in Record, from 1.
template <typename T, size_t I = 0>
consteval uint8_t TypeOf() {
  if constexpr (std::is_same_v<T, std::variant_alternative_t<I, Record>>) {
    return I + 1;
  } else {
    return TypeOf<T, I + 1>();
  }
}

template <typename T>
void WriteAny(const T& record, std::string* batch) {
  if (batch->empty()) batch->push_back(static_cast<char>(kFormatVersion));
  batch->push_back(static_cast<char>(TypeOf<T>()));
  Out io{batch};
  Fields(io, const_cast<T&>(record));  // Out only reads
}

template <size_t I = 0>
bool ReadAny(uint64_t type, In* in, Record* record) {
  if constexpr (I == std::variant_size_v<Record>) {
    return false;
  } else {
    if (type != I + 1) return ReadAny<I + 1>(type, in, record);
    Fields(*in, record->emplace<I>());
    return in->reader.ok();
  }
}

}  // namespace

void Write(const BudgetRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const LeaseRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const ExcessRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const LostRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const DispatchRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const GrowRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const SettleRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const EndRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const ExternalRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const CellRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const StateRecord& record, std::string* batch) { WriteAny(record, batch); }
void Write(const GatewayOnlyRecord& record, std::string* batch) { WriteAny(record, batch); }

Status ForEachRecord(std::string_view batch, const std::function<void(Record&&)>& visit) {
  if (batch.empty() || static_cast<uint8_t>(batch.front()) != kFormatVersion) {
    return Fail(Code::kDataLoss,
                "the guard's records are of a version that this program does not know",
                "use the program that wrote them, or a later one");
  }
  In in{Reader(batch.substr(1))};
  while (!in.reader.done()) {
    Record record;
    const uint64_t type = in.reader.NumberUpTo(0x7f);
    if (in.reader.ok() && type > std::variant_size_v<Record>) {
      return Fail(Code::kDataLoss,
                  "the guard's records hold a kind (" + std::to_string(type) +
                      ") that this program does not know",
                  "use the program that wrote them, or a later one; docs/GUARD.md tells how to go "
                  "back to an older one");
    }
    if (!ReadAny(type, &in, &record)) {
      return Fail(Code::kDataLoss, "the guard's records hold something that is no record",
                  "restore the journal from a copy");
    }
    visit(std::move(record));
  }
  return {};
}

}  // namespace flyball::guard
