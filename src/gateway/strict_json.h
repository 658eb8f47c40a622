// Strict JSON: members of a request as every vendor reads them, or a refusal that names the member.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace simdjson::dom {
class element;
class object;
}  // namespace simdjson::dom

namespace flyball::gateway::strict {

namespace dom = simdjson::dom;

// Of a text that simdjson refused, and why it said so: the byte at which it is no JSON, or the
// member whose number is beyond all limits. Looks for that only in texts of kExplainedBytesMax.
inline constexpr size_t kExplainedBytesMax = size_t{4} << 20;
Error NoJson(std::string_view text, std::string_view reason);

// INVALID_ARGUMENT: "'member' expected".
std::unexpected<Error> Wrong(std::string_view member, std::string_view expected);

bool IsTrue(const dom::element& value);
// "" of what is no text.
std::string_view TextOf(const dom::element& value);
// The same of a member that there need not be.
std::string_view TextOf(const dom::object& members, std::string_view name);
// Null counts as absent.
bool Has(const dom::object& members, std::string_view name);
bool IsOneOf(std::string_view name, std::span<const std::string_view> names);
// A whole number from 1 to `most`.
Result<int64_t> PositiveNumber(std::string_view member, const dom::element& value, int64_t most);

// Vendors differ in which of two members of one name counts.
Status NoNameTwice(const dom::object& members);
// As a server written in Go takes a name: without regard to case, and with the two letters outside
// of ASCII that fold into it.
std::string Folded(std::string_view name);
bool HasOtherCase(std::string_view name);
// Some vendors would read it, and others not.
Status NoneInAnotherCase(const dom::object& members, std::span<const std::string_view> names);

}  // namespace flyball::gateway::strict
