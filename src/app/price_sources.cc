#include "app/price_sources.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "rates/price_store.h"

namespace flyball::app {

Result<std::string> ReadWholeFile(const Environment& environment, const std::string& path,
                                  std::string_view what, size_t bytes_max) {
  const uint64_t size = FB_TRY(environment.files.Size(path));
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no file {}", path, what));
  }
  if (size > bytes_max) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' has {}, and a file {} at most {}", path, FormatBytes(size), what,
                            FormatBytes(bytes_max)));
  }
  return environment.files.ReadAll(path);
}

Result<std::string> ReadPriceBytes(const Environment& environment, const std::string& path) {
  return ReadWholeFile(environment, path, "of prices", rates::kPriceFileBytesMax);
}

Result<rates::PriceFile> ReadPrices(const Environment& environment, const std::string& path) {
  const std::string text = FB_TRY(ReadPriceBytes(environment, path));
  Result<rates::PriceFile> file = rates::ReadPriceFile(text, {environment.clock.Now()});
  if (!file) file.error().place.file = path;
  return file;
}

Result<rates::PriceBook> OpenPrices(const Environment& environment, const std::string& file) {
  std::vector<rates::Layer> layers;
  if (!file.empty()) layers.push_back(FB_TRY(ReadPrices(environment, file)).layer);
  if (layers.empty() || layers.front().contract) {
    rates::PriceStore store(environment.files, environment.home);
    for (rates::Layer& layer : FB_TRY(store.Layers())) layers.push_back(std::move(layer));
  }
  return rates::PriceBook::Build(std::move(layers));
}

}  // namespace flyball::app
