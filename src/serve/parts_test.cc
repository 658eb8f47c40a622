// The parts of the service: tokens, cache, uploads, assets, import queue.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <future>

#include "serve/answer_cache.h"
#include "serve/assets.h"
#include "serve/imports.h"
#include "serve/test_home.h"
#include "serve/tokens.h"
#include "serve/upload.h"

namespace flyball::serve {
namespace {

unsigned ModeOf(const std::string& path) {
  struct stat facts{};
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 0777 : 0;
}

TEST(Tokens, AreKeptAsHashesOnly) {
  TestHome home;
  SimClock clock(Instant{0});
  ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
  const std::string admin = home.Token();
  ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
  EXPECT_EQ(home.Token(), admin);
  EXPECT_GE(admin.size(), 40u);
  EXPECT_EQ(home.Read("tokens.json").find(admin), std::string::npos);
  EXPECT_EQ(ModeOf(home.path() + "/token"), 0600u);
  EXPECT_EQ(ModeOf(home.path() + "/tokens.json"), 0600u);
  TokenStore store(home.path());
  EXPECT_EQ(store.NameOf(admin), "admin");
  EXPECT_EQ(store.NameOf(""), std::nullopt);
  EXPECT_EQ(store.NameOf(admin + "x"), std::nullopt);
  // A token that is made while the server runs is known at once.
  const auto made = CreateToken(home.path(), "ci", clock);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(store.NameOf(*made), "ci");
  EXPECT_EQ(store.NameOf(admin), "admin");
  EXPECT_EQ(CreateToken(home.path(), "ci", clock).error().code, Code::kAlreadyExists);
  EXPECT_FALSE(CreateToken(home.path(), "../x", clock).has_value());
}

TEST(Tokens, ABrokenListLetsNobodyIn) {
  TestHome home;
  SimClock clock(Instant{0});
  ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
  TokenStore store(home.path());
  EXPECT_TRUE(store.NameOf(home.Token()));
  home.Write("tokens.json", "{ broken");
  EXPECT_FALSE(store.NameOf(home.Token()));
  EXPECT_EQ(EnsureAdminToken(home.path(), clock).error().code, Code::kDataLoss);
}

TEST(Tokens, AreReadFromTheHeader) {
  EXPECT_EQ(TokenOf("Bearer abc"), "abc");
  EXPECT_EQ(TokenOf("bearer  abc "), "abc");
  EXPECT_EQ(TokenOf("Basic dXNlcjpmYl94eXo="), "fb_xyz");
  EXPECT_EQ(TokenOf("Basic !!"), "");
  EXPECT_EQ(TokenOf("abc"), "");
  EXPECT_EQ(TokenOf(""), "");
}

TEST(AnswerCache, KeepsTheNewestWithinItsBytes) {
  AnswerCache cache(10'000);
  const auto text = [](size_t n) { return std::make_shared<const std::string>(n, 'x'); };
  cache.Keep("a", text(2000));
  cache.Keep("b", text(2000));
  EXPECT_TRUE(cache.Find("a"));
  for (int i = 0; i < 3; ++i) cache.Keep("c" + std::to_string(i), text(2000));
  EXPECT_TRUE(cache.Find("a"));   // was used after b
  EXPECT_FALSE(cache.Find("b"));  // so b left
  cache.Keep("large", text(9000));
  EXPECT_FALSE(cache.Find("large"));
  EXPECT_LE(cache.stats().bytes, 10'000u);
}

TEST(AnswerCache, NeverExceedsItsBytes) {
  rc::check("bounded and consistent", [](uint64_t seed) {
    Random random(seed);
    AnswerCache cache(5000);
    for (int i = 0; i < 300; ++i) {
      const std::string key = std::to_string(random.Below(30));
      if (auto found = cache.Find(key)) {
        RC_ASSERT(*found == "answer " + key + std::string(found->size() - key.size() - 7, '.'));
      } else {
        cache.Keep(key, std::make_shared<const std::string>("answer " + key +
                                                            std::string(random.Below(1500), '.')));
      }
      RC_ASSERT(cache.stats().bytes <= 5000);
    }
  });
}

TEST(SafeFileName, IsAlwaysAPlainName) {
  EXPECT_EQ(SafeFileName("bill.csv.gz"), "bill.csv.gz");
  EXPECT_EQ(SafeFileName("C:\\bills\\x.csv"), "x.csv");
  EXPECT_EQ(SafeFileName("../../etc/passwd"), "passwd");
  EXPECT_EQ(SafeFileName(".."), "upload");
  EXPECT_EQ(SafeFileName("a/"), "upload");
  EXPECT_EQ(SafeFileName("账单.csv"), "账单.csv");
  EXPECT_TRUE(SafeFileName(std::string(1000, 'a') + ".csv").ends_with("a.csv"));
  rc::check("any bytes give a plain name", [](const std::string& name) {
    const std::string safe = SafeFileName(name);
    RC_ASSERT(os::IsPlainName(safe));
    RC_ASSERT(safe.size() <= 200u);
  });
}

TEST(UnpackUpload, LaysOutFilesAndFields) {
  TestHome home;
  net::Request request = Ask("POST", "/api/v1/imports");
  request.headers["content-type"] = "multipart/form-data; boundary=B";
  request.body =
      "--B\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\naws\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a.csv\"\r\n\r\none\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"file\"; "
      "filename=\"a.csv\"\r\n\r\ntwo\r\n--B--\r\n";
  std::string folder;
  {
    auto upload = UnpackUpload(request, home.path() + "/tmp");
    ASSERT_TRUE(upload.has_value()) << upload.error().message;
    folder = upload->folder->path();
    EXPECT_EQ(upload->fields["source"], "aws");
    ASSERT_EQ(upload->files.size(), 2u);
    for (const std::string& file : upload->files) {
      EXPECT_TRUE(file.starts_with(folder + "/")) << file;
      EXPECT_TRUE(file.ends_with("/a.csv")) << file;
      EXPECT_EQ(ModeOf(file), 0600u);
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(UnpackUpload, RefusesWhatIsSaidTwice) {
  TestHome home;
  net::Request request = Ask("POST", "/api/v1/imports");
  request.headers["content-type"] = "multipart/form-data; boundary=B";
  request.query["source"] = "aws";
  request.body = "--B\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nb\r\n--B--\r\n";
  EXPECT_EQ(UnpackUpload(request, home.path() + "/tmp").error().code, Code::kInvalidArgument);
  request.query.clear();
  EXPECT_TRUE(UnpackUpload(request, home.path() + "/tmp").has_value());
}

TEST(UnpackUpload, TakesABareBody) {
  TestHome home;
  home.Write("spooled", "the bill");
  net::Request request = Ask("POST", "/api/v1/imports");
  request.body_file = home.path() + "/spooled";
  request.query = {{"filename", "bill.csv"}, {"source", "aws"}};
  auto upload = UnpackUpload(request, home.path() + "/tmp");
  ASSERT_TRUE(upload.has_value()) << upload.error().message;
  ASSERT_EQ(upload->files.size(), 1u);
  std::ifstream in(upload->files[0]);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "the bill");
  EXPECT_EQ(upload->fields["source"], "aws");
}

constexpr Asset kAssets[] = {
    {"/app-1a2b3c4d5e.js", "text/javascript; charset=utf-8", "e1", "plain script", "gz", "br"},
    {"/index.html", "text/html; charset=utf-8", "e2", "<html>", "", ""},
};

TEST(Assets, AreServedAsTheClientCanReadThem) {
  net::Request request = Ask("GET", "/app-1a2b3c4d5e.js");
  EXPECT_EQ(ServeAssetFrom(kAssets, request).static_body, "plain script");
  request.headers["accept-encoding"] = "gzip, deflate, br;q=1.0";
  const net::Response packed = ServeAssetFrom(kAssets, request);
  EXPECT_EQ(packed.static_body, "br");
  EXPECT_EQ(HeaderOf(packed, "Content-Encoding"), "br");
  EXPECT_EQ(HeaderOf(packed, "Vary"), "Accept-Encoding");
  EXPECT_NE(HeaderOf(packed, "Cache-Control").find("immutable"), std::string::npos);
  EXPECT_NE(HeaderOf(packed, "Content-Security-Policy").find("default-src 'none'"),
            std::string::npos);
  EXPECT_EQ(HeaderOf(packed, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(HeaderOf(packed, "Referrer-Policy"), "no-referrer");
  request.headers["accept-encoding"] = "gzip, br;q=0";
  EXPECT_EQ(ServeAssetFrom(kAssets, request).static_body, "gz");
}

TEST(Assets, AreRevalidated) {
  net::Request request = Ask("GET", "/");
  const net::Response first = ServeAssetFrom(kAssets, request);
  EXPECT_EQ(first.static_body, "<html>");
  EXPECT_EQ(HeaderOf(first, "Cache-Control"), "no-cache");
  request.headers["if-none-match"] = "\"other\", W/" + HeaderOf(first, "ETag");
  EXPECT_EQ(ServeAssetFrom(kAssets, request).status, 304);
  EXPECT_EQ(ServeAssetFrom(kAssets, Ask("GET", "/nothing.js")).status, 404);
}

TEST(Assets, WithoutThePageTheRootExplainsItself) {
  const net::Response root = ServeAssetFrom({}, Ask("GET", "/"));
  EXPECT_EQ(root.status, 200);
  EXPECT_NE(root.body.find("without the page"), std::string::npos);
  EXPECT_EQ(ServeAssetFrom({}, Ask("GET", "/app.js")).status, 404);
}

TEST(Assets, ComeFromAFolderInDevelopment) {
  TestHome home;
  home.Write("index.html", "<p>");
  const net::Response page = ServeAsset(Ask("GET", "/"), home.path());
  EXPECT_EQ(page.body, "<p>");
  EXPECT_EQ(HeaderOf(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(ServeAsset(Ask("GET", "/none"), home.path()).status, 404);
}

TEST(ImportQueue, RunsOneAfterTheOtherAndRemembers) {
  std::atomic<int> running = 0;
  ImportQueue queue([&](const ImportJob& job, const ImportProgress& progress,
                        const std::stop_token&) -> Result<std::string> {
    EXPECT_EQ(++running, 1);
    EXPECT_TRUE(progress(5, 10));
    --running;
    if (job.source == "bad") return Fail(Code::kInvalidArgument, "no bill");
    return R"({"source":")" + job.source + "\"}";
  });
  std::vector<std::promise<Result<std::string>>> reports(8);
  std::vector<std::string> ids;
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> watched = held;
  for (size_t i = 0; i < reports.size(); ++i) {
    ImportJob job;
    job.source = i == 3 ? "bad" : "s" + std::to_string(i);
    auto id =
        queue.Submit(job, i == 0 ? std::exchange(held, nullptr) : nullptr,
                     [&, i](const Result<std::string>& report) { reports[i].set_value(report); });
    ASSERT_TRUE(id.has_value());
    ids.push_back(*id);
  }
  for (size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].get_future().get().has_value(), i != 3);
  }
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(queue.Find(ids[0])->state, ImportQueue::State::kDone);
  EXPECT_EQ(queue.Find(ids[0])->bytes_total, 10u);
  EXPECT_EQ(queue.Find(ids[3])->state, ImportQueue::State::kFailed);
  EXPECT_FALSE(queue.Find("none"));
}

TEST(ImportQueue, RefusesTooManyAndStopsCleanly) {
  std::promise<void> started;
  std::promise<void> cancelled;
  ImportQueue queue([&](const ImportJob&, const ImportProgress& progress,
                        const std::stop_token&) -> Result<std::string> {
    started.set_value();
    while (progress(1, 2)) std::this_thread::yield();
    cancelled.set_value();
    return Fail(Code::kCancelled, "cancelled");
  });
  std::atomic<int> failed = 0;
  const auto count = [&](const Result<std::string>& report) { failed += report ? 0 : 1; };
  ASSERT_TRUE(queue.Submit({}, nullptr, count));
  started.get_future().wait();
  for (size_t i = 0; i < kImportsWaitingMax; ++i) ASSERT_TRUE(queue.Submit({}, nullptr, count));
  EXPECT_EQ(queue.Submit({}, nullptr, count).error().code, Code::kResourceExhausted);
  queue.Stop();
  cancelled.get_future().wait();
  EXPECT_EQ(failed, static_cast<int>(kImportsWaitingMax) + 1);
  EXPECT_EQ(queue.Submit({}, nullptr, count).error().code, Code::kUnavailable);
}

TEST(ImportQueue, StopsAnImportThatTellsNoProgress) {
  std::promise<void> started;
  ImportQueue queue([&](const ImportJob&, const ImportProgress&,
                        const std::stop_token& stop) -> Result<std::string> {
    std::promise<void> stopped;
    std::stop_callback tell(stop, [&] { stopped.set_value(); });
    started.set_value();
    stopped.get_future().wait();
    return Fail(Code::kUnavailable, "stopped");
  });
  std::atomic<int> failed = 0;
  ASSERT_TRUE(queue.Submit({}, nullptr,
                           [&](const Result<std::string>& report) { failed += report ? 0 : 1; }));
  started.get_future().wait();
  queue.Stop();
  EXPECT_EQ(failed, 1);
}

}  // namespace
}  // namespace flyball::serve
