#include "gateway/model_list.h"

#include <gtest/gtest.h>

#include "gateway/test_governor.h"

namespace flyball::gateway {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kPrice = R"({"per_unit":{"input":"0.001","output":"0.002"}})";

std::string Priced(const std::string& name) {
  return rates::ModelOf(name, std::string(kPrice)) + ",";
}

class ModelList : public testing::Test {
 protected:
  static estate::Upstream Upstream(Names models, std::string provider = "") {
    estate::Upstream upstream;
    upstream.models = std::move(models);
    upstream.provider = std::move(provider);
    return upstream;
  }
  Names List(const std::vector<estate::Upstream>& upstreams) {
    return ListModels(ServedModels(upstreams, book_, rates::On("2026-11-25")), key_);
  }

  rates::PriceBook book_ =
      rates::BookOf(Priced("gpt-b") + Priced("gpt-a") + Priced("gpt-5") + Priced("o3") +
                    rates::ModelOf("gpt-old", R"({"to":"2026-01-01","per_unit":{"input":"1"}})"));
  VirtualKey key_;
};

TEST_F(ModelList, HasTheNamesThatUpstreamsListAndWhatIsPricedUnderTheirPatterns) {
  EXPECT_EQ(List({Upstream({"gpt-5", "own"}), Upstream({"gpt-*", "gpt-5"})}),
            (Names{"gpt-5", "own", "gpt-a", "gpt-b"}));
  EXPECT_EQ(List({Upstream({"*"}, "acme")}), Names()) << "nothing of that provider is priced";
}

TEST_F(ModelList, HasWhatTheKeyMayUse) {
  key_.models = {"gpt-a", "o*"};
  EXPECT_EQ(List({Upstream({"gpt-5", "*"})}), (Names{"gpt-a", "o3"}));
}

TEST_F(ModelList, HasALimit) {
  std::string models;
  for (size_t i = 0; i <= kListedModelsMax; ++i) models += Priced("m" + std::to_string(i));
  models.pop_back();
  book_ = rates::BookOf(models);
  EXPECT_EQ(List({Upstream({"*"})}).size(), kListedModelsMax);
}

TEST_F(GovernorTest, ModelsAreThoseOfTheKey) {
  const std::vector<HeaderView> headers = {{"x-api-key", key_.secret}};
  const auto call = Gateway().Begin(RequestView{"GET", "/v1/models", headers, {}, "127.0.0.1"});
  const std::variant<Attempt, Reply> next = call->Next(Outcome::kNone);
  ASSERT_TRUE(std::holds_alternative<Reply>(next));
  EXPECT_NE(std::get<Reply>(next).body.find(R"("id":"m")"), std::string::npos)
      << std::get<Reply>(next).body;
}

}  // namespace
}  // namespace flyball::gateway
