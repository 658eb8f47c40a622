#include "sources/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "os/secret.h"

namespace flyball::sources {

Result<std::vector<Object>> ListFolder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code fault;
  if (!fs::is_directory(path, fault)) {
    return Fail(Code::kNotFound, "there is no folder '" + path + "'", "check the source's `path`");
  }
  std::vector<Object> objects;
  for (fs::recursive_directory_iterator at(path, fault), end; !fault && at != end;
       at.increment(fault)) {
    std::error_code ignored;
    if (at->is_symlink(ignored) || !at->is_regular_file(ignored)) continue;
    const os::FileStamp stamp = os::StampOf(at->path().string());
    if (stamp.bytes < 0) continue;  // gone since
    Object object;
    object.key = at->path().lexically_relative(path).generic_string();
    object.bytes = static_cast<uint64_t>(stamp.bytes);
    object.version = fmt::format("{}-{}", stamp.inode, stamp.modified_ns);
    object.modified = Instant{stamp.modified_ns / 1000};
    objects.push_back(std::move(object));
    if (objects.size() > kObjectsMax) {
      return Fail(Code::kResourceExhausted,
                  fmt::format("'{}' has more than {} files", path, kObjectsMax));
    }
  }
  if (fault) {
    return Fail(Code::kUnavailable,
                fmt::format("the folder '{}' can't be listed: {}", path, fault.message()));
  }
  std::ranges::sort(objects, {}, &Object::key);
  return objects;
}

}  // namespace flyball::sources
