// Vendors' usage and cost APIs on this machine, as their documentation describes them: OpenAI's costs and usage
// (platform.openai.com/docs/api-reference/usage), Anthropic's cost and usage reports (platform.claude.com/docs/en/manage-claude/
// usage-cost-api), OpenRouter's activity (openrouter.ai/docs/api-reference/analytics/get-activity). What a day says is the test's.
// No test has met the vendors themselves: unproven on real bills.
import { createServer } from "node:http";

export const key = "sk-admin-of-the-test-0123456789";
const day = 86_400_000;
export const dayOf = (time) => new Date(time).toISOString().slice(0, 10);
export const plusDays = (date, days) => dayOf(Date.parse(date) + days * day);

const refuse = (response, status, error, headers = {}) => response.writeHead(status, headers).end(JSON.stringify({ error }));

// Buckets of days from `from` on, `limit` of them a page. The cursor is the vendor's own business.
function page(days, from, end, query, bucket) {
  const cursor = query.get("page");
  const begin = cursor ? Buffer.from(cursor.replace("page_", ""), "base64").toString() : from;
  const dates = [];
  for (let date = begin; date < end && dates.length < Number(query.get("limit")); date = plusDays(date, 1)) dates.push(date);
  const next = plusDays(dates.at(-1) ?? begin, 1);
  return { data: dates.map((date) => bucket(date, days.get(date) ?? [])), has_more: next < end,
    next_page: next < end ? `page_${Buffer.from(next).toString("base64")}` : null };
}

function openai(days, query) {
  const seconds = (name) => dayOf(Number(query.get(name)) * 1000);
  return { object: "page", ...page(days, seconds("start_time"), seconds("end_time"), query, (date, results) =>
    ({ object: "bucket", start_time: Date.parse(date) / 1000, end_time: Date.parse(date) / 1000 + 86_400, results })) };
}

function anthropic(days, query) {
  const end = query.get("ending_at");
  return page(days, query.get("starting_at").slice(0, 10), end.slice(0, 10), query, (date, results) =>
    ({ starting_at: `${date}T00:00:00Z`, ending_at: `${plusDays(date, 1)}T00:00:00Z`, results }));
}

const paths = {
  "/v1/organization/costs": openai,
  "/v1/organization/usage/completions": openai,
  "/v1/organizations/cost_report": anthropic,
  "/v1/organizations/usage_report/messages": anthropic,
  "/api/v1/activity": (days, query) => ({ data: days.get(query.get("date")) ?? [] }),
};

// `days`: the results of each date. `seen`: the queries that came, in their order. `meddle(query, response)`: true when it has
// answered.
export async function startVendor() {
  const vendor = { days: new Map(), seen: [], meddle: () => false };
  const server = createServer((incoming, response) => {
    const { pathname, searchParams: query } = new URL(incoming.url, "http://vendor");
    const given = incoming.headers["x-api-key"] ?? incoming.headers.authorization?.replace("Bearer ", "");
    vendor.seen.push({ path: pathname, query });
    const answer = paths[pathname];
    if (!answer) return refuse(response, 404, { type: "not_found" });
    if (pathname.includes("/organizations/") !== (incoming.headers["anthropic-version"] === "2023-06-01")) return refuse(response, 400, { type: "version" });
    if (given !== key) return refuse(response, 401, { message: `Incorrect API key provided: ${given}`, code: "invalid_api_key" });
    if (vendor.meddle(query, response)) return;
    const groups = query.getAll("group_by[]");
    if (answer !== paths["/api/v1/activity"] && (query.get("bucket_width") !== "1d" || !(query.get("limit") <= 31) || !groups.length)) {
      return refuse(response, 400, { type: "invalid_request_error" });
    }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer(vendor.days, query)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  vendor.url = `http://127.0.0.1:${server.address().port}`;
  vendor.stop = () => { server.closeAllConnections?.(); server.close(); };
  return vendor;
}

export const tooMany = (response, seconds) => { refuse(response, 429, { type: "rate_limit_error" }, { "retry-after": `${seconds}` }); return true; };
