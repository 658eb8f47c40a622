// Price files: what can be read into a layer of a price book, and the report of what could not.
//
// Three formats, told apart by their content: the LiteLLM map (an object of models), the
// genai-prices document (an array of providers), and our own (an object with "flyball_prices").
// docs/PRICES.md describes them. Nothing is dropped silently: what a file says about prices and is
// not used is counted by reason, with examples. Numbers are read as decimals and rounded to 1e-12;
// what was rounded is counted, apart from the noise that floating point leaves in the 16th digit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rates/price_book.h"

namespace flyball::rates {

enum class PriceFormat : uint8_t { kLiteLlm, kGenaiPrices, kFlyball };
std::string_view FormatName(PriceFormat format);  // "litellm", "genai-prices", "flyball"

inline constexpr size_t kPriceFileBytesMax = size_t{64} << 20;
inline constexpr size_t kPriceModelsMax = 100'000;
inline constexpr size_t kPriceNameBytesMax = 256;
inline constexpr size_t kPriceExamplesMax = 3;

// One reason for which something was not used, or was changed.
struct PriceNote {
  std::string reason;
  int64_t count = 0;
  std::vector<std::string> examples;  // the first of them: "model: field"
};

struct PriceReport {
  PriceFormat format = PriceFormat::kFlyball;
  int64_t models_in = 0;        // entries of the file
  int64_t models_priced = 0;    // those that the layer has prices for
  int64_t models_free = 0;      // of these, all whose prices are zero, as the file states
  int64_t models_unpriced = 0;  // entries that state no price
  int64_t prices = 0;
  int64_t noise_rounded = 0;   // prices that only float noise was rounded from
  int64_t digits_rounded = 0;  // prices that had real digits beyond the twelfth
  std::vector<PriceNote> unused;
  void Note(std::string_view reason, std::string example);
};

struct PriceFile {
  Layer layer;
  PriceReport report;
};

struct PriceFileOptions {
  Instant imported;  // taken for the day of the check where the file does not say it
};

// INVALID_ARGUMENT with the place: no JSON, none of the formats, beyond a limit, or (our own
// format, which is written by hand) anything that is not understood.
Result<PriceFile> ReadPriceFile(std::string_view text, const PriceFileOptions& options);

// The list that comes with the program (builtin.json).
const PriceFile& BuiltinPrices();

}  // namespace flyball::rates
