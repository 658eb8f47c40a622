#include "sources/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "base/text.h"

namespace flyball::sources {
namespace {

pugi::xml_node NodeAt(pugi::xml_node node, const char* path) {
  for (const std::string_view step : SplitText(path, '/')) {
    node = node.child(std::string(step).c_str());
  }
  return node;
}

// "InvalidAccessKeyId" and the like: a word of the store, never a sentence.
bool IsCode(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

std::string CodeOf(const std::string& body) {
  std::string code;
  pugi::xml_document document;
  if (document.load_buffer(body.data(), body.size())) {
    code = document.document_element().child_value("Code");
  } else {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object() && json.contains("error")) {
      const nlohmann::json& error = json["error"];
      if (error.is_string()) code = error.get<std::string>();
      // "code" and "type" are words at vendors of models; Google's code is a number.
      for (const char* name : {"type", "code"}) {
        if (error.is_object() && error.contains(name) && error[name].is_string()) {
          code = error[name].get<std::string>();
        }
      }
      if (error.is_object() && error.contains("errors") && error["errors"].is_array() &&
          !error["errors"].empty() && error["errors"][0].is_object()) {
        const nlohmann::json& first = error["errors"][0];
        if (first.contains("reason") && first["reason"].is_string()) {
          code = first["reason"].get<std::string>();
        }
      }
    }
  }
  return IsCode(code) ? code : "";
}

}  // namespace

struct Xml::Impl {
  pugi::xml_document document;
  pugi::xml_node root;
};

Xml::Xml() : impl_(std::make_unique<Impl>()) {}
Xml::Xml(Xml&&) noexcept = default;
Xml::~Xml() = default;

Result<Xml> Xml::Parse(std::string_view text, const char* root) {
  Xml xml;
  const auto read = xml.impl_->document.load_buffer(text.data(), text.size(), pugi::parse_default,
                                                    pugi::encoding_utf8);
  xml.impl_->root = xml.impl_->document.child(root);
  if (!read || !xml.impl_->root) {
    return Fail(Code::kInvalidArgument, fmt::format("the answer is no {} in XML", root));
  }
  return xml;
}

std::string Xml::Text(const char* path) const { return NodeAt(impl_->root, path).child_value(); }

std::vector<Xml::Item> Xml::Items(const char* path) const {
  std::string_view steps = path;
  const size_t last = steps.rfind('/');
  pugi::xml_node parent = impl_->root;
  if (last != std::string_view::npos) {
    parent = NodeAt(parent, std::string(steps.substr(0, last)).c_str());
    steps.remove_prefix(last + 1);
  }
  std::vector<Item> items;
  for (const pugi::xml_node& node : parent.children(std::string(steps).c_str())) {
    items.push_back(Item(node.internal_object()));
  }
  return items;
}

std::string Xml::Item::Text(const char* path) const {
  const pugi::xml_node node(static_cast<pugi::xml_node_struct*>(node_));
  return NodeAt(node, path).child_value();
}

Result<uint64_t> Xml::Item::Number(const char* path) const {
  const std::string text = Text(path);
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return Fail(Code::kInvalidArgument, fmt::format("the list has an item without a {}", path));
  }
  return number;
}

Result<Instant> Xml::Item::Time(const char* path) const {
  const std::string text = Text(path);
  ParsedInstant parsed;
  if (ParseInstant(text, &parsed)) return parsed.instant;
  std::tm fields{};
  if (const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
      end != nullptr && *end == '\0') {
    return Instant{static_cast<int64_t>(timegm(&fields)) * kMicrosPerSecond};
  }
  return Fail(Code::kInvalidArgument, fmt::format("the list has an item without a {}", path));
}

Error Refusal(const net::WebResponse& response, const std::string& what) {
  const std::string code = CodeOf(response.body);
  Error error{Code::kUnavailable,
              fmt::format("{} was answered with {}{}{}", what, response.status,
                          code.empty() ? "" : " ", code),
              {},
              {}};
  if (response.status / 100 == 3) {
    error.code = Code::kFailedPrecondition;
    error.hint = "redirects are not followed: check endpoint and region";
  } else if (response.status == 404) {
    error.code = Code::kNotFound;
    error.hint = "check the names in the source";
  } else if (response.status == 401 || response.status == 403) {
    error.code = response.status == 401 ? Code::kUnauthenticated : Code::kPermissionDenied;
    error.hint =
        "check the keys in the environment, that they may list and read there, and this "
        "machine's clock";
  } else if (response.status == 412) {
    error.code = Code::kAborted;
  } else if (response.status / 100 == 4 && response.status != 408 && response.status != 429) {
    error.code = Code::kFailedPrecondition;
    error.hint = "check the source in estate.yaml";
  }
  return error;
}

}  // namespace flyball::sources
