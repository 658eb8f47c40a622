#include "net/parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "base/text.h"

namespace flyball::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view View(BeastView text) { return {text.data(), text.size()}; }

// Headers of which a second one is an attack or a mistake, never a list.
bool IsSingular(std::string_view name) {
  return name == "host" || name == "authorization" || name == "content-length" ||
         name == "content-type" || name == "origin" || name == "transfer-encoding";
}

// A body line (chunk header with its extensions, trailers) that is longer than this is refused.
constexpr size_t kChunkLineMaxBytes = 16u << 10;
// "0\r\n\r\n": a chunked body that is not over has at least this much to come. Beast 1.81 asserts
// that it never sees less of a last chunk, which is not so when that one is the first and arrives
// in pieces: anybody could end the server.
constexpr size_t kLastChunkBytes = 5;

template <bool kIsRequest>
class Beast : public http::basic_parser<kIsRequest> {
 public:
  MessageHead head;
  std::string* body = nullptr;
  bool repeated = false;
  bool head_whole = false;

 private:
  void on_request_impl(http::verb /*known*/, BeastView method, BeastView target, int version,
                       error_code& ec) override {
    head.method = View(method);
    head.target = View(target);
    head.version = version;
    ec = {};
  }
  void on_response_impl(int status, BeastView /*reason*/, int version, error_code& ec) override {
    head.status = status;
    head.version = version;
    ec = {};
  }
  void on_field_impl(http::field /*known*/, BeastView name, BeastView value,
                     error_code& ec) override {
    ec = {};
    if (head_whole) {
      return;  // trailers say nothing that we act on
    }
    std::string key = ToLower(View(name));
    auto [entry, is_new] = head.headers.try_emplace(key, View(value));
    if (!is_new) {
      repeated = repeated || IsSingular(key);
      entry->second.append(", ").append(View(value));
    }
  }
  void on_header_impl(error_code& ec) override {
    head_whole = true;
    ec = {};
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         error_code& ec) override {
    ec = {};
  }
  std::size_t on_body_impl(BeastView bytes, error_code& ec) override {
    ec = {};
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, BeastView /*extensions*/,
                            error_code& ec) override {
    ec = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastView bytes,
                                 error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }
};

ParseFault FaultOf(const error_code& ec) {
  if (ec == http::error::header_limit) {
    return {431, "the head of the request is too large"};
  }
  if (ec == http::error::bad_version) {
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return {400, "malformed HTTP message: " + ec.message()};
}

template <bool kIsRequest>
std::optional<ParseFault> JudgeHead(const Beast<kIsRequest>& beast) {
  const MessageHead& head = beast.head;
  if (beast.repeated) {
    return ParseFault{400, "a header that may stand once is repeated"};
  }
  auto encoding = head.headers.find("transfer-encoding");
  if (encoding != head.headers.end()) {
    if (head.version == 10) {
      return ParseFault{400, "HTTP/1.0 has no transfer encoding"};
    }
    if (!EqualsIgnoreCase(Trim(encoding->second), "chunked")) {
      return ParseFault{501, "the only transfer encoding spoken here is chunked"};
    }
  }
  if (kIsRequest && head.version == 11 && !head.headers.contains("host")) {
    return ParseFault{400, "HTTP/1.1 requests need a Host header"};
  }
  return std::nullopt;
}

}  // namespace

struct MessageParser::Impl {
  bool is_request = true;
  size_t head_max_bytes = 0;
  size_t head_bytes = 0;
  Beast<true> request;
  Beast<false> response;

  template <bool kIsRequest>
  std::expected<size_t, ParseFault> Put(Beast<kIsRequest>& beast, std::string_view bytes,
                                        std::string* body) {
    size_t used = 0;
    beast.body = body;
    const bool had_head = beast.head_whole;
    while (used < bytes.size() && !beast.is_done()) {
      error_code ec;
      const size_t left = bytes.size() - used;
      if (beast.head_whole && beast.chunked() && left < kLastChunkBytes) {
        return used;
      }
      const size_t n = beast.put(boost::asio::const_buffer(bytes.data() + used, left), ec);
      used += n;
      if (!had_head) {
        head_bytes += n;
      }
      if (ec == http::error::need_more) {
        const size_t waiting = bytes.size() - used;
        if (!beast.head_whole && head_bytes + waiting > head_max_bytes) {
          return std::unexpected(FaultOf(http::make_error_code(http::error::header_limit)));
        }
        if (beast.head_whole && waiting > kChunkLineMaxBytes) {
          return std::unexpected(ParseFault{400, "a line inside the chunked body is too long"});
        }
        return used;
      }
      if (ec) {
        return std::unexpected(FaultOf(ec));
      }
      if (!had_head && beast.head_whole) {
        return FinishHead(beast, used);
      }
      if (n == 0) {
        return used;
      }
    }
    return used;
  }

  template <bool kIsRequest>
  std::expected<size_t, ParseFault> FinishHead(Beast<kIsRequest>& beast, size_t used) {
    if (head_bytes > head_max_bytes) {
      return std::unexpected(FaultOf(http::make_error_code(http::error::header_limit)));
    }
    if (auto fault = JudgeHead(beast)) {
      return std::unexpected(*std::move(fault));
    }
    beast.head.keep_alive = beast.keep_alive();
    beast.head.has_body = !beast.is_done();
    if (auto length = beast.content_length()) {
      beast.head.content_length = *length;
    }
    return used;
  }
};

MessageParser::MessageParser(Kind kind, size_t head_max_bytes, bool no_body)
    : impl_(std::make_unique<Impl>()) {
  impl_->is_request = kind == Kind::kRequest;
  impl_->head_max_bytes = head_max_bytes;
  const auto limit = static_cast<std::uint32_t>(head_max_bytes);
  impl_->request.header_limit(limit);
  impl_->response.header_limit(limit);
  impl_->request.body_limit(boost::none);
  impl_->response.body_limit(boost::none);
  impl_->response.skip(no_body);
}
MessageParser::MessageParser(MessageParser&&) noexcept = default;
MessageParser& MessageParser::operator=(MessageParser&&) noexcept = default;
MessageParser::~MessageParser() = default;

std::expected<size_t, ParseFault> MessageParser::Put(std::string_view bytes, std::string* body) {
  return impl_->is_request ? impl_->Put(impl_->request, bytes, body)
                           : impl_->Put(impl_->response, bytes, body);
}

std::expected<void, ParseFault> MessageParser::PutEnd() {
  if (done()) {
    return {};
  }
  error_code ec = http::make_error_code(http::error::partial_message);
  if (!impl_->is_request && impl_->response.got_some()) {
    impl_->response.put_eof(ec);
  }
  if (ec) {
    return std::unexpected(ParseFault{400, "the connection ended in the middle of a message"});
  }
  return {};
}

bool MessageParser::head_done() const {
  return impl_->is_request ? impl_->request.head_whole : impl_->response.head_whole;
}
bool MessageParser::done() const {
  return impl_->is_request ? impl_->request.is_done() : impl_->response.is_done();
}
MessageHead& MessageParser::head() {
  return impl_->is_request ? impl_->request.head : impl_->response.head;
}

}  // namespace flyball::net
