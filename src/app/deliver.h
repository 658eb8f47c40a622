// Deliver: sends one delivery to its receiver, with the secrets of the environment.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "model/notice.h"
#include "notify/message.h"
#include "notify/outbox.h"

namespace flyball::app {

// nullopt: the receiver has taken it. A failure never says a secret. `stopped` ends it early.
std::optional<notify::Failure> Deliver(const notice::Receiver& receiver,
                                       const notify::Outgoing& outgoing,
                                       const std::function<bool()>& stopped);

}  // namespace flyball::app
