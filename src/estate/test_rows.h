// Signatures and folders for the tests of the estate.
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "estate/estate.h"
#include "model/signature.h"
#include "os/files.h"

namespace flyball::estate {

// A signature that owns its texts; columns that a signature does not have are left out.
class RowOf {
 public:
  RowOf() = default;
  RowOf(std::initializer_list<std::pair<std::string_view, std::string>> columns) {
    for (const auto& [name, value] : columns) Set(name, value);
  }
  void Set(std::string_view column, std::string value) {
    int index = signature::IndexOf(column);
    if (index >= 0) texts_[static_cast<size_t>(index)] = std::move(value);
  }
  // Views into this row.
  signature::Values values() const {
    signature::Values values(signature::Columns().size());
    for (const auto& [index, text] : texts_) values[index] = text;
    return values;
  }

 private:
  std::map<size_t, std::string> texts_;
};

// A folder for one test, removed with it.
class TempEstate {
 public:
  TempEstate() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "flyball-estate-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~TempEstate() { std::filesystem::remove_all(folder_); }
  TempEstate(const TempEstate&) = delete;
  TempEstate& operator=(const TempEstate&) = delete;

  os::Files& files() { return *files_; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  Result<std::shared_ptr<const RuleSet>> Compile() {
    std::string snapshot = FB_TRY(LoadEstate(files(), path("estate.yaml")));
    return RuleSet::Compile(snapshot);
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
};

}  // namespace flyball::estate
