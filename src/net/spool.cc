#include "net/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/hash.h"

namespace flyball::net {

Result<std::shared_ptr<Spool>> Spool::Create(const std::string& dir) {
  std::array<uint8_t, 12> random{};
  SecureRandomBytes(random.data(), random.size());
  std::string path = dir + "/upload-" + Hex(random);
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Fail(Code::kInternal, "an upload can't be stored: " + ErrnoText(errno));
  }
  return std::make_shared<Spool>(std::move(fd), std::move(path));
}

Spool::~Spool() { unlink(path_.c_str()); }

Status Spool::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return Fail(errno == ENOSPC || errno == EDQUOT ? Code::kResourceExhausted : Code::kInternal,
                  "an upload can't be stored: " + ErrnoText(errno));
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace flyball::net
