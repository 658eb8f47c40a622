// flyball demo: write the demonstration estate and import its bills like any other.
#include "demo/demo.h"

#include <fmt/format.h>

#include "app/command.h"
#include "app/importer.h"
#include "app/remote.h"

namespace flyball::app {

std::string UnfinishedDemo(const Environment& environment) {
  return os::JoinPath(environment.home, "demo.unfinished");
}

namespace {

Status ImportBills(const Environment& environment, const demo::Made& made) {
  const std::string estate = os::JoinPath(environment.home, "estate.yaml");
  FB_CHECK(environment.files.MakeDirs(environment.home));
  if (environment.files.Exists(estate)) {
    Say(fmt::format("flyball: {} stands and is kept; the demonstration's is {}", estate,
                    made.estate_path));
  } else {
    const std::string text = FB_TRY(environment.files.ReadAll(made.estate_path));
    FB_CHECK(os::AtomicWrite(environment.files, estate, text));
  }
  FB_CHECK(os::AtomicWrite(environment.files, UnfinishedDemo(environment), ""));
  Importer importer = FB_TRY(Importer::Open(environment));
  size_t done = 0;
  for (const demo::Bill& bill : made.bills) {
    ImportArgs args;
    args.files = {bill.path};
    args.source = bill.source;
    (void)FB_TRY(importer.Import(args));
    if (!ShowProgress(environment, "importing bills", ++done, made.bills.size())) {
      return Fail(Code::kCancelled, "stopped between two bills", "run it again to go on");
    }
  }
  EndProgress(environment);
  return environment.files.Remove(UnfinishedDemo(environment));
}

Result<demo::Made> MakeDemo(const Environment& environment, const DemoArgs& args) {
  demo::Options options;
  options.dir = args.out.empty() ? os::JoinPath(environment.home, "demo") : args.out;
  options.seed = args.seed;
  options.rows = args.rows;
  options.one_file = args.one_file;
  options.progress = [&](int64_t done, int64_t total) {
    return ShowProgress(environment, "writing bills", static_cast<uint64_t>(done),
                        static_cast<uint64_t>(std::max(done, total)));
  };
  demo::Made made = FB_TRY(demo::Make(options, environment.files));
  EndProgress(environment);
  if (args.import) FB_CHECK(ImportBills(environment, made));
  return made;
}

}  // namespace

int RunDemo(const Environment& environment, const DemoArgs& args) {
  const Result<demo::Made> made = MakeDemo(environment, args);
  if (!made) {
    EndProgress(environment);
    return Report(environment, made.error());
  }
  int64_t rows = 0;
  for (const demo::Bill& bill : made->bills) rows += bill.rows;
  if (environment.json()) {
    std::string bills;
    for (const demo::Bill& bill : made->bills) {
      bills += fmt::format(R"({}{{"path":"{}","source":"{}","rows":{}}})", bills.empty() ? "" : ",",
                           bill.path, bill.source, bill.rows);
    }
    Print(fmt::format(R"({{"rows":{},"estate":"{}","events":"{}","bills":[{}]}})", rows,
                      made->estate_path, made->events_path, bills));
    return kExitDone;
  }
  Print(fmt::format("{} charges in {} bills; the planted events are listed in {}", rows,
                    made->bills.size(), made->events_path));
  return kExitDone;
}

}  // namespace flyball::app
