// Strong ids: numbers that name things and cannot be mistaken for each other.
//
//   struct SliceTag;
//   using SliceId = StrongId<SliceTag>;
//
// An id has an order and a hash, but no arithmetic. Where it comes from and how long it lives
// stands where it is named.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace flyball {

template <typename Tag, typename Rep = uint64_t>
class StrongId {
 public:
  using rep = Rep;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Rep value_{};
};

}  // namespace flyball

template <typename Tag, typename Rep>
struct std::hash<flyball::StrongId<Tag, Rep>> {
  size_t operator()(flyball::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};
