#include "net/multipart.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/clock.h"

namespace flyball::net {
namespace {

struct ReadPart {
  MultipartParser::Part part;
  std::string data;
  bool ended = false;
};

Result<std::vector<ReadPart>> Read(std::string_view boundary, std::string_view text, Random& random,
                                   size_t piece_max) {
  std::vector<ReadPart> parts;
  MultipartParser parser(boundary, {[&](const MultipartParser::Part& part) -> Status {
                                      parts.push_back({part, {}, false});
                                      return {};
                                    },
                                    [&](std::string_view data) -> Status {
                                      parts.back().data += data;
                                      return {};
                                    },
                                    [&]() -> Status {
                                      parts.back().ended = true;
                                      return {};
                                    }});
  while (!text.empty()) {
    const size_t n = 1 + random.Below(std::min(piece_max, text.size()));
    FB_CHECK(parser.Put(text.substr(0, n)));
    text.remove_prefix(n);
  }
  FB_CHECK(parser.Finish());
  return parts;
}

Result<std::vector<ReadPart>> Read(std::string_view text) {
  Random random(3);
  return Read("B", text, random, 7);
}

TEST(Multipart, FindsTheBoundary) {
  EXPECT_EQ(*MultipartBoundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*MultipartBoundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  for (const char* bad : {"", "multipart/form-data", "multipart/form-data; boundary=",
                          "text/plain; boundary=x", "multipart/form-data; boundary"}) {
    EXPECT_FALSE(MultipartBoundary(bad).has_value()) << bad;
  }
}

TEST(Multipart, ReadsFieldsAndFiles) {
  auto parts = Read(
      "preamble\r\n--B\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\naws\r\n"
      "--B \r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;\\\"b\\\".csv\"\r\n"
      "Content-Type: text/csv\r\n\r\nx,y\r\n-Bogus\r\n\r\n--B--\r\nepilogue --B");
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].part.name, "source");
  EXPECT_FALSE((*parts)[0].part.is_file);
  EXPECT_EQ((*parts)[0].data, "aws");
  EXPECT_EQ((*parts)[1].part.filename, "a;\"b\".csv");
  EXPECT_EQ((*parts)[1].part.content_type, "text/csv");
  EXPECT_TRUE((*parts)[1].ended);
}

TEST(Multipart, RefusesWhatIsBroken) {
  for (const char* bad :
       {"", "no boundary", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncut off",
        "--B\r\n\r\nno head\r\n--B--", "--B\r\nX: y\r\n\r\nno name\r\n--B--",
        "--Bx\r\n\r\n--B--"}) {
    EXPECT_FALSE(Read(bad).has_value()) << bad;
  }
  EXPECT_FALSE(Read("--B\r\nX: " + std::string(100'000, 'y')).has_value());
  EXPECT_FALSE(Read("--B" + std::string(100'000, ' ')).has_value());
  std::string many;
  for (int i = 0; i <= kPartsMax; ++i) {
    many += "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
  }
  EXPECT_FALSE(Read(many + "--B--").has_value());
}

TEST(Multipart, ReadsTheSameHoweverTheBytesArrive) {
  rc::check("any chunking gives the parts back", [](uint64_t seed) {
    Random random(seed);
    std::vector<std::string> bodies;
    std::string text;
    for (uint64_t i = 1 + random.Below(4); i > 0; --i) {
      std::string data;
      static constexpr std::string_view kBits[] = {"\r\n", "--", "\r\n--", "\r", "B", "-", "xyz"};
      for (uint64_t k = random.Below(200); k > 0; --k) {
        data += kBits[random.Below(std::size(kBits))];
      }
      // The sender's duty: the delimiter does not occur in the data.
      while (data.find("\r\n--BB") != std::string::npos ||
             (data + "\r\n--BB").find("\r\n--BB") != data.size()) {
        data.erase(data.find("\r\n--BB"), 1);
      }
      bodies.push_back(data);
      text += "--BB\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n" + data + "\r\n";
    }
    text += "--BB--\r\n";
    auto parts = Read("BB", text, random, 1 + random.Below(50));
    RC_ASSERT(parts.has_value());
    RC_ASSERT(parts->size() == bodies.size());
    for (size_t i = 0; i < bodies.size(); ++i) {
      RC_ASSERT((*parts)[i].data == bodies[i]);
      RC_ASSERT((*parts)[i].ended);
    }
  });
}

}  // namespace
}  // namespace flyball::net
