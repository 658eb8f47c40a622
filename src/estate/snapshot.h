// The snapshot: the files of an estate and of the shipped pack in one text that says where each
// came from.
//
//   # Flyball rulebook snapshot 1
//   --- # estate estate.yaml 1234
//   <1234 bytes of the file, as they are>
//   --- # pack aws.yaml 567
//   <567 bytes>
//
// Each part is followed by one line feed. What a commit stores is this text: rebuilding needs
// neither the files nor the product that shipped the pack, and errors still point at the line of
// the file where it was written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball::estate {

struct SnapshotPart {
  bool pack = false;  // shipped with the product
  std::string
      name;  // "estate.yaml", "rules/aws.yaml": relative to the estate's folder, or to the pack
  std::string_view text;
};

std::string WriteSnapshot(const std::vector<SnapshotPart>& parts);
// Views into `snapshot`. DATA_LOSS when the text is no snapshot or is cut.
Result<std::vector<SnapshotPart>> ReadSnapshot(std::string_view snapshot);

// The shipped pack, in its order.
const std::vector<SnapshotPart>& PackParts();

}  // namespace flyball::estate
