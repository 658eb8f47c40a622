// A client of a simulated life (life_world.h): asks over one connection, reads what it is answered.
// Test code only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/sim_gateway.h"
#include "net/wire.h"

namespace flyball::gateway {

class LifeClient {
 public:
  explicit LifeClient(std::unique_ptr<net::Stream> stream) : end(std::move(stream)) {
    end.on_bytes = [this] { Read(); };
  }
  void Ask(const std::string& request) {
    ++asked;
    end.Say(request);
  }
  bool waits() const { return asked > static_cast<int>(statuses.size()); }
  // It has left, or was left.
  bool is_over() const { return !end.is_here() || end.heard_end; }

  SimEnd end;
  int asked = 0;
  std::vector<int> statuses;  // of whole answers
  std::vector<std::string> bodies;
  bool is_garbled = false;  // what came is no answer

 private:
  void Read() {
    while (ReadSome()) {
    }
  }
  bool ReadSome() {
    if (!in_body_) {
      size_t looked = 0;
      const size_t head_bytes = net::FindHeadEnd(end.heard, &looked);
      if (head_bytes == 0) return false;
      const std::string head = end.heard.substr(0, head_bytes);
      net::Head parsed;
      if (!net::ParseResponseHead(head, {}, false, &parsed)) {
        is_garbled = true;
        return false;
      }
      status_ = parsed.status;
      body_ = net::BodyReader(parsed.framing, parsed.length);
      body_text_.clear();
      end.heard.erase(0, head_bytes);
      in_body_ = true;
    }
    if (!body_.done()) {
      const auto step = body_.Next(end.heard);
      if (!step) is_garbled = true;
      if (!step || (step->used == 0 && !body_.done())) return false;
      body_text_ += step->data;
      end.heard.erase(0, step->used);
      if (!body_.done()) return !end.heard.empty();
    }
    in_body_ = false;
    statuses.push_back(status_);
    bodies.push_back(body_text_);
    return true;
  }

  bool in_body_ = false;
  int status_ = 0;
  net::BodyReader body_;
  std::string body_text_;
};

}  // namespace flyball::gateway
