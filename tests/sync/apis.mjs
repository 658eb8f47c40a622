// flyball sync against vendors' usage and cost APIs that page, limit, break half-way and change what they said.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { outcomes, program, temporaryFolder, workbench } from "./program.mjs";
import { dayOf, key, plusDays, startVendor, tooMany } from "./vendors.mjs";

const root = temporaryFolder();
const { makeHome, run, sync, synced, costs, commits } = workbench(root, { THE_KEY: key });
after(() => root.remove());

// A bill runs from the first of the month before on; what days say is of months, not of the day on which this runs.
const today = dayOf(Date.now());
const month = today.slice(0, 7);
const before = plusDays(`${month}-01`, -1).slice(0, 7);
const first = (days) => `${before}-${String(days).padStart(2, "0")}`;
const daysBefore = Number(plusDays(`${month}-01`, -1).slice(8));
const pages = (days) => Math.ceil(days / 7);

async function withVendor(does) {
  const vendor = await startVendor();
  try {
    await does(vendor);
  } finally {
    vendor.stop();
  }
}
const source = (kind, vendor, more = "") => `{ name: ${kind}, kind: ${kind}, endpoint: "${vendor.url}", key_env: THE_KEY, from: ${before}${more} }`;
const cost = (value, item = "gpt-5-mini, input") =>
  ({ object: "organization.costs.result", amount: { value, currency: "usd" }, line_item: item, project_id: "proj_a", api_key_id: "key_a", quantity: null });
const starts = (vendor) => vendor.seen.map(({ query }) => (query.get("page") ? "page" : dayOf(Number(query.get("start_time")) * 1000)));

test("OpenAI's costs: all pages are read, a month is restated when it changed, and final days are not asked for again", () => withVendor(async (vendor) => {
  vendor.days.set(first(1), [cost(0.1), cost(0.2, "gpt-5-mini, output")]);
  vendor.days.set(first(9), [cost(1e-7)]);
  vendor.days.set(`${month}-01`, [cost(7)]);
  const home = makeHome([source("openai", vendor)]);
  const dry = await synced(home, ["--dry-run"]);
  assert.deepEqual(outcomes(dry), { [before]: "pending", [month]: "pending" });
  assert.deepEqual(readdirSync(home), ["estate.yaml"]);
  vendor.seen.length = 0;
  const report = await synced(home);
  assert.deepEqual(outcomes(report), { [before]: "imported", [month]: "imported" });
  assert.equal(report.sets[before].ledger_source, "openai");
  assert.equal(vendor.seen.length, pages(daysBefore) + pages(Number(today.slice(8))));
  assert.deepEqual(vendor.seen[0].query.getAll("group_by[]"), ["project_id", "line_item", "api_key_id"]);
  // Not a digit is lost on the way.
  assert.deepEqual(await costs(home), { [before]: "0.3000001", [month]: "7" });

  vendor.seen.length = 0;
  vendor.days.get(first(1)).reverse();
  assert.deepEqual(outcomes(await synced(home)), { [before]: "unchanged", [month]: "unchanged" });
  const oldest = plusDays(today, -10); // again_days, where the estate says nothing
  for (const start of starts(vendor)) assert.ok(start === "page" || start >= oldest, `${start} is final`);
  assert.ok(starts(vendor).includes(oldest.startsWith(month) ? oldest : `${month}-01`));
  const made = await commits(home);
  vendor.days.set(today, [cost(0.5), ...(vendor.days.get(today) ?? [])]);
  assert.deepEqual(outcomes(await synced(home)), { [before]: "unchanged", [month]: "imported" });
  assert.deepEqual(await costs(home), { [before]: "0.3000001", [month]: "7.5" });
  assert.equal(await commits(home), made + 1);
  // Without what it remembers, a sync asks for all of it, and finds that the ledger has it.
  rmSync(join(home, "sync"), { recursive: true });
  assert.deepEqual(outcomes(await synced(home)), { [before]: "known", [month]: "known" });
}));

