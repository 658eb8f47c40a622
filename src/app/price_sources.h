// The price book that a command works with, and files that are read whole.
#pragma once

#include <string>

#include "app/command.h"
#include "base/result.h"
#include "rates/price_book.h"
#include "rates/price_file.h"

namespace flyball::app {

// A regular file's bytes; `what` it is a file of, for the error ("of prices").
Result<std::string> ReadWholeFile(const Environment& environment, const std::string& path,
                                  std::string_view what, size_t bytes_max);
// A price file's bytes, and what they say. Errors name the file.
Result<std::string> ReadPriceBytes(const Environment& environment, const std::string& path);
Result<rates::PriceFile> ReadPrices(const Environment& environment, const std::string& path);
// Of what was imported, above the built-in list; or of a file alone, unless it is a contract: that
// stands above all of these.
Result<rates::PriceBook> OpenPrices(const Environment& environment, const std::string& file);

}  // namespace flyball::app
