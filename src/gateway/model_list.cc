#include "gateway/model_list.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/text.h"

namespace flyball::gateway {
namespace {

bool IsPattern(std::string_view model) { return model.find_first_of("*?") != std::string::npos; }

bool IsUnderPattern(const estate::Upstream& upstream, std::string_view name) {
  return std::any_of(upstream.models.begin(), upstream.models.end(), [&](const std::string& glob) {
    return IsPattern(glob) && GlobMatch(glob, name);
  });
}

// By its own name, else by those of its other names that fit.
void AddNames(const estate::Upstream& upstream, const rates::ModelPrices& model,
              const rates::PriceBook& book, Instant now, std::set<std::string>* names) {
  const auto add = [&](const std::string& name) {
    if (!IsUnderPattern(upstream, name)) return false;
    if (!book.Find({upstream.provider, name, now, upstream.region})) return false;
    names->insert(name);
    return true;
  };
  if (add(model.model)) return;
  for (const std::string& alias : model.aliases) add(alias);
}

std::set<std::string> PricedNames(const std::vector<estate::Upstream>& upstreams,
                                  const rates::PriceBook& book, Instant now) {
  std::set<std::string> names;
  for (const estate::Upstream& upstream : upstreams) {
    if (std::ranges::none_of(upstream.models, IsPattern)) continue;
    const std::string provider = rates::CanonicalProvider(upstream.provider);
    for (const rates::Layer& layer : book.layers()) {
      for (const rates::ModelPrices& model : layer.models) {
        if (!provider.empty() && provider != rates::CanonicalProvider(model.provider)) continue;
        AddNames(upstream, model, book, now, &names);
      }
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> ServedModels(const std::vector<estate::Upstream>& upstreams,
                                      const rates::PriceBook& book, Instant now) {
  std::vector<std::string> models;
  std::set<std::string, std::less<>> listed;
  const auto add = [&](const std::string& model) {
    if (listed.insert(model).second) models.push_back(model);
  };
  for (const estate::Upstream& upstream : upstreams) {
    for (const std::string& model : upstream.models) {
      if (!IsPattern(model)) add(model);
    }
  }
  for (const std::string& model : PricedNames(upstreams, book, now)) add(model);
  return models;
}

std::vector<std::string> ListModels(const std::vector<std::string>& served, const VirtualKey& key) {
  std::vector<std::string> models;
  for (const std::string& model : served) {
    if (models.size() == kListedModelsMax) break;
    if (key.MayUse(model)) models.push_back(model);
  }
  return models;
}

}  // namespace flyball::gateway