test("a month that is closed gets what changed as a correction", () => withVendor(async (vendor) => {
  vendor.days.set(first(2), [cost(10)]);
  vendor.days.set(`${month}-01`, [cost(1)]);
  const home = makeHome([source("openai", vendor, ", again_days: 62")]);
  await synced(home);
  const closed = await run(home, ["reconcile", "--period", before, "--close", "--accept-differences"]);
  assert.ok(closed.code <= 1, closed.err);
  const bySource = async () => {
    const { out } = await run(home, ["query", "--measures", "billed_cost", "--by", "source", "--format", "json"]);
    return Object.fromEntries(JSON.parse(out).rows.map((row) => [row.source, row.billed_cost]));
  };
  assert.deepEqual(outcomes(await synced(home)), { [before]: "unchanged", [month]: "unchanged" });
  assert.deepEqual(await bySource(), { openai: "11" });
  vendor.days.set(first(2), [cost(8)]);
  assert.deepEqual(outcomes(await synced(home)), { [before]: "imported", [month]: "unchanged" });
  // What was closed stays as it was; the day that the correction is about is the vendor's.
  const corrections = `openai.corrections-${before}`;
  assert.deepEqual(await bySource(), { openai: "11", [corrections]: "-2" });
  assert.deepEqual(await costs(home), { [before]: "8", [month]: "1" });
  assert.deepEqual(outcomes(await synced(home)), { [before]: "unchanged", [month]: "unchanged" });
  // A change of the open month beside it leaves the correction where it is, and one more of the closed month is added to it.
  vendor.days.set(`${month}-01`, [cost(2)]);
  await synced(home);
  assert.deepEqual(await bySource(), { openai: "12", [corrections]: "-2" });
  vendor.days.set(first(2), [cost(8), cost(3, "gpt-5, input")]);
  await synced(home);
  assert.deepEqual(await bySource(), { openai: "12", [corrections]: "1" });
  // Without what it remembers, a sync changes nothing of this.
  rmSync(join(home, "sync"), { recursive: true });
  await synced(home);
  assert.deepEqual(await bySource(), { openai: "12", [corrections]: "1" });
}));

test("a vendor that limits is waited for as long as it says, and one that breaks off is asked again", () => withVendor(async (vendor) => {
  vendor.days.set(first(2), [cost(10)]);
  const faults = [(response) => tooMany(response, 1), (response) => tooMany(response, 1),
    (response) => { response.writeHead(200, { "content-length": 900 }).write('{"data":[', () => response.destroy()); return true; }];
  vendor.meddle = (query, response) => faults.length > 0 && faults.shift()(response);
  const home = makeHome([source("openai", vendor)]);
  const begun = Date.now();
  await synced(home);
  assert.ok(Date.now() - begun >= 2000, `${Date.now() - begun} ms`);
  assert.deepEqual(await costs(home), { [before]: "10" });
  // So is the rate that the estate gives: pages of some 700 bytes at 1 KiB a second.
  const limited = Date.now();
  await synced(makeHome([source("openai", vendor, ", max_rate: 1KiB")]));
  assert.ok(Date.now() - limited > 1000, `${Date.now() - limited} ms`);
}));

