#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "base/freer.h"

namespace flyball::net {
namespace {

constexpr size_t kRecordBytes = 16u << 10;
constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

using Ctx = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freer<SSL_free>>;
using Session = std::unique_ptr<SSL_SESSION, Freer<SSL_SESSION_free>>;

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::string LastError() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) {
    return "the connection broke off";
  }
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

class Context;

class Tls final : public TlsStream {
 public:
  Tls(Context& context, std::unique_ptr<Socket> socket, const Endpoint& to);

  void SetOwner(StreamOwner* owner) override { socket_->owner = owner; }
  Moved Read(char* into, size_t room) override;
  Moved Write(std::span<const iovec> pieces) override;
  void EndWriting() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  bool HasNews() const override { return socket_->can_read || SSL_pending(ssl_.get()) > 0; }
  bool HungUp() const override { return socket_->hung_up; }
  void Mark() override { mark_ = BIO_number_written(SSL_get_wbio(ssl_.get())); }
  bool TookNothingSinceMark() const override {
    return AcknowledgedBytes(socket_->fd()) <= mark_ + 1;
  }
  Result<bool> Handshake() override;
  bool ReusedSession() const override { return SSL_session_reused(ssl_.get()) == 1; }

  Context& context() { return context_; }
  const std::string& name() const { return name_; }

 private:
  Moved Judge(int result);

  Context& context_;
  std::string name_;
  std::unique_ptr<Socket> socket_;
  Ssl ssl_;
  uint64_t mark_ = 0;
};

class Context final : public TlsContext {
 public:
  explicit Context(Ctx ctx) : ctx_(std::move(ctx)) {
    SSL_CTX_set_session_cache_mode(ctx_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(ctx_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* stream = static_cast<Tls*>(SSL_get_app_data(ssl));
      stream->context().Keep(stream->name(), Session(session));
      return 1;  // kept: the count of references is ours
    });
  }
  std::unique_ptr<TlsStream> Wrap(std::unique_ptr<Socket> socket, const Endpoint& to) override {
    return std::make_unique<Tls>(*this, std::move(socket), to);
  }
  SSL_CTX* get() const { return ctx_.get(); }
  SSL_SESSION* Kept(const std::string& name) const {
    auto found = sessions_.find(name);
    return found == sessions_.end() ? nullptr : found->second.get();
  }
  void Keep(const std::string& name, Session session) {
    if (sessions_.size() >= kTlsSessionsMax) {
      sessions_.clear();
    }
    sessions_[name] = std::move(session);
  }

 private:
  Ctx ctx_;
  std::map<std::string, Session> sessions_;
};

Tls::Tls(Context& context, std::unique_ptr<Socket> socket, const Endpoint& to)
    : context_(context),
      name_(to.host + ":" + std::to_string(to.port)),
      socket_(std::move(socket)),
      ssl_(SSL_new(context.get())) {
  SSL* ssl = ssl_.get();
  SSL_set_app_data(ssl, this);
  SSL_set_fd(ssl, socket_->fd());
  SSL_set_connect_state(ssl);
  if (IsAddress(to.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), to.host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, to.host.c_str());
    SSL_set1_host(ssl, to.host.c_str());
  }
  if (SSL_SESSION* session = context.Kept(name_)) {
    SSL_set_session(ssl, session);
  }
}

// What a call that did not succeed wants, or why it failed.
Moved Tls::Judge(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      socket_->can_read = false;
      return {};
    case SSL_ERROR_WANT_WRITE:
      socket_->can_write = false;
      return {};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::kEnd, 0};
    default:
      return {Io::kBroken, 0};
  }
}

Moved Tls::Read(char* into, size_t room) {
  if (!HasNews()) {
    return {};
  }
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), into, static_cast<int>(std::min(room, size_t{1} << 30)));
  return n > 0 ? Moved{Io::kMoved, static_cast<size_t>(n)} : Judge(n);
}

// Small pieces go into one record.
Moved Tls::Write(std::span<const iovec> pieces) {
  if (!socket_->can_write) {
    return {};
  }
  std::array<char, kRecordBytes> record;  // NOLINT: filled below
  size_t moved = 0;
  size_t piece = 0;
  size_t offset = 0;
  while (piece < pieces.size()) {
    size_t filled = 0;
    while (filled < record.size() && piece < pieces.size()) {
      const iovec& from = pieces[piece];
      const size_t n = std::min(record.size() - filled, from.iov_len - offset);
      std::memcpy(record.data() + filled, static_cast<const char*>(from.iov_base) + offset, n);
      filled += n;
      offset += n;
      if (offset == from.iov_len) {
        ++piece;
        offset = 0;
      }
    }
    if (filled == 0) {
      break;
    }
    ERR_clear_error();
    // A record goes whole or not at all; one that waits is given again with the same bytes.
    const int n = SSL_write(ssl_.get(), record.data(), static_cast<int>(filled));
    if (n <= 0) {
      const Moved fault = Judge(n);
      return fault.state == Io::kBlocked && moved > 0 ? Moved{Io::kMoved, moved} : fault;
    }
    moved += static_cast<size_t>(n);
  }
  return moved > 0 ? Moved{Io::kMoved, moved} : Moved{};
}

Result<bool> Tls::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    return true;
  }
  if (Judge(result).state == Io::kBlocked) {
    return false;
  }
  const long verdict = SSL_get_verify_result(ssl_.get());
  const std::string why =
      verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : LastError();
  return Fail(Code::kFailedPrecondition, "no TLS with " + name_ + ": " + why,
              "check base_url, and that its certificate is signed by an authority that is trusted");
}

Status AddAuthorities(SSL_CTX* ctx, const std::string& path) {
  if (SSL_CTX_load_verify_file(ctx, path.c_str()) == 1) return {};
  ERR_clear_error();
  return Fail(Code::kFailedPrecondition, "'" + path + "' holds no certificate that can be read",
              "name a readable PEM file");
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::Make(const TlsOptions& options) {
  signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  Ctx ctx(SSL_CTX_new(TLS_client_method()));
  if (!ctx) {
    return Fail(Code::kInternal, "OpenSSL gives no context: " + LastError());
  }
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(ctx.get(), 1);
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(ctx.get(), kAlpn.data(), kAlpn.size());
  const int loaded = options.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(ctx.get())
                         : SSL_CTX_load_verify_file(ctx.get(), options.ca_file.c_str());
  if (loaded != 1) {
    return Fail(Code::kFailedPrecondition,
                "the certificate authorities can't be read: " + LastError(),
                options.ca_file.empty() ? "install ca-certificates" : "name a readable PEM file");
  }
  if (!options.more_ca_file.empty()) FB_CHECK(AddAuthorities(ctx.get(), options.more_ca_file));
  return std::make_unique<Context>(std::move(ctx));
}

Status CheckCaFile(const std::string& path) {
  const Ctx ctx(SSL_CTX_new(TLS_client_method()));
  if (!ctx) return Fail(Code::kInternal, "OpenSSL gives no context: " + LastError());
  return AddAuthorities(ctx.get(), path);
}

}  // namespace flyball::net
