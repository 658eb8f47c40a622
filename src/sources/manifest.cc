#include "sources/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace flyball::sources {
namespace {

using Json = nlohmann::json;
using estate::ManifestKind;

constexpr std::string_view kPeriodFolder = "BILLING_PERIOD=";

bool AreDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "20261001-20261101": a billing period of CUR, the range of days of Azure.
bool IsDayRange(std::string_view folder) {
  return folder.size() == 17 && folder[8] == '-' && AreDigits(folder.substr(0, 8)) &&
         AreDigits(folder.substr(9));
}

std::string MonthOfDays(std::string_view days) {
  return fmt::format("{}-{}", days.substr(0, 4), days.substr(4, 2));
}

std::string Join(const std::vector<std::string_view>& steps, size_t end) {
  return fmt::format("{}",
                     fmt::join(steps.begin(), steps.begin() + static_cast<ptrdiff_t>(end), "/"));
}

// Where a manifest of the kind stands, by its key; nullopt when it is none.
std::optional<ManifestPlace> PlaceOf(ManifestKind kind, const Object& object) {
  if (!IsUsableKey(object.key)) return std::nullopt;
  const std::vector<std::string_view> steps = SplitText(object.key, '/');
  const std::string_view name = steps.back();
  ManifestPlace place{object, {}, {}};
  if (kind == ManifestKind::kAwsDataExports) {
    if (!name.ends_with("Manifest.json")) return std::nullopt;
    const auto metadata = std::find(steps.begin(), steps.end() - 1, "metadata");
    if (metadata == steps.end() - 1) return std::nullopt;
    place.export_name = Join(steps, static_cast<size_t>(metadata - steps.begin()));
    if ((metadata + 1)->starts_with(kPeriodFolder)) {
      place.period = (metadata + 1)->substr(kPeriodFolder.size());
    }
    return place;
  }
  const bool named =
      kind == ManifestKind::kAwsCur ? name.ends_with("-Manifest.json") : name == "manifest.json";
  const auto range = std::find_if(steps.begin(), steps.end() - 1, IsDayRange);
  if (!named || range == steps.end() - 1) return std::nullopt;
  place.export_name = Join(steps, static_cast<size_t>(range - steps.begin()));
  place.period = *range;
  return place;
}

const char* KindName(ManifestKind kind) {
  switch (kind) {
    case ManifestKind::kAwsCur:
      return "manifest of a Cost and Usage Report";
    case ManifestKind::kAwsDataExports:
      return "manifest of a Data Export";
    default:
      return "manifest of a cost export";
  }
}

std::unexpected<Error> Wrong(const ManifestPlace& place, const std::string& why) {
  return Fail(Code::kInvalidArgument, fmt::format("the manifest {} {}", place.object.key, why),
              "nothing of it was imported; have the vendor deliver it again");
}

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

template <typename T>
std::optional<T> CountOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  return static_cast<T>(found->get<uint64_t>());
}

Status ReadCur(const Json& json, const ManifestPlace& place, const std::string& bucket,
               Delivery* delivery) {
  delivery->execution = TextOf(json, "assemblyId");
  const std::string stated = TextOf(json, "bucket");
  if (!stated.empty() && stated != bucket) {
    return Wrong(place, fmt::format("is of the bucket '{}', not of '{}'", stated, bucket));
  }
  const auto period = json.find("billingPeriod");
  // "20261001T000000.000Z"
  const std::string start =
      period != json.end() && period->is_object() ? TextOf(*period, "start") : "";
  if (start.substr(0, 8) !=
      place.object.key.substr(place.export_name.empty() ? 0 : place.export_name.size() + 1, 8)) {
    return Wrong(place, fmt::format("is of the billing period that begins on '{}'", start));
  }
  const auto keys = json.find("reportKeys");
  if (keys == json.end() || !keys->is_array()) return Wrong(place, "has no list of reportKeys");
  for (const Json& key : *keys) {
    if (!key.is_string()) return Wrong(place, "has a reportKey that is no text");
    delivery->files.push_back({key.get<std::string>(), {}, {}});
  }
  return {};
}

Status ReadDataExport(const Json& json, const ManifestPlace& place, const std::string& bucket,
                      Delivery* delivery) {
  delivery->execution = TextOf(json, "executionId");
  const auto files = json.find("dataFiles");
  if (files == json.end() || !files->is_array()) return Wrong(place, "has no list of dataFiles");
  const std::string root = fmt::format("s3://{}/", bucket);
  for (const Json& file : *files) {
    const std::string uri = file.is_string() ? file.get<std::string>() : "";
    if (!uri.starts_with(root)) {
      return Wrong(
          place, fmt::format("names the file '{}', which is not in the bucket '{}'", uri, bucket));
    }
    // Another period's file would be imported twice.
    if (!place.period.empty() &&
        uri.find(fmt::format("/{}{}/", kPeriodFolder, place.period)) == std::string::npos) {
      return Wrong(place, fmt::format("names the file '{}' of another billing period", uri));
    }
    delivery->files.push_back({uri.substr(root.size()), {}, {}});
  }
  return {};
}

