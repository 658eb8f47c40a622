// Answers of stores: their XML, and what a refusal says, without what it may repeat of a request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/web.h"

namespace flyball::sources {

// A document whose root and items have texts only, or one level below (Azure's Properties).
class Xml {
 public:
  class Item {
   public:
    // "" when it is not there. A path such as "Properties/Etag" leads down.
    std::string Text(const char* path) const;
    Result<uint64_t> Number(const char* path) const;
    // Of RFC 3339 or RFC 1123.
    Result<Instant> Time(const char* path) const;

   private:
    friend class Xml;
    explicit Item(void* node) : node_(node) {}
    void* node_;  // of the document, which must outlive the item
  };

  // INVALID_ARGUMENT when it is no XML or has another root.
  static Result<Xml> Parse(std::string_view text, const char* root);
  Xml(Xml&&) noexcept;
  ~Xml();
  std::string Text(const char* path) const;
  std::vector<Item> Items(const char* path) const;

 private:
  struct Impl;
  Xml();
  std::unique_ptr<Impl> impl_;
};

// Why a store refused: its status and the code that it gives, nothing else of its words, as they
// may repeat what was signed, with the remedy. `what`: "s3://bucket/key".
Error Refusal(const net::WebResponse& response, const std::string& what);

}  // namespace flyball::sources
