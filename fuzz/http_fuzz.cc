// Whatever bytes a client sends, in whatever pieces, the server's connection reads or refuses them,
// and ends. The first eight bytes are the seed of the pieces.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "net/multipart.h"
#include "net/sim_net.h"

using namespace flyball;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  uint64_t seed = 0;
  if (size < sizeof seed) {
    return 0;
  }
  std::memcpy(&seed, data, sizeof seed);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + sizeof seed,
                               size - sizeof seed);
  Random random(seed);
  net::ServerOptions options;
  options.body_max_bytes = 4096;
  options.upload_max_bytes = 8192;
  options.header_max_bytes = 2048;
  SimClock clock(Instant{0});
  net::SimClient client(
      options, clock, random,
      [](const net::Request& request) {
        net::Response response;
        response.body = request.path;
        return response;
      },
      [](const net::Request& head) -> Result<net::BodyPlan> {
        return net::BodyPlan{head.path.starts_with("/u")};
      });
  const net::SimPlan plan{1 + random.Below(64), 1 + random.Below(64), 0, {}};
  client.Send(bytes, plan);
  client.Wait(200 * kMicrosPerSecond, plan);
  FB_ASSERT(client.IsClosed());

  net::MultipartParser parser("B",
                              {[](const net::MultipartParser::Part&) { return Status(); },
                               [](std::string_view) { return Status(); }, [] { return Status(); }});
  if (parser.Put(bytes)) {
    (void)parser.Finish().has_value();
  }
  return 0;
}
