#include "app/price_sources.h"

#include <fmt/format.h>

#include "base/text.h"

namespace flyball::app {

Result<rates::PriceFile> ReadPrices(const Environment& environment, const std::string& path) {
  const uint64_t size = FB_TRY(environment.files.Size(path));
  if (size > rates::kPriceFileBytesMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' has {}, and a price file at most {}", path, FormatBytes(size),
                            FormatBytes(rates::kPriceFileBytesMax)));
  }
  const std::string text = FB_TRY(environment.files.ReadAll(path));
  Result<rates::PriceFile> file = rates::ReadPriceFile(text, {environment.clock.Now()});
  if (!file) {
    file.error().place.file = path;
    return Fail(std::move(file).error());
  }
  return file;
}

Result<rates::PriceBook> OpenPrices(const Environment& environment, const std::string& file) {
  std::vector<rates::Layer> layers;
  if (!file.empty()) layers.push_back(FB_TRY(ReadPrices(environment, file)).layer);
  if (layers.empty() || layers.front().contract) layers.push_back(rates::BuiltinPrices().layer);
  return rates::PriceBook::Build(std::move(layers));
}

}  // namespace flyball::app
