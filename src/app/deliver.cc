#include "app/deliver.h"

#include <fmt/format.h>

#include <charconv>

#include "app/variable.h"
#include "base/text.h"
#include "net/mail.h"
#include "net/web.h"

namespace flyball::app {
namespace {

using notice::Receiver;
using notice::ReceiverKind;
using notify::Failure;

constexpr int kConnectTimeoutMs = 5'000;
constexpr int kQuietTimeoutS = 15;
constexpr int kWholeTimeoutS = 60;
constexpr uint64_t kAnswerMaxBytes = 64u << 10;
constexpr size_t kToldMaxBytes = 200;  // of what a receiver answers

// Whether it may be better another time. What is not set or not let in is, once it is mended.
Failure FailureOf(const Error& error) {
  const bool final = error.code == Code::kInvalidArgument || error.code == Code::kPermissionDenied;
  return {error.message, final, 0};
}

// The other side's words, as far as they are a line of text.
std::string Words(std::string_view body) {
  std::string words(Trim(body.substr(0, kToldMaxBytes)));
  words.resize(ValidUtf8Prefix(words));
  std::erase_if(words, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  return words;
}

std::optional<Failure> FailureOf(const net::WebResponse& response, bool tell_words) {
  if (response.status >= 200 && response.status < 300) return std::nullopt;
  Failure failure;
  failure.fault = fmt::format("the answer was {}", response.status);
  const std::string words = tell_words ? Words(response.body) : std::string();
  if (!words.empty()) failure.fault += ": " + words;
  const bool later = response.status == 429 || response.status == 408 || response.status == 425;
  failure.final = response.status < 500 && !later;
  int64_t seconds = 0;
  const std::string_view again = response.Header("retry-after");
  const auto read = std::from_chars(again.data(), again.data() + again.size(), seconds);
  constexpr int64_t kAgainMaxS = 86'400;
  if (read.ec == std::errc() && seconds > 0) {
    failure.again_us = std::min(seconds, kAgainMaxS) * kMicrosPerSecond;
  }
  return failure;
}

Result<notify::Secrets> SecretsOf(const Receiver& receiver, const std::string& of) {
  notify::Secrets secrets;
  if (!receiver.url_env.empty()) {
    secrets.url = FB_TRY(RequireVariable(receiver.url_env, of));
    const bool https = secrets.url.starts_with("https://");
    if (!https && !(secrets.url.starts_with("http://") && net::IsLoopbackUrl(secrets.url))) {
      return Fail(
          Code::kFailedPrecondition,
          fmt::format("the variable {} of {} holds no https:// address", receiver.url_env, of));
    }
  }
  if (!receiver.key_env.empty()) secrets.key = FB_TRY(RequireVariable(receiver.key_env, of));
  return secrets;
}

// To each address by itself, so that one that has gone keeps the mail from nobody.
std::optional<Failure> DeliverMail(const Receiver& receiver, const notify::Outgoing& outgoing,
                                   const net::WebOptions& options, const std::string& of) {
  net::MailRequest mail;
  mail.server = receiver.url;
  mail.user = receiver.user;
  mail.from = receiver.from;
  mail.text = notify::MailMessage(receiver, outgoing).text;
  if (!receiver.password_env.empty()) {
    const Result<std::string> password = RequireVariable(receiver.password_env, of);
    if (!password) return FailureOf(password.error());
    mail.password = *password;
  }
  std::optional<Failure> all;
  for (const std::string& address : receiver.to) {
    mail.to = {address};
    const Status sent = net::SendMail(mail, options);
    if (sent) continue;
    Failure failure = FailureOf(sent.error());
    // What one can't have for good is said; the others have it. What can be mended is tried again.
    if (!all) {
      all = Failure{"", true, 0};
    } else {
      all->fault += "; ";
    }
    all->fault += address + ": " + failure.fault;
    all->final = all->final && failure.final;
    if (!failure.final) break;
  }
  return all;
}

std::optional<Failure> DeliverHttp(const Receiver& receiver, const notify::Outgoing& outgoing,
                                   const net::WebOptions& options, const std::string& of) {
  const Result<notify::Secrets> secrets = SecretsOf(receiver, of);
  if (!secrets) return FailureOf(secrets.error());
  // Some answers say the address again that was asked, or the key.
  const bool tell_words = receiver.url_env.empty() && receiver.kind != ReceiverKind::kPagerDuty;
  net::WebClient web(options);
  for (const net::WebRequest& request : notify::HttpMessages(receiver, *secrets, outgoing)) {
    bool taken = false;  // by its head; whatever stands behind it is of no interest
    const Result<net::WebResponse> response =
        web.Fetch(request, [&](const net::WebResponse&, std::string_view) -> Status {
          taken = true;
          return {};
        });
    if (taken) continue;
    if (!response) return FailureOf(response.error());
    if (std::optional<Failure> failure = FailureOf(*response, tell_words)) return failure;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> Deliver(const Receiver& receiver, const notify::Outgoing& outgoing,
                               const std::function<bool()>& stopped) {
  net::WebOptions options;
  options.ca_file = receiver.ca_file;
  options.connect_timeout_ms = kConnectTimeoutMs;
  options.quiet_timeout_s = kQuietTimeoutS;
  options.whole_timeout_s = kWholeTimeoutS;
  options.body_max_bytes = kAnswerMaxBytes;
  options.stopped = stopped;
  const std::string of = "the receiver '" + receiver.name + "'";
  return receiver.kind == ReceiverKind::kEmail ? DeliverMail(receiver, outgoing, options, of)
                                               : DeliverHttp(receiver, outgoing, options, of);
}

}  // namespace flyball::app
