// Readers of single YAML values, shared by the decoders of the estate: each names what it found and
// what it expected.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "estate/yaml.h"

namespace flyball::estate {

// A node with the file that it stands in.
struct At {
  const YamlNode& node;
  const std::string& file;

  Place place() const { return Place{file, node.line, node.column, 0}; }
};

// "found 'x' where a month is expected", with the place.
std::unexpected<Error> Unexpected(At at, std::string_view expected, std::string hint = {});
// "unknown key 'temas' in a team (did you mean 'teams'?)"; the hint lists what is known.
std::unexpected<Error> UnknownName(At at, std::string_view what, std::string_view name,
                                   const std::vector<std::string_view>& known);

// The map's keys are all known.
Status CheckKeys(At map, std::string_view what, const std::vector<std::string_view>& known);
Status ExpectMap(At at, std::string_view what);
Status ExpectList(At at, std::string_view what);
// Text that is not empty; `what` as in "the name of a team".
Result<std::string> ReadText(At at, std::string_view what);
// The text of an optional key of a map; "" when the key is absent.
Result<std::string> ReadTextAt(At map, std::string_view key, std::string_view what);
// One text or a list of texts.
Result<std::vector<std::string>> ReadTexts(At at, std::string_view what);
Result<int64_t> ReadNumber(At at, std::string_view what, int64_t least, int64_t most);
Result<bool> ReadBool(At at, std::string_view what);
// A decimal that is not negative.
Result<std::optional<Money>> ReadMoneyAt(At map, std::string_view key, std::string_view what);
// The address of a service: https, or http on this machine, as over http anybody on the way reads
// along; without a query and a password, as the estate is kept in commits.
Status CheckAddress(At at, const std::string& url);
// The value of a key such as `token_env` names a variable of the environment. An error doesn't say
// the text again, which may be the secret itself.
Status CheckVariable(At at, std::string_view key, std::string_view text);
// Microseconds of "30s", "15m", "2h", "7d"; 0 when the key is absent.
Result<int64_t> ReadDurationAt(At map, std::string_view key, std::string_view what);
inline constexpr int64_t kDurationMaxUs = 400 * kMicrosPerDay;
// The spelling in the closed list that equals the text, blind to case and to '_', '-' and ' '.
std::optional<std::string_view> FindClosed(std::string_view text,
                                           std::span<const std::string_view> allowed);
Result<std::string> ReadClosed(At at, std::string_view what,
                               std::span<const std::string_view> allowed);

}  // namespace flyball::estate
