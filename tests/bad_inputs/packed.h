// Packed content for tests: honest, and gigabytes that take a few kilobytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flyball::tests {

std::string Gzip(std::string_view content);
std::string Zstd(std::string_view content);
// A gzip file that unpacks to `start` and then `bytes` times the letter a, without a line break.
// Made of members that repeat, so that it costs little to make.
std::string GzipBomb(std::string_view start, uint64_t bytes);

}  // namespace flyball::tests
