#include "net/tcp.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "net/resolver.h"
#include "net/tls.h"

namespace flyball::net {
namespace {

struct Owner : StreamOwner {
  int calls = 0;
  void OnStream() override { ++calls; }
};

Moved Write(Stream& stream, std::string_view text) {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  return stream.Write({&piece, 1});
}

struct World {
  std::unique_ptr<Clock> clock = MakeSystemClock();
  Loop loop{*clock};
  // Runs the loop until it holds; a test that waits in vain ends by ctest's limit.
  template <typename F>
  void Until(F holds) {
    while (!holds()) loop.RunOnce(1000);
  }
  Result<std::unique_ptr<Stream>> Dial(Dialer& dialer, const Endpoint& to) {
    std::optional<Result<std::unique_ptr<Stream>>> got;
    auto attempt = dialer.Dial(to, 10'000'000, [&](auto result) { got = std::move(result); });
    EXPECT_FALSE(got);
    Until([&] { return got.has_value(); });
    return *std::move(got);
  }
};

TEST(TcpStream, MovesBytesAndTellsTheEnd) {
  World world;
  Result<Fd> listener = ListenOn("127.0.0.1", 0);
  ASSERT_TRUE(listener);
  const int port = PortOf(listener->get());
  auto dialer = MakeDialer(world.loop, {});
  ASSERT_TRUE(dialer) << dialer.error().ToString();
  auto stream = world.Dial(**dialer, {"127.0.0.1", port, false});
  ASSERT_TRUE(stream) << stream.error().ToString();
  Fd server(accept(listener->get(), nullptr, nullptr));
  Owner owner;
  (*stream)->SetOwner(&owner);
  EXPECT_EQ(Write(**stream, "ping").bytes, 4u);
  char buffer[16] = {};
  EXPECT_EQ(read(server.get(), buffer, sizeof buffer), 4);
  EXPECT_EQ((*stream)->Read(buffer, sizeof buffer).state, Io::kBlocked);
  ASSERT_EQ(write(server.get(), "pong", 4), 4);
  world.Until([&] { return (*stream)->HasNews(); });
  EXPECT_EQ((*stream)->Read(buffer, sizeof buffer).bytes, 4u);
  EXPECT_FALSE((*stream)->HasNews());
  server = Fd();
  world.Until([&] { return (*stream)->HasNews(); });
  EXPECT_EQ((*stream)->Read(buffer, sizeof buffer).state, Io::kEnd);
}

// The other side closed before it got the request: that it read nothing is certain. When it read
// the request first, it is not.
TEST(TcpStream, KnowsWhatTheOtherSideCanNotHaveRead) {
  for (const bool reads : {false, true}) {
    World world;
    Result<Fd> listener = ListenOn("127.0.0.1", 0);
    Result<Fd> fd = ConnectTo("127.0.0.1", PortOf(listener->get()), 5000);
    ASSERT_TRUE(fd);
    auto stream = MakeTcpStream(world.loop, *std::move(fd));
    Owner owner;
    stream->SetOwner(&owner);
    Fd server(accept(listener->get(), nullptr, nullptr));
    world.Until([&] { return owner.calls > 0; });
    EXPECT_EQ(Write(*stream, "earlier").bytes, 7u);
    char buffer[64];
    EXPECT_EQ(read(server.get(), buffer, sizeof buffer), 7);
    if (!reads) server = Fd();
    stream->Mark();
    EXPECT_EQ(Write(*stream, "a request").bytes, 9u);
    if (reads) {
      EXPECT_EQ(read(server.get(), buffer, sizeof buffer), 9);
      server = Fd();
    }
    Moved end;
    world.Until([&] {
      end = stream->Read(buffer, sizeof buffer);
      return end.state != Io::kBlocked;
    });
    EXPECT_EQ(stream->TookNothingSinceMark(), !reads);
  }
}

TEST(Dialer, SaysWhyThereIsNoConnection) {
  World world;
  auto dialer = MakeDialer(world.loop, {});
  Result<Fd> listener = ListenOn("127.0.0.1", 0);
  const int port = PortOf(listener->get());
  *listener = Fd();
  auto refused = world.Dial(**dialer, {"127.0.0.1", port, false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("127.0.0.1 port"), std::string::npos);
  auto unknown = world.Dial(**dialer, {"no-such-name.invalid", 80, false});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kUnavailable);
}

TEST(Resolver, AsksOnceAndRemembers) {
  SimClock clock(Instant{0});
  Loop loop(clock);
  std::atomic<int> asked = 0;
  Resolver resolver(loop, 1'000'000, [&](const std::string& host) -> Result<Addresses> {
    ++asked;
    if (host == "bad") return Fail(Code::kUnavailable, "no");
    return Addresses(2);
  });
  int good = 0;
  int bad = 0;
  auto count = [&](const Result<Addresses>& found) { found ? ++good : ++bad; };
  resolver.Ask("name", count);
  resolver.Ask("name", count);
  resolver.Cancel(resolver.Ask("name", count));
  while (good < 2) loop.RunOnce(1000);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(resolver.Ask("name", count), 0u);
  EXPECT_EQ(good, 3);
  clock.Advance(1'000'001);
  loop.RunOnce(0);
  EXPECT_NE(resolver.Ask("name", count), 0u);
  while (good < 4) loop.RunOnce(1000);
  EXPECT_EQ(asked, 2);
  resolver.Ask("bad", count);
  while (bad < 1) loop.RunOnce(1000);
  EXPECT_NE(resolver.Ask("bad", count), 0u);  // failures are not remembered
  EXPECT_EQ(resolver.Ask("127.0.0.1", count), 0u);
}

// A server with a certificate of its own for "localhost", for each test anew.
class TlsServer {
 public:
  TlsServer() {
    key_ = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 864000);
    X509_set_pubkey(cert, key_);
    X509_NAME* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    for (const auto& [nid, value] :
         {std::pair{NID_subject_alt_name, "DNS:localhost"}, {NID_basic_constraints, "CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(cert, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(cert, key_, EVP_sha256());
    char path[] = "/tmp/flyball-ca-XXXXXX";
    FILE* file = fdopen(mkstemp(path), "w");
    PEM_write_X509(file, cert);
    fclose(file);
    ca_file = path;
    ctx_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx_, cert);
    SSL_CTX_use_PrivateKey(ctx_, key_);
    SSL_CTX_set_alpn_select_cb(
        ctx_,
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned,
           void*) {
          *size = in[0];
          *out = in + 1;
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    X509_free(cert);
    listener_ = *ListenOn("127.0.0.1", 0);
    port = PortOf(listener_.get());
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    SSL_CTX_free(ctx_);
    EVP_PKEY_free(key_);
    unlink(ca_file.c_str());
  }
  std::string ca_file;
  int port = 0;
  std::string alpn;

 private:
  // Sends back what it reads, connection by connection, until the listener ends.
  void Serve() {
    while (true) {
      pollfd wait{listener_.get(), POLLIN, 0};
      poll(&wait, 1, -1);
      Fd fd(accept(listener_.get(), nullptr, nullptr));
      if (!fd.valid()) return;
      SSL* ssl = SSL_new(ctx_);
      SSL_set_fd(ssl, fd.get());
      if (SSL_accept(ssl) == 1) {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl, &name, &size);
        alpn.assign(reinterpret_cast<const char*>(name), size);
        char buffer[20'000];
        for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;) SSL_write(ssl, buffer, n);
        SSL_shutdown(ssl);
      }
      SSL_free(ssl);
    }
  }
  EVP_PKEY* key_ = nullptr;
  SSL_CTX* ctx_ = nullptr;
  Fd listener_;
  std::thread thread_;
};

TEST(TlsStream, SpeaksVerifiesAndResumes) {
  World world;
  TlsServer server;
  DialerOptions options;
  options.tls.ca_file = server.ca_file;
  auto dialer = MakeDialer(world.loop, options);
  ASSERT_TRUE(dialer) << dialer.error().ToString();
  std::string big(100'000, 'x');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i % 26);
  for (const bool again : {false, true}) {
    auto stream = world.Dial(**dialer, {"localhost", server.port, true});
    ASSERT_TRUE(stream) << stream.error().ToString();
    Owner owner;
    (*stream)->SetOwner(&owner);
    std::string echo;
    size_t sent = 0;
    char buffer[8192];
    world.Until([&] {
      sent += Write(**stream, std::string_view(big).substr(sent)).bytes;
      Moved got;
      while ((got = (*stream)->Read(buffer, sizeof buffer)).state == Io::kMoved) {
        echo.append(buffer, got.bytes);
      }
      EXPECT_NE(got.state, Io::kBroken);
      return echo.size() == big.size() || got.state == Io::kBroken;
    });
    EXPECT_EQ(echo, big);
    EXPECT_EQ(dynamic_cast<TlsStream&>(**stream).ReusedSession(), again);
    EXPECT_EQ(server.alpn, "http/1.1");
    (*stream)->EndWriting();
    Moved end;
    world.Until([&] { return (end = (*stream)->Read(buffer, 1)).state != Io::kBlocked; });
    EXPECT_EQ(end.state, Io::kEnd);
  }
  auto wrong_name = world.Dial(**dialer, {"127.0.0.1", server.port, true});
  ASSERT_FALSE(wrong_name);
  EXPECT_EQ(wrong_name.error().code, Code::kFailedPrecondition);
  auto untrusting = MakeDialer(world.loop, {});
  auto untrusted = world.Dial(**untrusting, {"localhost", server.port, true});
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code, Code::kFailedPrecondition);
  options.tls.ca_file = "/no/such/file";
  EXPECT_FALSE(MakeDialer(world.loop, options));
}

// Of two endpoints that the same dialer knows, the authorities of one vouch for it alone.
TEST(TlsStream, AnEndpointMayHaveAuthoritiesOfItsOwn) {
  World world;
  TlsServer own, other;
  auto dialer = MakeDialer(world.loop, {});
  ASSERT_TRUE(dialer) << dialer.error().ToString();
  EXPECT_TRUE(world.Dial(**dialer, {"localhost", own.port, true, own.ca_file}));
  EXPECT_FALSE(world.Dial(**dialer, {"localhost", other.port, true, own.ca_file}));
  EXPECT_FALSE(world.Dial(**dialer, {"localhost", own.port, true}));
  const auto missing = world.Dial(**dialer, {"localhost", own.port, true, "/no/such/file"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(CheckCaFile(own.ca_file));
  EXPECT_FALSE(CheckCaFile("/no/such/file"));
}

}  // namespace
}  // namespace flyball::net
