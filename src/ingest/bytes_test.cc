#include "ingest/bytes.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace flyball::ingest {
namespace {

namespace fs = std::filesystem;

class BytesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "flyball-bytes-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  // The unpacked content of a file with these bytes.
  Result<std::string> Unpacked(std::string_view bytes, size_t read_bytes = 1000) {
    std::string path = root_ + "/file";
    std::ofstream(path, std::ios::binary) << bytes;
    std::shared_ptr<const InputFile> file = FB_TRY(InputFile::Open(path));
    std::unique_ptr<ByteSource> source = FB_TRY(OpenContent(file));
    std::string content, buffer(read_bytes, '\0');
    for (;;) {
      size_t got = FB_TRY(source->Read(buffer.data(), buffer.size()));
      if (got == 0) return content;
      content.append(buffer, 0, got);
    }
  }
  std::string root_;
};

std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

TEST_F(BytesTest, UnpacksWhatItsFirstBytesSay) {
  std::string text = Text();
  EXPECT_EQ(Unpacked(text).value(), text);
  EXPECT_EQ(Unpacked(Gzip(text)).value(), text);
  EXPECT_EQ(Unpacked(Zstd(text)).value(), text);
  EXPECT_EQ(Unpacked(Gzip("one") + Gzip("two"), 1).value(), "onetwo");
  EXPECT_EQ(Unpacked(Gzip("one") + std::string(512, '\0')).value(), "one");
  EXPECT_EQ(Unpacked(Zstd("one") + Zstd("two"), 1).value(), "onetwo");
}

TEST_F(BytesTest, HalfABillIsNoBill) {
  std::string text = Text();
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    for (size_t keep : {size_t{5}, packed.size() / 2, packed.size() - 1}) {
      auto content = Unpacked(packed.substr(0, keep));
      ASSERT_FALSE(content.has_value()) << keep;
      EXPECT_EQ(content.error().code, Code::kInvalidArgument);
      EXPECT_NE(content.error().message.find("truncated"), std::string::npos);
    }
    std::string damaged = packed;
    damaged[packed.size() / 2] = static_cast<char>(damaged[packed.size() / 2] ^ 0x55);
    EXPECT_FALSE(Unpacked(damaged).has_value());
  }
}

TEST_F(BytesTest, RefusesAZstdWindowThatWouldEatTheMemory) {
  // A frame header that asks for a window of 2 GiB (RFC 8878, 3.1.1.1.2), and one empty block.
  std::string frame("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00", 9);
  auto content = Unpacked(frame);
  ASSERT_FALSE(content.has_value());
  EXPECT_NE(content.error().message.find("window"), std::string::npos) << content.error().message;
}

TEST_F(BytesTest, SeesThatAFileChanges) {
  std::string path = root_ + "/file";
  std::ofstream(path) << "one";
  auto file = InputFile::Open(path);
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE((*file)->CheckUnchanged().has_value());
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_FALSE((*file)->CheckUnchanged().has_value());
}

}  // namespace
}  // namespace flyball::ingest
