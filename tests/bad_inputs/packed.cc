#include "bad_inputs/packed.h"

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>

namespace flyball::tests {
namespace {

constexpr uint64_t kMemberBytes = 16u << 20;
constexpr int kGzipWindow = 15 + 16;

}  // namespace

std::string Gzip(std::string_view content) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int done = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return packed;
}

std::string Zstd(std::string_view content) {
  std::string packed(ZSTD_compressBound(content.size()), '\0');
  const size_t size =
      ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1);
  if (ZSTD_isError(size) != 0) throw std::runtime_error("ZSTD_compress failed");
  packed.resize(size);
  return packed;
}

std::string GzipBomb(std::string_view start, uint64_t bytes) {
  const std::string member = Gzip(std::string(kMemberBytes, 'a'));
  std::string bomb = start.empty() ? "" : Gzip(start);
  for (uint64_t made = 0; made < bytes; made += kMemberBytes) bomb += member;
  return bomb;
}

}  // namespace flyball::tests
