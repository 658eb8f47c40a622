// A folder that is a home for one test, and a service over it. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/clock.h"
#include "serve/fake_ledger.h"
#include "serve/service.h"

namespace flyball::serve {

class TestHome {
 public:
  TestHome() {
    const char* base = getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/flyball-serve-XXXXXX";
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
    std::filesystem::create_directories(path_ + "/tmp");
    std::filesystem::create_directories(path_ + "/quarantine");
  }
  ~TestHome() { std::filesystem::remove_all(path_); }
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;
  const std::string& path() const { return path_; }
  std::string Read(const std::string& name) const {
    std::ifstream in(path_ + "/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
  }
  // The admin token, as the command line reads it.
  std::string Token() const {
    const std::string content = Read("token");
    return content.substr(0, content.find('\n'));
  }

 private:
  std::string path_;
};

inline net::Request Ask(std::string method, std::string path, std::string body = {}) {
  net::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  request.peer = "127.0.0.1";
  return request;
}

inline std::string HeaderOf(const net::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace flyball::serve
