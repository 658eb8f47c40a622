#include "serve/upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "net/multipart.h"
#include "net/socket.h"
#include "os/files.h"
#include "serve/service.h"

namespace flyball::serve {
namespace {

constexpr size_t kPieceBytes = 1u << 20;
constexpr size_t kFileNameMaxBytes = 200;

Status DiskFault(const std::string& what) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return Fail(full ? Code::kResourceExhausted : Code::kInternal,
              "an upload can't be " + what + ": " + net::ErrnoText(errno));
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) {
      return DiskFault("stored");
    }
    bytes.remove_prefix(n > 0 ? static_cast<size_t>(n) : 0);
  }
  return {};
}

// Each file has a folder of its own, so that two of the same name do not meet.
Result<std::string> NewFilePath(const Upload& upload, std::string_view client_name) {
  const std::string dir = os::JoinPath(upload.folder->path(), std::to_string(upload.files.size()));
  if (mkdir(dir.c_str(), 0700) != 0) {
    return Fail(DiskFault("stored").error());
  }
  return os::JoinPath(dir, SafeFileName(client_name));
}

class PartWriter {
 public:
  explicit PartWriter(Upload* upload) : upload_(upload) {}
  Status Begin(const net::MultipartParser::Part& part) {
    field_ = nullptr;
    if (!part.is_file) {
      const auto [field, is_new] = upload_->fields.try_emplace(part.name);
      if (!is_new) {
        return Fail(Code::kInvalidArgument, "'" + part.name + "' stands twice in the upload",
                    "say it once, in the form or in the address");
      }
      field_ = &field->second;
      return {};
    }
    if (upload_->files.size() >= kImportFilesMax) {
      return Fail(Code::kInvalidArgument,
                  "the upload has more than " + std::to_string(kImportFilesMax) + " files");
    }
    const std::string path = FB_TRY(NewFilePath(*upload_, part.filename));
    file_ = net::Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_.valid()) {
      return DiskFault("stored");
    }
    upload_->files.push_back(path);
    return {};
  }
  Status Data(std::string_view bytes) {
    if (field_ == nullptr) {
      return WriteAll(file_.get(), bytes);
    }
    if (field_->size() + bytes.size() > kUploadFieldMaxBytes) {
      return Fail(Code::kInvalidArgument, "a field of the upload is too long");
    }
    field_->append(bytes);
    return {};
  }
  Status End() {
    file_ = net::Fd();
    return {};
  }

 private:
  Upload* upload_;
  std::string* field_ = nullptr;
  net::Fd file_;
};

Status UnpackMultipart(const net::Request& request, std::string_view boundary, Upload* upload) {
  upload->fields = request.query;
  PartWriter writer(upload);
  net::MultipartParser parser(
      boundary,
      {[&](const net::MultipartParser::Part& part) { return writer.Begin(part); },
       [&](std::string_view bytes) { return writer.Data(bytes); }, [&] { return writer.End(); }});
  if (request.body_file.empty()) {
    FB_CHECK(parser.Put(request.body));
    return parser.Finish();
  }
  net::Fd in(open(request.body_file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    const ssize_t n = read(in.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return DiskFault("read");
    }
    if (n == 0) {
      return parser.Finish();
    }
    FB_CHECK(parser.Put(std::string_view(piece).substr(0, static_cast<size_t>(n))));
  }
}

Status UnpackRaw(const net::Request& request, Upload* upload) {
  upload->fields = request.query;
  auto name = request.query.find("filename");
  const std::string path =
      FB_TRY(NewFilePath(*upload, name == request.query.end() ? "" : name->second));
  upload->files.push_back(path);
  if (!request.body_file.empty()) {
    return rename(request.body_file.c_str(), path.c_str()) == 0 ? Status() : DiskFault("stored");
  }
  net::Fd out(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return out.valid() ? WriteAll(out.get(), request.body) : DiskFault("stored");
}

}  // namespace

Result<std::shared_ptr<UploadFolder>> UploadFolder::Create(const std::string& parent) {
  std::array<uint8_t, 12> random{};
  SecureRandomBytes(random.data(), random.size());
  std::string path = os::JoinPath(parent, "upload-" + Hex(random));
  if (mkdir(path.c_str(), 0700) != 0) {
    return Fail(DiskFault("stored").error());
  }
  return std::make_shared<UploadFolder>(std::move(path));
}

UploadFolder::~UploadFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string SafeFileName(std::string_view client_name) {
  // Both separators: a browser on Windows may send a whole path.
  const size_t separator = client_name.find_last_of("/\\");
  if (separator != std::string_view::npos) {
    client_name.remove_prefix(separator + 1);
  }
  std::string name;
  for (char c : client_name.substr(0, ValidUtf8Prefix(client_name))) {
    const auto byte = static_cast<unsigned char>(c);
    name += byte < 0x20 || byte == 0x7f || c == ':' ? '_' : c;
  }
  if (name.size() > kFileNameMaxBytes) {
    // The extensions at the end say what it is.
    name.erase(0, name.size() - kFileNameMaxBytes);
    while (!name.empty() && ValidUtf8Prefix(name) != name.size()) {
      name.erase(0, 1);
    }
  }
  return os::IsPlainName(name) ? name : "upload";
}

Result<Upload> UnpackUpload(const net::Request& request, const std::string& parent) {
  Upload upload;
  upload.folder = FB_TRY(UploadFolder::Create(parent));
  const std::string_view type = request.Header("content-type");
  if (ToLower(type).starts_with("multipart/")) {
    const std::string boundary = FB_TRY(net::MultipartBoundary(type));
    FB_CHECK(UnpackMultipart(request, boundary, &upload));
  } else {
    FB_CHECK(UnpackRaw(request, &upload));
  }
  return upload;
}

}  // namespace flyball::serve
