// JsonPick: the raw text of a few members of a JSON document that comes in pieces, in one pass and
// without holding the document.
//
// A gateway needs two or three members (usage, model, id) of answers that may be megabytes long.
// The document is not validated: it goes to the client as it came, and what is picked is parsed by
// whoever reads it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::gateway {

// "usage", or "response.usage" for a member of a member. At most two levels.
class JsonPick {
 public:
  // `paths` must outlive it.
  explicit JsonPick(std::span<const std::string_view> paths);
  void Put(std::string_view piece);
  // The raw value, "" when it has not come (whole). Of a member that is there twice the last.
  std::string_view Value(size_t path) const { return values_[path]; }
  // All brackets that were opened are closed again.
  bool done() const { return done_; }
  void Reset();

 private:
  static constexpr size_t kPathsMax = 6;
  static constexpr size_t kNameMaxBytes = 64;          // a longer name is none of ours
  static constexpr size_t kValueMaxBytes = 64u << 10;  // a longer value is dropped

  void PutByte(char c);
  void InString(char c);
  void StringEnds();
  void ValueBegins(char c);
  void ValueEnds();

  std::span<const std::string_view> paths_;
  std::array<std::string, kPathsMax> values_;
  std::string capture_;  // of the value being picked
  std::string name_;     // of the member whose value comes
  std::string parent_;   // of the member at depth one that we are in
  int capturing_ = -1;   // index of the path
  int capture_depth_ = 0;
  int depth_ = 0;
  uint64_t arrays_ = 0;  // bit d: the bracket at depth d is an array
  bool in_string_ = false;
  bool escaped_ = false;
  bool is_name_ = false;     // the string being read is a name
  bool wants_name_ = false;  // the next string is a name
  bool wants_value_ = false;
  bool done_ = false;
  bool overflow_ = false;
};

// The value of a raw JSON string without its quotes and escapes; "" when it is none.
std::string UnquoteJson(std::string_view raw);

}  // namespace flyball::gateway
