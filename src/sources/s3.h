// Buckets of S3 and of what speaks like it: ListObjectsV2 and GetObject, signed with SigV4.
#pragma once

#include <functional>

#include "estate/estate.h"
#include "sources/sigv4.h"
#include "sources/store.h"

namespace flyball::sources {

// Without an endpoint: AWS itself, in the region. `now` is asked for each request, as a signature
// holds for minutes only.
Store MakeS3(const estate::Source& source, AwsKey key, std::function<Instant()> now);
// Of ListObjectsV2. INVALID_ARGUMENT when it is no such answer.
Result<Page> ReadS3Page(std::string_view xml);
// The 16 bytes where an ETag can be the MD5 of the content: not of an object in parts. Of one that
// is encrypted with a key of KMS it looks like one and is none; only the answer to a get tells.
std::string Md5OfEtag(std::string_view etag);

}  // namespace flyball::sources
