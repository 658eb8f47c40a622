// Upload: bills that came in the body of a request, laid out as files in a folder of their own that
// removes itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace flyball::serve {

// A fresh folder, readable by this user only, removed with all in it.
class UploadFolder {
 public:
  static Result<std::shared_ptr<UploadFolder>> Create(const std::string& parent);
  explicit UploadFolder(std::string path) : path_(std::move(path)) {}
  ~UploadFolder();
  UploadFolder(const UploadFolder&) = delete;
  UploadFolder& operator=(const UploadFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Upload {
  std::shared_ptr<UploadFolder> folder;
  std::vector<std::string> files;  // paths; each ends in the client's file name, made safe
  std::map<std::string, std::string> fields;
};
inline constexpr size_t kUploadFieldMaxBytes = 64u << 10;

// multipart/form-data: parts with a file name become files, others fields. Any other type: the body
// is one file, named by the query parameter `filename`; the fields are the query parameters.
Result<Upload> UnpackUpload(const net::Request& request, const std::string& parent);

// The last component of what a client calls its file, without what a file name must not have;
// "upload" when nothing is left.
std::string SafeFileName(std::string_view client_name);

}  // namespace flyball::serve
