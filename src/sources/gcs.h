// Buckets of Google Cloud Storage by its JSON API, with a bearer token: one that is given, or one
// that the key of a service account is exchanged for (RFC 7523).
#pragma once

#include <functional>
#include <string>

#include "estate/estate.h"
#include "sources/store.h"

namespace flyball::sources {

struct ServiceAccount {
  std::string email, private_key, key_id, token_uri;
};
// INVALID_ARGUMENT, without a word of the file, when it is no such key.
Result<ServiceAccount> ReadServiceAccount(std::string_view json);
Result<net::WebRequest> TokenRequest(const ServiceAccount& account, Instant now);

struct Token {
  std::string text;
  Instant until;  // when another must be asked for
};
Result<Token> ReadToken(const net::WebResponse& response, Instant asked_at);

// `token` is asked for each request.
Store MakeGcs(const estate::Source& source, std::function<Result<std::string>()> token);
Result<Page> ReadGcsPage(std::string_view json);

}  // namespace flyball::sources
