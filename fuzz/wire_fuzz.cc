// Whatever bytes come, the strict reader of heads and bodies takes or refuses them, reads the same
// in whatever pieces they come, and its views stay inside of what it was given. The first byte
// chooses request, response, or chunked body; the second is the seed of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/clock.h"
#include "net/wire.h"

using namespace flyball;

namespace {

void CheckInside(std::string_view whole, std::string_view part) {
  FB_ASSERT(part.empty() || (part.data() >= whole.data() &&
                             part.data() + part.size() <= whole.data() + whole.size()));
}

struct Body {
  bool good = true;
  bool done = false;
  size_t used = 0;
  std::string data;
};

Body ReadBody(std::string_view bytes, net::Framing framing, int64_t length, size_t most,
              Random& random) {
  net::BodyReader reader(framing, length);
  Body body;
  while (body.used < bytes.size() && !reader.done()) {
    const size_t n = std::min<size_t>(bytes.size() - body.used, 1 + random.Below(most));
    const auto step = reader.Next(bytes.substr(body.used, n));
    if (!step) {
      body.good = false;
      return body;
    }
    FB_ASSERT(step->used > 0 && step->used <= n);
    CheckInside(bytes, step->data);
    body.used += step->used;
    body.data.append(step->data);
  }
  body.done = reader.done();
  return body;
}

void CheckBody(std::string_view bytes, net::Framing framing, int64_t length, Random& random) {
  const Body whole = ReadBody(bytes, framing, length, std::max<size_t>(bytes.size(), 1), random);
  const Body pieces = ReadBody(bytes, framing, length, 1 + random.Below(8), random);
  FB_ASSERT(whole.good == pieces.good);
  if (whole.good) {
    FB_ASSERT(whole.done == pieces.done && whole.used == pieces.used && whole.data == pieces.data);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) {
    return 0;
  }
  Random random(data[1]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 3 == 2) {
    CheckBody(bytes, net::Framing::kChunked, -1, random);
    return 0;
  }
  size_t looked = 0;
  const size_t end = net::FindHeadEnd(bytes, &looked);
  size_t in_pieces = 0;
  looked = 0;
  for (size_t n = 0; n < bytes.size() && in_pieces == 0;) {
    n = std::min<size_t>(bytes.size(), n + 1 + random.Below(5));
    in_pieces = net::FindHeadEnd(bytes.substr(0, n), &looked);
  }
  FB_ASSERT(end == in_pieces && end <= bytes.size());
  const net::HeadLimits limits{2048, 16};
  net::Head head;
  const std::string_view text = bytes.substr(0, end);
  const auto parsed = data[0] % 3 == 0 ? net::ParseRequestHead(text, limits, &head)
                                       : net::ParseResponseHead(text, limits, false, &head);
  if (!parsed) {
    FB_ASSERT(parsed.error().status >= 400 && !parsed.error().why.empty());
    return 0;
  }
  FB_ASSERT(head.headers.size() <= limits.headers_max && end <= limits.bytes_max && end > 0);
  for (const net::HeaderView& header : head.headers) {
    CheckInside(text, header.name);
    CheckInside(text, header.value);
    FB_ASSERT(!header.name.empty());
    FB_ASSERT(header.value.find_first_of("\r\n") == std::string_view::npos);
  }
  CheckInside(text, head.target);
  CheckBody(bytes.substr(end), head.framing, head.length, random);
  return 0;
}
