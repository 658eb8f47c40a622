// Containers of Azure Blob Storage: List Blobs and Get Blob, by a shared access signature or the
// account's key ("Authorize with Shared Key", learn.microsoft.com).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "estate/estate.h"
#include "sources/store.h"

namespace flyball::sources {

// One of them is set.
struct AzureKey {
  std::string sas;          // "sv=...&sig=...", with or without a leading '?'
  std::string account_key;  // Base64
};

// INVALID_ARGUMENT when the account's key is no Base64. `now` is asked for each request.
Result<Store> MakeAzure(const estate::Source& source, AzureKey key, std::function<Instant()> now);
Result<Page> ReadAzurePage(std::string_view xml);

// What Shared Key signs of a GET. `path` is that of the request, encoded.
std::string AzureStringToSign(const std::string& account, const std::string& path,
                              const std::map<std::string, std::string>& query,
                              const std::map<std::string, std::string>& headers);

}  // namespace flyball::sources
