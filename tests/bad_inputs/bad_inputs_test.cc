// Every bad input that we could think of, given to the real binary: it ends with the right exit
// code (2: wrong usage or bad input, 3: it could not be done), says one clear sentence on standard
// error, holds little memory, and changes nothing in the home or beside it.
//
// A new case is one line in one of the tables below.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "bad_inputs/packed.h"
#include "support/program.h"

namespace flyball::tests {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kGigabyte = 1ull << 30;
constexpr char kMemory[] = "256MiB";
constexpr uint64_t kMemoryBytes = 256ull << 20;
constexpr int kDeep = 100000;
constexpr int kBadInput = 2;
constexpr int kNotDone = 3;

constexpr std::string_view kHeader =
    "BilledCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ProviderName,ServiceName\n";
constexpr std::string_view kRow =
    "1.5,USD,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-03T00:00:00Z,"
    "2026-01-04T00:00:00Z,AWS,Amazon EC2\n";

std::string Bill() { return std::string(kHeader) + std::string(kRow) + std::string(kRow); }

// Where a case may put its files, and the home that it works on.
struct Place {
  fs::path folder;
  fs::path home;
  std::string Put(const std::string& name, std::string_view content) const {
    WriteFile(folder / name, content);
    return (folder / name).string();
  }
};

struct Case {
  const char* name;
  // Makes what is needed and gives the arguments; --home is added.
  std::function<std::vector<std::string>(const Place&)> arguments;
  const char* says;  // must be a part of the sentence
  int exit_code = kBadInput;
};
std::ostream& operator<<(std::ostream& out, const Case& which) { return out << which.name; }

std::function<std::vector<std::string>(const Place&)> ImportOf(const char* name,
                                                               std::string content) {
  return [name, content = std::move(content)](const Place& place) {
    return std::vector<std::string>{"import", place.Put(name, content)};
  };
}

std::function<std::vector<std::string>(const Place&)> Words(std::vector<std::string> words) {
  return [words = std::move(words)](const Place&) { return words; };
}

std::function<std::vector<std::string>(const Place&)> ClassifyWith(std::string estate) {
  return [estate = std::move(estate)](const Place& place) {
    WriteFile(place.home / "estate.yaml", estate);
    return std::vector<std::string>{"classify"};
  };
}

// An import of a good bill with further options.
std::function<std::vector<std::string>(const Place&)> GoodBillWith(std::vector<std::string> more) {
  return [more = std::move(more)](const Place& place) {
    std::vector<std::string> words{"import", place.Put("good.csv", Bill())};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
}

std::string Replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

std::vector<std::string> SparseImport(const Place& place, std::string_view start) {
  const std::string path = place.Put("line.csv", start);
  fs::resize_file(path, kGigabyte);
  return {"import", path, "--memory", kMemory};
}

// A Parquet file that was good once: the base home's own slice, damaged by `damage`.
std::vector<std::string> DamagedParquet(const Place& place, void (*damage)(std::string*)) {
  for (const auto& entry : fs::recursive_directory_iterator(place.home / "slices")) {
    if (!entry.path().filename().string().starts_with("part-")) continue;
    std::string content = ReadFile(entry.path());
    damage(&content);
    return {"import", place.Put("bill.parquet", content)};
  }
  return {"no slice found"};
}

std::vector<std::string> PortInUse(const Place&) {
  static const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  (void)bind(listening, reinterpret_cast<sockaddr*>(&address), size);
  (void)listen(listening, 1);
  (void)getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  return {"serve", "--listen", "127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
}

const std::vector<Case>& BadBills() {
  static const std::vector<Case> cases = {
      {"EmptyFile", ImportOf("empty.csv", ""), "empty"},
      {"OnlyBlanks", ImportOf("blank.csv", " \n\n \r\n"), "no content"},
      {"OnlyAByteOrderMark", ImportOf("bom.csv", "\xEF\xBB\xBF"), "no content"},
      {"NoHeader", ImportOf("bare.csv", std::string(kRow) + std::string(kRow)), "header"},
      {"HeaderOnly", ImportOf("header.csv", std::string(kHeader)), "no rows"},
      {"HeaderOfSomethingElse", ImportOf("people.csv", "Name,Colour\na,b\n"), "header"},
      {"NoFocusFileAtAll", ImportOf("letter.txt", "Dear reader,\nthis is no bill.\n"), "header"},
      {"WrongDelimiter", ImportOf("colons.csv", Replaced(Bill(), ',', ';')), "commas"},
      {"ColumnTwice", ImportOf("twice.csv", "BilledCost,BillingCurrency,BilledCost\n1,USD,2\n"),
       "twice"},
      {"Utf16",
       ImportOf("utf16.csv", std::string("\xFF\xFE"
                                         "B\0i\0l\0l\0",
                                         10)),
       "UTF-16"},
      {"Binary",
       ImportOf("x.csv", std::string("\x7F"
                                     "ELF\x02\x01\x00\x00\x00",
                                     9)),
       "binary"},
      {"Zip", ImportOf("bill.zip", std::string("PK\x03\x04\x14\x00\x00\x00\x08\x00", 10)),
       "binary"},
      {"JsonGarbage", ImportOf("bill.jsonl", "{\"BilledCost\": 1\n}{]\nnonsense\n"), ""},
      {"JsonOfSomethingElse", ImportOf("bill.jsonl", "{\"name\":\"a\"}\n{\"name\":\"b\"}\n"), ""},
      {"JsonOfNewKeysOnEveryLine",
       [](const Place& place) {
         std::string text = "{\"BilledCost\":1}\n";
         for (int i = 0; i < kDeep; ++i) text += "{\"x_" + std::to_string(i) + "\":1}\n";
         return std::vector<std::string>{"import", place.Put("keys.jsonl", text)};
       },
       "keys.jsonl:1001: the lines up to here have more than 1000 different keys"},
      {"JsonNestedDeep",
       ImportOf("deep.jsonl", "{\"BilledCost\":" + std::string(kDeep, '[') + "\n"), ""},
      {"MissingFile", Words({"import", "/no/such/bill.csv"}), "does not exist"},
      {"Folder",
       [](const Place& place) { return std::vector<std::string>{"import", place.folder.string()}; },
       "not a regular file"},
      {"Pipe",
       [](const Place& place) {
         const std::string path = (place.folder / "pipe.csv").string();
         mkfifo(path.c_str(), 0600);
         return std::vector<std::string>{"import", path};
       },
       "not a regular file"},
      {"Device", Words({"import", "/dev/zero"}), "not a regular file"},
      {"OneGoodAndOneBad",
       [](const Place& place) {
         return std::vector<std::string>{"import", place.Put("good.csv", Bill()),
                                         place.Put("bad.csv", "Name\nx\n")};
       },
       "bad.csv"},
  };
  return cases;
}

// What a check is given.
const std::vector<Case>& BadChecks() {
  static const auto check = [](const char* name, std::string content,
                               std::vector<std::string> more) {
    return [=](const Place& place) {
      std::vector<std::string> words{"check", place.Put(name, content)};
      words.insert(words.end(), more.begin(), more.end());
      return words;
    };
  };
  static const auto with_model = [](std::string model) {
    return [=](const Place& place) {
      return std::vector<std::string>{"check", place.Put("good.csv", Bill()), "--model",
                                      place.Put("model.json", model)};
    };
  };
  static const std::vector<Case> cases = {
      {"NoFocusFile", check("people.csv", "Name,Colour\na,b\n", {}), "header"},
      {"NoFile", Words({"check", "/no/such/bill.csv"}), "does not exist"},
      {"NoFileAtAll", Words({"check"}), "FILE is required"},
      {"UnknownVersion", check("good.csv", Bill(), {"--focus", "2.0"}), "2.0"},
      {"UnknownDataSet", check("good.csv", Bill(), {"--dataset", "Bills"}), "Bills"},
      {"VersionWithoutTheDataSet",
       check("good.csv", Bill(), {"--dataset", "InvoiceDetail", "--focus", "1.2"}),
       "FOCUS 1.2 has no data set InvoiceDetail"},
      {"TruncatedParquet", check("cut.parquet", "PAR1" + std::string(100, 'x'), {}), "Parquet"},
      {"TruncatedGzip",
       [](const Place& place) {
         const std::string packed = Gzip(Bill());
         return std::vector<std::string>{
             "check", place.Put("cut.csv.gz", packed.substr(0, packed.size() / 2))};
       },
       "gzip"},
      {"ModelIsNoJson", with_model("{\"Details\":"), "byte 12: the requirements model is not JSON"},
      {"ModelIsAnotherJson", with_model("{\"name\":1}"), "'Details' is missing"},
      {"ModelIsDeep", with_model(std::string(kDeep, '[')), "nested too deeply"},
      {"ModelIsNotThere", check("good.csv", Bill(), {"--model", "/no/such/model.json"}),
       "does not exist"},
  };
  return cases;
}

// Packed, or in a form that was whole once.
const std::vector<Case>& DamagedBills() {
  static const std::vector<Case> cases = {
      {"TruncatedGzip",
       [](const Place& place) {
         const std::string packed = Gzip(Bill());
         return std::vector<std::string>{
             "import", place.Put("cut.csv.gz", packed.substr(0, packed.size() / 2))};
       },
       "gzip"},
      {"GzipWithWrongChecksum",
       [](const Place& place) {
         std::string packed = Gzip(Bill());
         packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
         return std::vector<std::string>{"import", place.Put("sum.csv.gz", packed)};
       },
       "gzip"},
      {"GzipOfNothing",
       [](const Place& place) {
         return std::vector<std::string>{"import", place.Put("nothing.csv.gz", Gzip(""))};
       },
       "no content"},
      {"TruncatedZstd",
       [](const Place& place) {
         const std::string packed = Zstd(Bill());
         return std::vector<std::string>{
             "import", place.Put("cut.csv.zst", packed.substr(0, packed.size() / 2))};
       },
       "zstd"},
      {"ParquetWithoutAnything", ImportOf("a.parquet", "PAR1\x00\x00PAR1"), "Parquet"},
      {"ParquetCutInHalf",
       [](const Place& place) {
         return DamagedParquet(place, [](std::string* text) { text->resize(text->size() / 2); });
       },
       "Parquet"},
      {"ParquetWithADamagedFooter",
       [](const Place& place) {
         return DamagedParquet(place, [](std::string* text) {
           for (size_t i = text->size() - 40; i < text->size() - 8; ++i) (*text)[i] = '\x5A';
         });
       },
       "Parquet"},
  };
  return cases;
}

const std::vector<Case>& HugeBills() {
  static const std::vector<Case> cases = {
      {"GigabyteOfNothing", [](const Place& place) { return SparseImport(place, ""); }, ""},
      {"GigabyteLineAfterTheHeader",
       [](const Place& place) { return SparseImport(place, kHeader); }, ""},
      {"GigabyteFieldInQuotes",
       [](const Place& place) {
         return SparseImport(place, std::string(kHeader) + std::string(kRow) + "\"");
       },
       ""},
      {"GigabyteOfOneLetterPacked",
       [](const Place& place) {
         return std::vector<std::string>{
             "import", place.Put("bomb.csv.gz", GzipBomb("", kGigabyte)), "--memory", kMemory};
       },
       "longer than"},
      {"GigabyteLineAfterTheHeaderPacked",
       [](const Place& place) {
         return std::vector<std::string>{
             "import", place.Put("bomb.csv.gz", GzipBomb(kHeader, kGigabyte)), "--memory", kMemory};
       },
       "longer than"},
      {"GigabyteJsonLinePacked",
       [](const Place& place) {
         return std::vector<std::string>{
             "import", place.Put("bomb.jsonl.gz", GzipBomb("{\"BilledCost\":\"", kGigabyte)),
             "--memory", kMemory};
       },
       "longer than"},
  };
  return cases;
}

const std::vector<Case>& BadNames() {
  static const std::vector<Case> cases = {
      {"SourceThatClimbs", GoodBillWith({"--source", "../escape"}), "source"},
      {"SourceThatIsAPath", GoodBillWith({"--source", "a/b"}), "source"},
      {"SourceThatIsTheParent", GoodBillWith({"--source", ".."}), "source"},
      {"SourceWithControls", GoodBillWith({"--source", "a\x1b[31mb"}), "source"},
      {"SourceThatIsNotUtf8", GoodBillWith({"--source", "a\xFF"}), "source"},
      {"SourceOfAbsurdLength", GoodBillWith({"--source", std::string(5000, 'a')}), "source"},
      {"AsOfThatClimbs", Words({"query", "--as-of", "../../etc"}), "commit"},
      {"HomeInsideAFile",
       [](const Place& place) {
         return std::vector<std::string>{"import", place.Put("good.csv", Bill()), "--home",
                                         place.Put("file", "x") + "/home"};
       },
       "", kNotDone},
  };
  return cases;
}

std::string AliasBomb() {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j) text += "," + before;
    text += "]\n";
  }
  return text + "teams: *a11\n";
}

std::string BlockNest(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  return text;
}

const std::vector<Case>& BadEstates() {
  static const std::vector<Case> cases = {
      {"AliasBomb", ClassifyWith(AliasBomb()), "estate.yaml"},
      {"BracketBomb", ClassifyWith("teams: " + std::string(kDeep, '[')), "estate.yaml"},
      {"BraceBomb", ClassifyWith("teams: " + std::string(kDeep, '{')), "estate.yaml"},
      {"DashBomb",
       [](const Place& place) {
         std::string text = "teams: \n";
         for (int i = 0; i < kDeep; ++i) text += "- ";
         return ClassifyWith(text)(place);
       },
       "estate.yaml"},
      {"DeepBlocks", ClassifyWith(BlockNest(2000)), "estate.yaml"},
      {"HugeEstate", ClassifyWith("name: " + std::string(64u << 20, 'a') + "\n"), "estate.yaml"},
      {"ZeroBytes", ClassifyWith(std::string("name: a\0b\n", 10)), "estate.yaml:1"},
      {"NotUtf8", ClassifyWith("name: \xFF\xFE\n"), "estate.yaml:1"},
      {"NotYaml", ClassifyWith("name: [\n"), "estate.yaml:"},
      {"TwoDocuments", ClassifyWith("name: a\n---\nname: b\n"), "estate.yaml"},
      {"UnknownField", ClassifyWith("name: a\nteems: []\n"), "estate.yaml:2"},
      {"UnknownDriver",
       ClassifyWith("rules:\n  - match: { ServiceName: x }\n    set: { driver: magic }\n"),
       "estate.yaml:3"},
      {"BadExpression",
       ClassifyWith("rules:\n  - match: { ServiceName: { regex: '(' } }\n    set: { team: a }\n"),
       "estate.yaml:2"},
      {"SameTeamTwice", ClassifyWith("teams:\n  - id: a\n  - id: a\n"), "estate.yaml:3"},
      {"IncludeThatClimbs", ClassifyWith("include: [../../etc/passwd]\n"), "estate.yaml:1"},
      {"IncludeOfARootFile", ClassifyWith("include: [/etc/passwd]\n"), "estate.yaml:1"},
      {"IncludeThatIsMissing", ClassifyWith("include: [absent.yaml]\n"), "absent.yaml"},
      {"IncludeOfItself", ClassifyWith("include: [estate.yaml]\n"), "estate.yaml"},
      {"EstateThatIsAFolder",
       [](const Place& place) {
         fs::create_directory(place.home / "estate.yaml");
         return std::vector<std::string>{"classify"};
       },
       "estate.yaml", kNotDone},
  };
  return cases;
}

const std::vector<Case>& BadCommands() {
  static const std::vector<Case> cases = {
      {"NoFiles", Words({"import"}), "FILE"},
      {"UnknownCommand", Words({"impotr", "bill.csv"}), "did you mean 'import'?"},
      {"UnknownOption", Words({"query", "--colour", "blue"}), "--colour"},
      {"UnknownFormatOfInput", GoodBillWith({"--format", "focus-xml"}), "focus-xml"},
      {"UnknownFormatOfAnswer", Words({"query", "--format", "xml"}), "xml"},
      {"WrongFormatNamed", GoodBillWith({"--format", "focus-parquet"}), "Parquet"},
      {"MemoryThatIsNoSize", GoodBillWith({"--memory", "lots"}), "lots"},
      {"MemoryTooSmall", GoodBillWith({"--memory", "1MiB"}), "1MiB"},
      {"UnknownMeasure", Words({"query", "--measures", "biled_cost"}), "billed_cost"},
      {"NoMeasure", Words({"query", "--measures", ""}), "measure"},
      {"UnknownDimension", Words({"query", "--by", "drivr"}), "driver"},
      {"UnknownGrain", Words({"query", "--grain", "decade"}), "decade"},
      {"UnknownBasis", Words({"query", "--basis", "gross"}), "gross"},
      {"WrongDate", Words({"query", "--from", "yesterday"}), "yesterday"},
      {"EndBeforeStart", Words({"query", "--from", "2026-02", "--to", "2026-01"}), ""},
      {"FilterWithoutValue", Words({"query", "--where", "provider"}), "provider"},
      {"FilterOfUnknownDimension", Words({"query", "--where", "provder=AWS"}), "provider"},
      {"FilterThatIsCut", Words({"query", "--where", "provider=AWS;;=x"}), ""},
      {"FilterWithAQuote", Words({"query", "--where", "x'; DROP TABLE charges; --=1"}), ""},
      {"TopBelowZero", Words({"query", "--top", "-1"}), "top"},
      {"TopThatIsNoNumber", Words({"query", "--top", "many"}), "many"},
      {"TooManyDimensions",
       Words({"query", "--by", "provider,service,account,region,sku,driver,stage,team,project"}),
       ""},
      {"UnknownCommit", Words({"query", "--as-of", "zzzz"}), "zzzz"},
      {"RowsBeyondTheLimit", Words({"rows", "--limit", "1000000"}), "--limit"},
      {"RowsBeforeTheStart", Words({"rows", "--offset", "-1"}), "--offset"},
      {"SmallThatIsNoSize", Words({"compact", "--small", "tiny"}), "tiny"},
      {"DemoOfNoRows", Words({"demo", "--rows", "0"}), "rows"},
      {"DemoOfTooManyRows", Words({"demo", "--rows", "999999999999"}), "rows"},
      {"ListenOnNothing", Words({"serve", "--listen", "nowhere"}), "nowhere"},
      {"ListenOnAWrongPort", Words({"serve", "--listen", "127.0.0.1:99999"}), "99999"},
      {"ListenOnAForeignAddress", Words({"serve", "--listen", "203.0.113.1:0"}), "203.0.113.1",
       kNotDone},
      {"ListenOnAPortInUse", PortInUse, "127.0.0.1", kNotDone},
  };
  return cases;
}

auto OfAbsentHome(std::vector<std::string> arguments) {
  return [arguments = std::move(arguments)](const Place& place) mutable {
    arguments.insert(arguments.end(), {"--home", (place.folder / "absent").string()});
    return arguments;
  };
}

const std::vector<Case>& BadHomes() {
  static const std::vector<Case> cases = {
      {"NewerHome",
       [](const Place& place) {
         WriteFile(place.home / "VERSION", "999\n");
         return std::vector<std::string>{"query"};
       },
       "999"},
      {"HomeWithoutItsVersion",
       [](const Place& place) {
         fs::remove(place.home / "VERSION");
         return std::vector<std::string>{"query"};
       },
       "VERSION"},
      {"VersionThatIsNoNumber",
       [](const Place& place) {
         WriteFile(place.home / "VERSION", "new\n");
         return std::vector<std::string>{"query"};
       },
       "VERSION", kNotDone},
      {"HomeWithoutAName", Words({"query", "--home", ""}), "--home is empty"},
      {"HomeThatIsAFile",
       [](const Place& place) {
         return std::vector<std::string>{"query", "--home", place.Put("file", "x")};
       },
       "is not a folder"},
      {"HomeThatIsADevice", Words({"query", "--home", "/dev/null"}), "is not a folder"},
      {"MigrateOfNothing",
       [](const Place& place) {
         return std::vector<std::string>{"migrate", "--home", (place.folder / "absent").string()};
       },
       "no home"},
      {"QueryOfNothing", OfAbsentHome({"query"}), "there is no ledger"},
      {"RowsOfNothing", OfAbsentHome({"rows"}), "there is no ledger"},
      {"CommitsOfNothing", OfAbsentHome({"commits"}), "there is no ledger"},
      {"ClassifyOfNothing", OfAbsentHome({"classify"}), "there is no ledger"},
      {"CompactOfNothing", OfAbsentHome({"compact"}), "there is no ledger"},
      {"RebuildOfNothing", OfAbsentHome({"rebuild"}), "there is no ledger"},
      {"TokenOfNothing", OfAbsentHome({"token"}), "there is no folder"},
  };
  return cases;
}

// Sanitizers keep shadow memory of their own.
bool Sanitized() {
  const char* sanitizers = std::getenv("FLYBALL_SANITIZED");
  return sanitizers != nullptr && *sanitizers != '\0';
}

// The derived store may be made anew, a server makes its token before it listens, and locks come
// and go; all else must stay as it is.
bool IsKept(const std::string& relative) {
  return !relative.starts_with("store") && relative != "LOCK" && !relative.starts_with("token");
}

bool IsAny(const std::string&) { return true; }

// What differs between two moments of a folder, one name a line.
std::string Changes(const std::map<std::string, uint64_t>& before,
                    const std::map<std::string, uint64_t>& after) {
  std::string changes;
  for (const auto& [name, hash] : before) {
    auto found = after.find(name);
    if (found == after.end()) changes += "gone: " + name + "\n";
    if (found != after.end() && found->second != hash) changes += "changed: " + name + "\n";
  }
  for (const auto& [name, hash] : after) {
    if (!before.contains(name)) changes += "new: " + name + "\n";
  }
  return changes;
}

class BadInput : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    if (base_ != nullptr) return;
    static TempFolder base;
    base_ = &base;
    WriteFile(base.path() / "first.csv", Bill());
    const Ended ended = RunFlyball({"import", (base.path() / "first.csv").string(), "--home",
                                    (base.path() / "home").string(), "--source", "first"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  void SetUp() override {
    fs::create_directories(folder_.path() / "in");
    fs::copy(base_->path() / "home", folder_.path() / "home", fs::copy_options::recursive);
  }
  Place WherePlaced() const { return {folder_.path() / "in", folder_.path() / "home"}; }

  TempFolder folder_;
  static TempFolder* base_;
};
TempFolder* BadInput::base_ = nullptr;

// The folder of the test has a random name, which may hold anything, "0x" too.
std::string Without(std::string text, const std::string& folder) {
  for (size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at)) {
    text.erase(at, folder.size());
  }
  return text;
}

// One line that reads like a sentence to a person, and nothing from the inside of the program.
void ExpectOneClearSentence(const Ended& ended, const Case& which, const std::string& folder) {
  const std::string said = Without(ended.err, folder);
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
  EXPECT_TRUE(said.ends_with('\n')) << said;
  EXPECT_TRUE(said.starts_with("flyball: ")) << said;
  EXPECT_LT(said.size(), 600u) << said.substr(0, 1000);
  EXPECT_NE(said.find(which.says), std::string::npos)
      << "expected '" << which.says << "' in: " << said;
  for (const char* inside :
       {"terminate", "exception", "what()", "ssertion", "src/", "std::", "nternal", "INTERNAL",
        "nlohmann", "duckdb", "DuckDB", "0x", "errno", "basic_string", "LINE 1:", "Binder"}) {
    EXPECT_EQ(said.find(inside), std::string::npos) << "'" << inside << "' in: " << said;
  }
  for (const char c : said) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << "a control character";
  }
}

