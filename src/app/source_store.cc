#include "app/source_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "app/variable.h"
#include "base/text.h"
#include "sources/azure.h"
#include "sources/gcs.h"
#include "sources/s3.h"

namespace flyball::app {
namespace {

using estate::Source;

std::string NameOf(const Source& source) { return "the source '" + source.name + "'"; }

Result<std::string> ReadVariable(const Source& source, const std::string& name) {
  return app::ReadVariable(name, NameOf(source), source.place);
}

Result<std::string> RequireVariable(const Source& source, const std::string& name) {
  return app::RequireVariable(name, NameOf(source), source.place);
}

Result<sources::AwsKey> ReadAwsKey(const Source& source) {
  const auto name = [](const std::string& given, const char* usual) {
    return given.empty() ? std::string(usual) : given;
  };
  sources::AwsKey key;
  key.id = FB_TRY(RequireVariable(source, name(source.key_id_env, "AWS_ACCESS_KEY_ID")));
  key.secret = FB_TRY(RequireVariable(source, name(source.secret_env, "AWS_SECRET_ACCESS_KEY")));
  if (!source.session_env.empty()) {
    key.session_token = FB_TRY(RequireVariable(source, source.session_env));
  } else if (source.key_id_env.empty()) {
    key.session_token = FB_TRY(ReadVariable(source, "AWS_SESSION_TOKEN"));
  }
  return key;
}

// Asks for a token when the last one is used up.
class Tokens {
 public:
  Tokens(sources::ServiceAccount account, net::WebClient& web, Clock& clock)
      : account_(std::move(account)), web_(web), clock_(clock) {}
  Result<std::string> Get() {
    const Instant now = clock_.Now();
    if (token_.text.empty() || now >= token_.until) {
      const net::WebRequest request = FB_TRY(sources::TokenRequest(account_, now));
      token_ = FB_TRY(sources::ReadToken(FB_TRY(web_.Fetch(request)), now));
    }
    return token_.text;
  }

 private:
  sources::ServiceAccount account_;
  net::WebClient& web_;
  Clock& clock_;
  sources::Token token_;
};

Result<std::function<Result<std::string>()>> OpenTokens(const Source& source, net::WebClient& web,
                                                        os::Files& files, Clock& clock) {
  if (!source.token_env.empty()) {
    const std::string token = FB_TRY(RequireVariable(source, source.token_env));
    return [token]() -> Result<std::string> { return token; };
  }
  Result<sources::ServiceAccount> account =
      sources::ReadServiceAccount(FB_TRY(files.ReadAll(source.key_file)));
  if (!account) return Fail(std::move(account).error().At(source.place));
  auto tokens = std::make_shared<Tokens>(*std::move(account), web, clock);
  return [tokens] { return tokens->Get(); };
}

}  // namespace

Result<sources::Store> OpenStore(const Source& source, net::WebClient& web, os::Files& files,
                                 Clock& clock) {
  const auto now = [&clock] { return clock.Now(); };
  switch (source.kind) {
    case estate::SourceKind::kS3:
      return sources::MakeS3(source, FB_TRY(ReadAwsKey(source)), now);
    case estate::SourceKind::kAzure: {
      sources::AzureKey key;
      (source.sas_env.empty() ? key.account_key : key.sas) =
          FB_TRY(RequireVariable(source, source.sas_env.empty() ? source.key_env : source.sas_env));
      return sources::MakeAzure(source, key, now);
    }
    case estate::SourceKind::kGcs:
      return sources::MakeGcs(source, FB_TRY(OpenTokens(source, web, files, clock)));
    default:
      return Fail(Code::kInternal, "a store was asked of a source that has none");
  }
}

Result<sources::VendorApi> OpenApi(const Source& source) {
  const std::string variable =
      source.key_env.empty() ? sources::DefaultKeyVariable(source.kind) : source.key_env;
  Result<std::string> key = RequireVariable(source, variable);
  sources::VendorApi api = sources::MakeVendorApi(source, key.value_or(""));
  api.key_hint = fmt::format("check {}: {}", variable, api.key_hint);
  if (key) return api;
  if (std::getenv(variable.c_str()) == nullptr) key.error().hint = api.key_hint;
  return Fail(std::move(key).error());
}

}  // namespace flyball::app
