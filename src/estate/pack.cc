#include "estate/snapshot.h"

// Names of what pack.S embeds.
#define FLYBALL_PACK(FILE) \
  FILE(providers)          \
  FILE(tags)               \
  FILE(models)             \
  FILE(charges)            \
  FILE(vendors)            \
  FILE(aws)                \
  FILE(azure)              \
  FILE(google)             \
  FILE(oracle)             \
  FILE(data)               \
  FILE(selfhosted)         \
  FILE(words)              \
  FILE(focus)

extern "C" {
#define FLYBALL_DECLARE(name)              \
  extern const char flyball_pack_##name[]; \
  extern const char flyball_pack_##name##_end[];
FLYBALL_PACK(FLYBALL_DECLARE)
#undef FLYBALL_DECLARE
}

namespace flyball::estate {

const std::vector<SnapshotPart>& PackParts() {
  static const std::vector<SnapshotPart> parts = {
#define FLYBALL_LIST(name)                  \
  SnapshotPart{                             \
      true, #name ".yaml",                  \
      std::string_view(flyball_pack_##name, \
                       static_cast<size_t>(flyball_pack_##name##_end - flyball_pack_##name))},
      FLYBALL_PACK(FLYBALL_LIST)
#undef FLYBALL_LIST
  };
  return parts;
}

}  // namespace flyball::estate
