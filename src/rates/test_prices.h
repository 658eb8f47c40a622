// Price books for tests, in our own format.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rates/price_book.h"
#include "rates/price_file.h"

namespace flyball::rates {

inline Instant On(std::string_view date) { return ParseUserInstant(date).value(); }

// `models` is the content of the list of models; "head" may add fields of the file.
inline Layer LayerOf(const std::string& models, const std::string& head = "") {
  const std::string text = R"({"flyball_prices":1,)" + head +
                           R"("sources":[{"name":"test","checked":"2026-07-24"}],"models":[)" +
                           models + "]}";
  Result<PriceFile> file = ReadPriceFile(text, {});
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().ToString());
  return file ? file->layer : Layer{};
}

inline std::string ModelOf(const std::string& name, const std::string& prices) {
  return R"({"provider":"test","model":")" + name + R"(","source":"test","prices":[)" + prices +
         "]}";
}

inline PriceBook BookOf(std::vector<Layer> layers) {
  Result<PriceBook> book = PriceBook::Build(std::move(layers));
  EXPECT_TRUE(book.has_value()) << (book ? "" : book.error().ToString());
  return book ? *std::move(book) : PriceBook();
}

inline PriceBook BookOf(const std::string& models) {
  std::vector<Layer> layers;
  layers.push_back(LayerOf(models));
  return BookOf(std::move(layers));
}

inline Usage UsageOf(std::initializer_list<std::pair<Bucket, int64_t>> counts) {
  Usage usage;
  for (const auto& [bucket, count] : counts) EXPECT_TRUE(usage.Add(bucket, count));
  return usage;
}

}  // namespace flyball::rates
