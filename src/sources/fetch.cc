#include "sources/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/crypto.h"
#include "base/hash.h"
#include "base/text.h"
#include "sources/answers.h"

namespace flyball::sources {
namespace {

constexpr size_t kReadBytes = 1u << 20;

bool IsPassing(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

bool IsPassing(Code code) { return code == Code::kUnavailable || code == Code::kDeadlineExceeded; }

int64_t NumberOf(std::string_view text) {
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() ? number : 0;
}

Error Stopped() { return Error{Code::kCancelled, "the sync was stopped", "run it again", {}}; }

// Counts tries that bring nothing, and waits between them.
class Patience {
 public:
  explicit Patience(const Fetcher& fetcher) : fetcher_(fetcher) {}
  void Moved() { tries_ = 0; }
  // Ok: try again.
  Status After(const Error& error, int64_t retry_after_s = 0) {
    if (++tries_ >= kTriesMax) {
      Error last = error;
      last.message += fmt::format(", {} times in a row", kTriesMax);
      if (last.hint.empty()) last.hint = "run the sync again: it goes on where this one ended";
      return Fail(std::move(last));
    }
    if (!fetcher_.wait(BackoffUs(tries_, retry_after_s, fetcher_.random))) return Fail(Stopped());
    return {};
  }

 private:
  const Fetcher& fetcher_;
  int tries_ = 0;
};

int64_t RetryAfter(const net::WebResponse& response) {
  return NumberOf(response.Header("retry-after"));
}

// One object on its way into `path`.part.
class Download {
 public:
  Download(const Fetcher& fetcher, const Store& store, const Object& object, std::string path)
      : fetcher_(fetcher),
        store_(store),
        object_(object),
        path_(std::move(path)),
        what_(store.name + "/" + object.key) {}

  Status Run() {
    FB_CHECK(fetcher_.files.MakeDirs(os::ParentPath(path_)));
    Patience patience(fetcher_);
    bool damaged = false;  // once already
    for (;;) {
      FB_CHECK(Open());
      while (part_->size() < object_.bytes) FB_CHECK(Continue(patience));
      FB_CHECK(part_->Sync());
      part_.reset();
      Status verified = Verify();
      if (verified) break;
      FB_CHECK(fetcher_.files.Remove(Part()));
      if (damaged) return verified;
      damaged = true;
    }
    FB_CHECK(fetcher_.files.Rename(Part(), path_));
    return {};
  }

 private:
  std::string Part() const { return path_ + ".part"; }

  Status Open() {
    part_ = FB_TRY(fetcher_.files.OpenAppend(Part()));
    if (part_->size() > object_.bytes) FB_CHECK(part_->Truncate(0));
    return {};
  }

  // One request for what is missing. Ok also when it failed in a way that passes.
  Status Continue(Patience& patience) {
    const uint64_t from = part_->size();
    const net::WebRequest request = FB_TRY(store_.get(object_, from));
    bool begun = false;
    const Result<net::WebResponse> response = fetcher_.web.Fetch(
        request, [&](const net::WebResponse& head, std::string_view bytes) -> Status {
          if (!std::exchange(begun, true)) FB_CHECK(Begin(head, from));
          return Take(bytes);
        });
    if (part_->size() > from) patience.Moved();
    if (!response) {
      if (response.error().code == Code::kAborted) return Changed();
      if (!IsPassing(response.error().code)) return Fail(response.error());
      return patience.After(response.error());
    }
    const int status = response->status;
    if (IsPassing(status)) {
      return patience.After(Refusal(*response, what_), RetryAfter(*response));
    }
    // It was there when it was listed, and so was so much of it.
    if (status == 412 || status == 404 || status == 416) return Changed();
    if (status != 200 && status != 206) return Fail(Refusal(*response, what_));
    if (part_->size() == from && from < object_.bytes) {
      return patience.After(Error{Code::kUnavailable, what_ + " came without a byte", {}, {}});
    }
    return {};
  }

  Status Begin(const net::WebResponse& head, uint64_t from) {
    const std::string_view encryption = head.Header("x-amz-server-side-encryption");
    // Its ETag has the form of an MD5, and is none.
    if (encryption.starts_with("aws:kms") ||
        !head.Header("x-amz-server-side-encryption-customer-algorithm").empty()) {
      md5_known_ = false;
    }
    if (from == 0) return {};
    if (head.status == 200) return part_->Truncate(0);  // the server knows no ranges
    const std::string begins = fmt::format("bytes {}-", from);
    if (head.Header("content-range").starts_with(begins)) return {};
    return Fail(Code::kDataLoss, what_ + " came with another range than was asked for");
  }

  Status Take(std::string_view bytes) {
    if (part_->size() + bytes.size() > object_.bytes) {
      return Fail(Code::kAborted, what_ + " is longer than it was listed");
    }
    FB_CHECK(part_->Append(bytes));
    const int64_t wait_us = fetcher_.pacer.WaitUs(bytes.size(), fetcher_.clock.MonotonicUs());
    if (wait_us > 0 && !fetcher_.wait(wait_us)) return Fail(Stopped());
    if (fetcher_.progress && !fetcher_.progress(part_->size())) return Fail(Stopped());
    return {};
  }

  Status Changed() {
    part_.reset();
    FB_CHECK(fetcher_.files.Remove(Part()));
    return Fail(Code::kAborted, what_ + " changed while it was fetched",
                "run the sync again when it is at rest");
  }

  Status Verify() const {
    const bool by_md5 = md5_known_ && !object_.md5.empty();
    if (!by_md5 && !object_.crc32c) return {};
    Md5 md5;
    uint32_t crc = 0;
    for (uint64_t at = 0; at < object_.bytes;) {
      const std::string piece = FB_TRY(fetcher_.files.ReadPart(Part(), at, kReadBytes));
      if (piece.empty()) break;
      if (by_md5) md5.Update(piece);
      if (object_.crc32c) crc = Crc32c(piece, crc);
      at += piece.size();
    }
    if ((!by_md5 || md5.Finish() == object_.md5) && (!object_.crc32c || crc == *object_.crc32c)) {
      return {};
    }
    return Fail(Code::kDataLoss,
                fmt::format("{} came damaged: its checksum is not the one of the store", what_),
                "run the sync again; if it stays so, the object itself is damaged");
  }

  const Fetcher& fetcher_;
  const Store& store_;
  const Object& object_;
  std::string path_, what_;
  std::unique_ptr<os::WritableFile> part_;
  bool md5_known_ = true;
};

}  // namespace

int64_t BackoffUs(int n, int64_t retry_after_s, Random& random) {
  const int64_t asked = std::clamp<int64_t>(retry_after_s, 0, kRetryAfterMaxS) * kMicrosPerSecond;
  const int64_t whole = std::min(kWaitFirstUs << std::min(n - 1, 16), kWaitMaxUs);
  return std::max(asked, random.Between(whole / 2, whole));
}

int64_t Pacer::WaitUs(uint64_t bytes, int64_t now_us) {
  if (bytes_s_ == 0) return 0;
  due_us_ = std::max(due_us_, now_us) +
            static_cast<int64_t>(bytes * static_cast<uint64_t>(kMicrosPerSecond) / bytes_s_);
  return due_us_ - now_us;
}

Result<std::string> Ask(const Fetcher& fetcher,
                        const std::function<Result<net::WebRequest>()>& make,
                        const std::string& what) {
  Patience patience(fetcher);
  for (;;) {
    const net::WebRequest request = FB_TRY(make());
    Result<net::WebResponse> response = fetcher.web.Fetch(request);
    if (!response) {
      if (!IsPassing(response.error().code)) return Fail(std::move(response).error());
      FB_CHECK(patience.After(response.error()));
    } else if (response->status == 200) {
      const int64_t wait_us =
          fetcher.pacer.WaitUs(response->body.size(), fetcher.clock.MonotonicUs());
      if (wait_us > 0 && !fetcher.wait(wait_us)) return Fail(Stopped());
      return std::move(response->body);
    } else if (IsPassing(response->status)) {
      FB_CHECK(patience.After(Refusal(*response, what), RetryAfter(*response)));
    } else {
      return Fail(Refusal(*response, what));
    }
  }
}

Result<std::vector<Object>> ListObjects(const Fetcher& fetcher, const Store& store) {
  std::vector<Object> objects;
  std::string next;
  do {
    const std::string body =
        FB_TRY(Ask(fetcher, [&] { return store.list(next); }, "the list of " + store.name));
    Result<Page> page = store.read_page(body);
    if (!page) {
      page.error().message = fmt::format("the list of {}: {}", store.name, page.error().message);
      return Fail(std::move(page).error());
    }
    if (page->next == next && !next.empty()) {
      return Fail(Code::kFailedPrecondition, "the list of " + store.name + " does not go on");
    }
    std::ranges::move(page->objects, std::back_inserter(objects));
    next = page->next;
    if (objects.size() > kObjectsMax) {
      return Fail(Code::kResourceExhausted,
                  fmt::format("{} has more than {} objects", store.name, kObjectsMax),
                  "narrow the prefix of the source");
    }
  } while (!next.empty());
  return objects;
}

Result<std::string> FetchText(const Fetcher& fetcher, const Store& store, const Object& object,
                              uint64_t bytes_max) {
  const std::string what = store.name + "/" + object.key;
  if (object.bytes > bytes_max) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{} is larger than {}", what, FormatBytes(bytes_max)));
  }
  Result<std::string> text = Ask(fetcher, [&] { return store.get(object, 0); }, what);
  if (!text && text.error().code == Code::kNotFound) text.error().code = Code::kAborted;
  return text;
}

Status FetchFile(const Fetcher& fetcher, const Store& store, const Object& object,
                 const std::string& path) {
  if (fetcher.files.Exists(path) && FB_TRY(fetcher.files.Size(path)) == object.bytes) return {};
  return Download(fetcher, store, object, path).Run();
}

}  // namespace flyball::sources