TEST_P(BadInput, IsRefusedInOneSentenceAndChangesNothing) {
  const Case& which = GetParam();
  const Place place = WherePlaced();
  std::vector<std::string> arguments = which.arguments(place);
  if (std::ranges::find(arguments, "--home") == arguments.end()) {
    arguments.insert(arguments.end(), {"--home", place.home.string()});
  }
  const auto before = HashTree(place.home, IsKept);
  const auto beside = HashTree(place.folder, IsAny);
  const Ended ended =
      RunFlyball(arguments, {.kill_after = std::chrono::seconds(60), .change_in = {}});
  EXPECT_EQ(ended.exit_code, which.exit_code) << "signal " << ended.signal_number << "\n"
                                              << ended.out << ended.err;
  EXPECT_EQ(ended.out, "");
  ExpectOneClearSentence(ended, which, folder_.path().string());
  EXPECT_TRUE(Sanitized() || ended.resident_peak_bytes < kMemoryBytes) << ended.resident_peak_bytes;
  EXPECT_EQ(Changes(before, HashTree(place.home, IsKept)), "") << "in the home";
  EXPECT_EQ(Changes(beside, HashTree(place.folder, IsAny)), "") << "beside the bill";
}

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Bills, BadInput, testing::ValuesIn(BadBills()), NameOf);
INSTANTIATE_TEST_SUITE_P(Damaged, BadInput, testing::ValuesIn(DamagedBills()), NameOf);
INSTANTIATE_TEST_SUITE_P(Huge, BadInput, testing::ValuesIn(HugeBills()), NameOf);
INSTANTIATE_TEST_SUITE_P(Names, BadInput, testing::ValuesIn(BadNames()), NameOf);
INSTANTIATE_TEST_SUITE_P(Estates, BadInput, testing::ValuesIn(BadEstates()), NameOf);
INSTANTIATE_TEST_SUITE_P(Commands, BadInput, testing::ValuesIn(BadCommands()), NameOf);
INSTANTIATE_TEST_SUITE_P(Checks, BadInput, testing::ValuesIn(BadChecks()), NameOf);
INSTANTIATE_TEST_SUITE_P(Homes, BadInput, testing::ValuesIn(BadHomes()), NameOf);

