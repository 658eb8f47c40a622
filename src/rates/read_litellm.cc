// The LiteLLM map and the genai-prices document: not read yet.
#include "rates/price_readers.h"

namespace flyball::rates {

Result<PriceFile> ReadLiteLlm(const JsonNode&, const PriceFileOptions&) {
  return Fail(Code::kUnimplemented, "the LiteLLM map can't be read yet");
}

Result<PriceFile> ReadGenaiPrices(const JsonNode&, const PriceFileOptions&) {
  return Fail(Code::kUnimplemented, "the genai-prices document can't be read yet");
}

}  // namespace flyball::rates