Status ReadAzure(const Json& json, const ManifestPlace& place, Delivery* delivery) {
  const auto run = json.find("runInfo");
  if (run != json.end() && run->is_object()) delivery->execution = TextOf(*run, "runId");
  delivery->bytes = CountOf<uint64_t>(json, "byteCount");
  delivery->rows = CountOf<int64_t>(json, "dataRowCount");
  const auto blobs = json.find("blobs");
  if (blobs == json.end() || !blobs->is_array()) return Wrong(place, "has no list of blobs");
  for (const Json& blob : *blobs) {
    const std::string name = blob.is_object() ? TextOf(blob, "blobName") : "";
    if (name.empty()) return Wrong(place, "has a blob without a name");
    delivery->files.push_back(
        {name, CountOf<uint64_t>(blob, "byteCount"), CountOf<int64_t>(blob, "dataRowCount")});
  }
  if (const auto count = CountOf<uint64_t>(json, "blobCount");
      count && *count != delivery->files.size()) {
    return Wrong(place, fmt::format("says that there are {} blobs and lists {}", *count,
                                    delivery->files.size()));
  }
  return {};
}

// Where files and whole are both counted, they agree; where the whole is not, it is their sum.
Status CheckSums(const ManifestPlace& place, Delivery* delivery) {
  uint64_t bytes = 0;
  int64_t rows = 0;
  bool all_bytes = true;
  bool all_rows = true;
  for (const DeliveredFile& file : delivery->files) {
    all_bytes &= file.bytes.has_value();
    all_rows &= file.rows.has_value();
    bytes += file.bytes.value_or(0);
    rows += file.rows.value_or(0);
  }
  if (all_bytes && delivery->bytes && bytes != *delivery->bytes) {
    return Wrong(place,
                 fmt::format("says {} bytes in all, but {} of its files", *delivery->bytes, bytes));
  }
  if (all_rows && delivery->rows && rows != *delivery->rows) {
    return Wrong(place,
                 fmt::format("says {} rows in all, but {} of its files", *delivery->rows, rows));
  }
  if (all_rows && !delivery->files.empty()) delivery->rows = rows;
  return {};
}

Status CheckNames(const ManifestPlace& place, const Delivery& delivery) {
  std::set<std::string_view> seen;
  for (const DeliveredFile& file : delivery.files) {
    if (!IsUsableKey(file.key)) return Wrong(place, "names a file as no file can be named");
    if (!seen.insert(file.key).second) {
      return Wrong(place, fmt::format("names the file '{}' twice", file.key));
    }
  }
  return {};
}

}  // namespace

ManifestKind DetectManifests(const std::vector<Object>& objects) {
  for (const ManifestKind kind :
       {ManifestKind::kAwsDataExports, ManifestKind::kAwsCur, ManifestKind::kAzureExport}) {
    for (const Object& object : objects) {
      if (PlaceOf(kind, object)) return kind;
    }
  }
  return ManifestKind::kNone;
}

Result<std::vector<ManifestPlace>> NewestManifests(ManifestKind kind,
                                                   const std::vector<Object>& objects) {
  std::map<std::string, ManifestPlace> newest;  // by period as its folder writes it
  std::set<std::string> exports;
  for (const Object& object : objects) {
    std::optional<ManifestPlace> place = PlaceOf(kind, object);
    if (!place) continue;
    exports.insert(place->export_name);
    auto [found, fresh] = newest.try_emplace(place->period, *place);
    const Object& before = found->second.object;
    // Of one instant, the one nearer to the period's folder: the others are copies of it.
    const bool later = object.modified != before.modified ? object.modified > before.modified
                                                          : object.key.size() < before.key.size();
    if (!fresh && later) found->second = *std::move(place);
  }
  if (exports.size() > 1) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("the source covers several exports, such as '{}' and '{}'",
                            *exports.begin(), *std::next(exports.begin())),
                "make a source of each: imports of one would replace those of the other");
  }
  std::vector<ManifestPlace> places;
  std::set<std::string> months;
  for (auto& [folder, place] : newest) {
    if (IsDayRange(folder)) place.period = MonthOfDays(folder);
    if (!months.insert(place.period).second) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("the export '{}' has several deliveries that begin in {}",
                              place.export_name, place.period),
                  "let it deliver the month to date: a delivery replaces its whole month");
    }
    places.push_back(std::move(place));
  }
  return places;
}

Result<Delivery> ReadManifest(ManifestKind kind, const ManifestPlace& place,
                              const std::string& bucket, std::string_view text) {
  text = SkipByteOrderMark(text);
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Wrong(place, fmt::format("is no {}: it is no JSON object", KindName(kind)));
  }
  Delivery delivery;
  delivery.manifest = place.object.key;
  delivery.period = place.period;
  switch (kind) {
    case ManifestKind::kAwsCur:
      FB_CHECK(ReadCur(json, place, bucket, &delivery));
      break;
    case ManifestKind::kAwsDataExports:
      FB_CHECK(ReadDataExport(json, place, bucket, &delivery));
      break;
    default:
      FB_CHECK(ReadAzure(json, place, &delivery));
  }
  FB_CHECK(CheckNames(place, delivery));
  FB_CHECK(CheckSums(place, &delivery));
  return delivery;
}

Result<std::vector<Object>> ObjectsOf(const Delivery& delivery,
                                      const std::map<std::string, Object>& objects) {
  std::vector<Object> found;
  for (const DeliveredFile& file : delivery.files) {
    const auto object = objects.find(file.key);
    if (object == objects.end()) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("the manifest {} names '{}', which is not there", delivery.manifest,
                              file.key),
                  "nothing of it was imported; wait until the delivery is whole, or have it made "
                  "again");
    }
    if (file.bytes && *file.bytes != object->second.bytes) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("the manifest {} says that '{}' has {} bytes, but it has {}",
                              delivery.manifest, file.key, *file.bytes, object->second.bytes),
                  "nothing of it was imported; wait until the delivery is whole, or have it made "
                  "again");
    }
    if (file.rows == 0) continue;  // a header alone is no bill
    found.push_back(object->second);
  }
  return found;
}

}  // namespace flyball::sources