// A home comes into being with its first commit.
TEST_F(BadInput, NoHomeIsMadeByADryRunOrABadBill) {
  const Place place = WherePlaced();
  const std::string home = (folder_.path() / "not" / "yet").string();
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--home", home});
    return RunFlyball(arguments);
  };
  for (const auto* cases : {&BadBills(), &DamagedBills()}) {
    for (const Case& which : *cases) {
      EXPECT_EQ(run(which.arguments(place)).exit_code, which.exit_code) << which.name;
      EXPECT_FALSE(fs::exists(folder_.path() / "not")) << which.name;
    }
  }
  const std::string bill = place.Put("good.csv", Bill());
  fs::create_directories(home);
  WriteFile(fs::path(home) / "estate.yaml", "rules:\n  - when: {provider: [}\n");
  for (const auto& arguments :
       {std::vector<std::string>{"import", bill, "--dry-run"}, {"import", bill}}) {
    const Ended broken = run(arguments);
    EXPECT_EQ(broken.exit_code, kBadInput) << broken.err;
    EXPECT_NE(broken.err.find("estate.yaml:2"), std::string::npos) << broken.err;
  }
  fs::remove(fs::path(home) / "estate.yaml");
  EXPECT_TRUE(fs::is_empty(home));
  fs::remove_all(folder_.path() / "not");
  const Ended dry = run({"import", bill, "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("dry run"), std::string::npos) << dry.out;
  EXPECT_FALSE(fs::exists(folder_.path() / "not"));
  fs::create_directories(home);
  EXPECT_EQ(run({"import", bill, "--dry-run"}).exit_code, 0);
  EXPECT_TRUE(fs::is_empty(home));
  const Ended imported = run({"import", bill});
  EXPECT_EQ(imported.exit_code, 0) << imported.err;
  EXPECT_TRUE(fs::exists(fs::path(home) / "VERSION"));
  EXPECT_TRUE(fs::is_empty(fs::path(home) / "tmp"));
}

// With --format json the error is a document on standard output too.
TEST_F(BadInput, IsAlsoADocumentForPrograms) {
  const Ended ended = RunFlyball({"import", "/no/such/bill.csv", "--format", "json", "--home",
                                  (folder_.path() / "home").string()});
  EXPECT_EQ(ended.exit_code, kBadInput);
  EXPECT_TRUE(ended.out.starts_with("{\"error\":{\"code\":\"INVALID_ARGUMENT\"")) << ended.out;
  EXPECT_NE(ended.out.find("\"hint\":"), std::string::npos);
}

// Invalid UTF-8 in a text and names that climb are no reason to refuse a bill: the text is repaired
// and counted, and no name of a bill becomes a path.
TEST_F(BadInput, HostileTextsStayTexts) {
  const Place place = WherePlaced();
  const std::string row =
      "2,USD,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-03T00:00:00Z,"
      "2026-01-04T00:00:00Z,../../../etc,\"'; DROP TABLE charges; -- \xFF\xC3\"\n";
  const std::string bill = place.Put("...csv", std::string(kHeader) + row);
  const Ended ended =
      RunFlyball({"import", bill, "--format", "json", "--home", place.home.string()});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("utf8"), std::string::npos) << ended.out;
  const Ended answer = RunFlyball({"query", "--measures", "billed_cost", "--by", "provider",
                                   "--format", "csv", "--home", place.home.string()});
  EXPECT_NE(answer.out.find("../../../etc,USD,2"), std::string::npos) << answer.out;
  std::vector<std::string> beside;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    beside.push_back(entry.path().filename().string());
  }
  std::ranges::sort(beside);
  EXPECT_EQ(beside, (std::vector<std::string>{"home", "in"}));
}

TEST_F(BadInput, UnreadableFile) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser can read every file";
  const Place place = WherePlaced();
  const std::string bill = place.Put("secret.csv", Bill());
  ASSERT_EQ(chmod(bill.c_str(), 0), 0);
  const Ended ended = RunFlyball({"import", bill, "--home", place.home.string()});
  EXPECT_EQ(ended.exit_code, kBadInput) << ended.err;
  EXPECT_NE(ended.err.find("secret.csv"), std::string::npos);
}

}  // namespace
}  // namespace flyball::tests