test("a sync that is killed between pages goes on with the one that is missing", () => withVendor(async (vendor) => {
  for (const date of [1, 8, 15, 22]) vendor.days.set(first(date), [cost(1)]);
  let held;
  const reached = new Promise((resolve) => (held = resolve));
  vendor.meddle = () => {
    if (vendor.seen.length !== 3) return false;
    held();
    return true; // and no answer
  };
  const home = makeHome([source("openai", vendor)]);
  const child = spawn(program, ["sync", "--home", home], { env: { ...process.env, THE_KEY: key }, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await reached;
  child.kill("SIGKILL");
  await ended;
  assert.equal(await commits(home), 0);
  const missing = vendor.seen[2].query.get("page");
  vendor.seen.length = 0;
  vendor.meddle = () => false;
  await synced(home);
  assert.equal(vendor.seen[0].query.get("page"), missing);
  assert.equal(vendor.seen.length, pages(daysBefore) - 2 + pages(Number(today.slice(8))));
  assert.deepEqual(await costs(home), { [before]: "4" });
}));

test("what is no page fails its month alone, and a key that is not an admin's is told", () => withVendor(async (vendor) => {
  vendor.days.set(first(2), [cost(10)]);
  vendor.days.set(`${month}-01`, [cost(1)]);
  vendor.meddle = (query, response) => dayOf(Number(query.get("start_time")) * 1000).startsWith(before) && (response.end('{"data":[{}'), true);
  const home = makeHome([source("openai", vendor)]);
  const broken = await sync(home);
  assert.deepEqual(outcomes(broken), { [before]: "failed", [month]: "imported" });
  assert.match(broken.failures[0].message, /openai \d{4}-\d\d: 127\.0\.0\.1:\d+\/v1\/organization\/costs: the answer is no JSON object/);
  vendor.meddle = () => false;
  vendor.seen.length = 0;
  const wrong = "sk-proj-the-key-of-a-project-9876";
  const unused = makeHome([source("openai", vendor)]);
  const refused = await sync(unused, [], { THE_KEY: wrong });
  assert.equal(refused.failures[0].code, "UNAUTHENTICATED");
  assert.match(refused.failures[0].message, /^openai .*\/v1\/organization\/costs was answered with 401 invalid_api_key$/);
  assert.match(refused.failures[0].hint, /check THE_KEY: .*admin key/);
  assert.equal(vendor.seen.length, 1);
  assert.equal(refused.report.sources[0].gone, undefined);
  const none = await sync(home, [], { THE_KEY: "" });
  assert.match(none.failures[0].message, /THE_KEY .* not set/);
  for (const said of [refused.out, refused.err, readFileSync(join(unused, "sync/openai/last.json"), "utf8")]) assert.ok(!said.includes(wrong));
  // A key that is another one than before is asked with when that is accepted, and not noted when it is refused.
  vendor.seen.length = 0;
  const other = await sync(home, [], { THE_KEY: wrong });
  assert.equal(other.failures[0].code, "FAILED_PRECONDITION");
  assert.match(other.failures[0].hint, /--accept-key/);
  assert.equal(vendor.seen.length, 0);
  assert.equal((await sync(home, ["--accept-key"], { THE_KEY: wrong })).failures[0].code, "UNAUTHENTICATED");
  await synced(home);
  assert.deepEqual(await costs(home), { [before]: "10", [month]: "1" });
}));

test("a later `from` takes nothing out of the ledger, also where pages are gone", () => withVendor(async (vendor) => {
  vendor.days.set(first(1), [cost(5)]);
  vendor.days.set(first(20), [cost(7)]);
  const home = makeHome([source("openai", vendor, ", again_days: 62")]);
  await synced(home);
  const later = () => writeFileSync(join(home, "estate.yaml"), readFileSync(join(home, "estate.yaml"), "utf8").replace(`from: ${before},`, `from: ${first(10)},`));
  later();
  vendor.days.set(first(20), [cost(8)]);
  await synced(home);
  assert.deepEqual(await costs(home), { [before]: "13" });
  rmSync(join(home, "sync/openai/pages"), { recursive: true });
  const lost = await sync(home);
  assert.deepEqual(outcomes(lost), { [before]: "failed" });
  assert.equal(lost.failures[0].code, "FAILED_PRECONDITION");
  assert.match(lost.failures[0].message, new RegExp(`the ledger has ${first(1)}`));
  assert.deepEqual(await costs(home), { [before]: "13" });
  rmSync(join(home, "sync/openai/memory.json"));
  await synced(home);
  assert.deepEqual(await costs(home), { [before]: "8" });
}));

test("a month that the vendor has no answer for keeps no later one back", () => withVendor(async (vendor) => {
  const oldest = plusDays(`${before}-01`, -1).slice(0, 7);
  vendor.days.set(`${month}-01`, [cost(1)]);
  const startOf = (query) => dayOf(Number(query.get("start_time")) * 1000);
  const unavailable = (from) => (query, response) => startOf(query) < from && (response.writeHead(503).end(), true);
  vendor.meddle = unavailable(first(1));
  const home = makeHome([`{ name: openai, kind: openai, endpoint: "${vendor.url}", key_env: THE_KEY, from: ${oldest}, again_days: 100 }`]);
  const broken = await sync(home);
  assert.deepEqual(outcomes(broken), { [oldest]: "failed", [month]: "imported" });
  assert.equal(broken.failures[0].code, "UNAVAILABLE");
  assert.deepEqual(await costs(home), { [month]: "1" });
  // Two in a row: it is not there.
  vendor.meddle = unavailable(`${month}-01`);
  vendor.seen.length = 0;
  assert.deepEqual(outcomes(await sync(home)), { [oldest]: "failed", [before]: "failed" });
  assert.ok(vendor.seen.every(({ query }) => startOf(query) < `${month}-01`));
}));

test("a month whose charges are all taken back keeps none of them, once the vendor has said so twice", () => withVendor(async (vendor) => {
  vendor.days.set(first(2), [cost(100)]);
  vendor.days.set(`${month}-01`, [cost(1)]);
  const home = makeHome([source("openai", vendor, ", again_days: 62")]);
  await synced(home);
  vendor.days.delete(first(2));
  const doubted = await sync(home);
  assert.deepEqual(outcomes(doubted), { [before]: "failed", [month]: "unchanged" });
  assert.match(doubted.failures[0].message, new RegExp(`${first(2)} had charges, and is answered without any`));
  assert.deepEqual(await costs(home), { [before]: "100", [month]: "1" });
  // Hours pass.
  const doubts = join(home, "sync/openai/pages/openai-costs", before, "doubts");
  writeFileSync(doubts, `${first(2)} ${new Date(Date.now() - 7 * 3_600_000).toISOString()}\n`);
  assert.deepEqual(outcomes(await synced(home)), { [before]: "imported", [month]: "unchanged" });
  assert.deepEqual(await costs(home), { [before]: "0", [month]: "1" });
  assert.deepEqual(outcomes(await synced(home)), { [before]: "unchanged", [month]: "unchanged" });
  vendor.days.set(first(2), [cost(40)]);
  await synced(home);
  assert.deepEqual(await costs(home), { [before]: "40", [month]: "1" });
  // A month that never had a charge is none.
  const none = makeHome([`{ name: openai, kind: openai, endpoint: "${vendor.url}", key_env: THE_KEY, from: ${plusDays(`${before}-01`, -1).slice(0, 7)} }`]);
  assert.deepEqual(outcomes(await synced(none)), { [before]: "imported", [month]: "imported" });
}));

test("Anthropic's costs, which are in cents, and its usage at the book's prices", () => withVendor(async (vendor) => {
  vendor.days.set(first(3), [{ currency: "USD", amount: "123.78912", workspace_id: "wrkspc_1", description: "Claude Sonnet 4 Usage - Input Tokens",
    cost_type: "tokens", context_window: "0-200k", model: "claude-sonnet-4-20250514", service_tier: "standard", token_type: "uncached_input_tokens" }]);
  const home = makeHome([source("anthropic", vendor)]);
  assert.deepEqual(outcomes(await synced(home)), { [before]: "imported" });
  assert.deepEqual(await costs(home), { [before]: "1.2378912" });
  vendor.days.set(first(3), [{ api_key_id: "apikey_1", workspace_id: null, model: "claude-sonnet-4-20250514", service_tier: "standard", context_window: "0-200k",
    uncached_input_tokens: 1_000_000, cache_read_input_tokens: 0, output_tokens: 0, cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
    server_tool_use: { web_search_requests: 0 } }]);
  const usage = makeHome([source("anthropic", vendor, ", report: messages")]);
  assert.deepEqual(outcomes(await synced(usage)), { [before]: "imported" });
  assert.deepEqual(await costs(usage), { [before]: "3" });
}));

test("OpenRouter's activity, a day a request; days that it does not have any more are an error", () => withVendor(async (vendor) => {
  const row = (date, usage) => [{ date, model: "openai/gpt-4.1", model_permaslug: "openai/gpt-4.1-2025-04-14", endpoint_id: "e", provider_name: "OpenAI", usage,
    byok_usage_inference: 0, requests: 5, prompt_tokens: 50, completion_tokens: 125, reasoning_tokens: 25 }];
  const from = plusDays(today, -3);
  for (let i = 1; i <= 3; ++i) vendor.days.set(plusDays(today, -i), row(plusDays(today, -i), 0.015));
  const router = (start) => `{ name: router, kind: openrouter, endpoint: "${vendor.url}", key_env: THE_KEY, from: ${start} }`;
  const home = makeHome([router(from)]);
  await synced(home);
  assert.deepEqual(vendor.seen.map(({ query }) => query.get("date")), [from, plusDays(today, -2), plusDays(today, -1)]);
  const billed = Object.values(await costs(home)).reduce((all, one) => all + Math.round(one * 1000), 0);
  assert.equal(billed, 45);
  const late = await sync(makeHome([router(plusDays(today, -40))]));
  assert.equal(late.failures[0].code, "FAILED_PRECONDITION");
  assert.match(late.failures[0].message, /goes 30 days back/);
}));
