// flyball sync against real object stores, and against ones that cut, delay, change and lie.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createPublicKey, createVerify, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { outcomes, program, temporaryFolder, workbench } from "./program.mjs";
import { awsKey, azureAccount, startAzure, startGcs, startS3 } from "./stores.mjs";

const root = temporaryFolder();
const secrets = { AWS_ACCESS_KEY_ID: awsKey.id, AWS_SECRET_ACCESS_KEY: awsKey.secret };
const { makeHome, sync, synced, costs, commits } = workbench(root, secrets);
let s3;
let broken; // a sync against a port where nobody listens: it tries for a while

before(async () => {
  mkdirSync(join(root.path, "s3"));
  s3 = await startS3(join(root.path, "s3"));
  await s3.send("PUT", "/bills");
  // Not a free port: a store may get it.
  broken = { home: makeHome([s3Source("x", "", "http://127.0.0.1:1")]) };
  broken.ended = sync(broken.home);
});

after(async () => {
  await s3?.stop();
  root.remove();
});

const columns = "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,ServiceName,ProviderName,ChargeDescription";
// A bill of a month with a charge of each cost, made long by `filler` bytes a row.
function bill(month, costs, filler = 0) {
  const rows = costs.map((cost, i) => `${cost},USD,${month}-02T00:00:00Z,${month}-03T00:00:00Z,${month}-01T00:00:00Z,EC2,AWS,${i}${"x".repeat(filler)}`);
  return [columns, ...rows, ""].join("\n");
}

// Each test has a prefix of its own in one bucket.
const s3Source = (prefix, more = "", endpoint = s3.url, bucket = "bills") =>
  `{ name: aws, kind: s3, bucket: ${bucket}, prefix: ${prefix}/, endpoint: "${endpoint}"${more} }`;

// A server in front of a store. `meddle(request, response)`: true when it has answered, or a function that sends the store's
// answer on. The Host header, which is signed, goes through as it is.
async function proxy(store, meddle) {
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    seen.push({ method: incoming.method, url: incoming.url, range: incoming.headers.range });
    Promise.resolve(meddle(incoming, outgoing)).then((meddled) => {
      if (meddled === true) return;
      const { port } = new URL(store.url);
      const onward = request({ host: "127.0.0.1", port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
        if (typeof meddled === "function") return meddled(answer);
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      incoming.pipe(onward);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close: () => { server.closeAllConnections?.(); server.close(); } };
}
const isObject = (incoming, name) => incoming.method === "GET" && decodeURIComponent(incoming.url.split("?")[0]).endsWith(name);

async function putExport(prefix, month, execution, parts, files = parts.map((_, i) => `focus-0000${i + 1}.csv`)) {
  const data = `${prefix}/focus/data/BILLING_PERIOD=${month}`;
  for (const [i, part] of parts.entries()) await s3.put(`${data}/focus-0000${i + 1}.csv`, part);
  await s3.put(`${prefix}/focus/metadata/BILLING_PERIOD=${month}/focus-Manifest.json`, JSON.stringify({
    executionId: execution, exportArn: "arn:aws:bcm-data-exports:us-east-1:123456789012:export/focus", columns: [],
    dataFiles: files.map((file) => `s3://bills/${data}/${file}`) }));
}

test("a folder: what is new is imported, what changed replaces its month, what is gone is told", async () => {
  const folder = join(root.path, "bills");
  mkdirSync(join(folder, "older"), { recursive: true });
  writeFileSync(join(folder, "october.csv"), bill("2026-10", [1, 2]));
  writeFileSync(join(folder, "older", "september.csv"), bill("2026-09", [5]));
  writeFileSync(join(folder, "notes.md"), "no bill");
  const home = makeHome([`{ name: local, kind: folder, path: ${folder} }`]);
  const dry = await synced(home, ["--dry-run"]);
  assert.deepEqual(outcomes(dry), { "october.csv": "pending", "older/september.csv": "pending" });
  assert.ok(!existsSync(join(home, "log")) && !existsSync(join(home, "sync")));
  assert.deepEqual(outcomes(await synced(home)), { "october.csv": "imported", "older/september.csv": "imported" });
  assert.deepEqual(outcomes(await synced(home)), { "october.csv": "unchanged", "older/september.csv": "unchanged" });
  writeFileSync(join(folder, "october.csv"), bill("2026-10", [1, 2, 4]));
  assert.deepEqual(outcomes(await synced(home)), { "october.csv": "imported", "older/september.csv": "unchanged" });
  assert.deepEqual(await costs(home), { "2026-09": "5", "2026-10": "7" });
  execFileSync("rm", [join(folder, "october.csv")]);
  assert.deepEqual((await synced(home)).report.sources[0].gone, ["october.csv"]);
  assert.deepEqual(await costs(home), { "2026-09": "5", "2026-10": "7" });
  // Without its memory, a sync finds by its content what is there.
  execFileSync("rm", ["-r", join(home, "sync")]);
  assert.deepEqual(outcomes(await synced(home)), { "older/september.csv": "known" });
});

test("a folder's parts are one bill where the estate says so", async () => {
  const folder = join(root.path, "parts");
  mkdirSync(join(folder, "2026-10"), { recursive: true });
  writeFileSync(join(folder, "2026-10", "a.csv"), bill("2026-10", [1]));
  writeFileSync(join(folder, "2026-10", "b.csv"), bill("2026-10", [2]));
  const home = makeHome([`{ name: local, kind: folder, path: ${folder}, set: folder }`]);
  assert.equal((await synced(home)).sets["2026-10"].files, 2);
  writeFileSync(join(folder, "2026-10", "c.csv"), bill("2026-10", [4]));
  assert.equal((await synced(home)).sets["2026-10"].files, 3);
  assert.deepEqual(await costs(home), { "2026-10": "7" });
});

test("a folder: a bill under a new name is refused with its remedy until the source lets it stand beside", async () => {
  const folder = join(root.path, "renamed");
  mkdirSync(folder);
  const invoice = (cost) => ["BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ServiceName,InvoiceIssuerName,BillingAccountId,InvoiceId,ChargeCategory",
    ...[1, 2, 3].map((day) => `${cost},USD,2026-10-01,2026-10-0${day}T00:00:00Z,EC2,AWS,acc-1,INV-1,Usage`), ""].join("\n");
  const home = makeHome([`{ name: local, kind: folder, path: ${folder} }`]);
  writeFileSync(join(folder, "october.csv"), invoice(1));
  await synced(home);
  writeFileSync(join(folder, "october-2.csv"), invoice(2));
  const refused = await sync(home);
  assert.equal(refused.code, 2);
  assert.deepEqual(outcomes(refused), { "october.csv": "unchanged", "october-2.csv": "failed" });
  assert.match(JSON.stringify(refused.failures), /local\.october\.csv.*INV-1.*--source/);
  assert.deepEqual(await costs(home), { "2026-10": "3" });
  writeFileSync(join(home, "estate.yaml"), `sources:\n  - { name: local, kind: folder, path: ${folder}, beside: true }\n`);
  assert.deepEqual(outcomes(await synced(home)), { "october.csv": "unchanged", "october-2.csv": "imported" });
  assert.deepEqual(await costs(home), { "2026-10": "9" });
});

test("an export of AWS: each billing period is one import, and a restated one replaces its month alone", async () => {
  await putExport("exports", "2026-09", "e1", [bill("2026-09", [3])]);
  await putExport("exports", "2026-10", "e2", [bill("2026-10", [1]), bill("2026-10", [2])]);
  const home = makeHome([s3Source("exports")]);
  assert.deepEqual(outcomes(await synced(home)), { "2026-09": "imported", "2026-10": "imported" });
  assert.deepEqual(await costs(home), { "2026-09": "3", "2026-10": "3" });
  assert.deepEqual(outcomes(await synced(home)), { "2026-09": "unchanged", "2026-10": "unchanged" });
  await putExport("exports", "2026-10", "e3", [bill("2026-10", [10]), bill("2026-10", [20])]);
  const restated = await synced(home);
  assert.deepEqual(outcomes(restated), { "2026-09": "unchanged", "2026-10": "imported" });
  assert.equal(restated.sets["2026-10"].ledger_source, "aws");
  assert.deepEqual(await costs(home), { "2026-09": "3", "2026-10": "30" });
  assert.deepEqual(readdirSync(join(home, "sync/aws/files")), []);
});

test("a manifest that lies is named, and nothing of it is imported", async () => {
  await putExport("lies", "2026-09", "e1", [bill("2026-09", [3])]);
  await putExport("lies", "2026-10", "e1", [bill("2026-10", [1])], ["focus-00001.csv", "focus-00002.csv"]);
  const home = makeHome([s3Source("lies")]);
  const ended = await sync(home);
  assert.notEqual(ended.code, 0);
  assert.deepEqual(outcomes(ended), { "2026-09": "imported", "2026-10": "failed" });
  assert.match(ended.failures[0].message, /BILLING_PERIOD=2026-10\/focus-Manifest\.json names '.*focus-00002\.csv', which is not there/);
  assert.deepEqual(await costs(home), { "2026-09": "3" });
});

test("a list of many pages is read to its end", async () => {
  const keys = Array.from({ length: 1005 }, (_, i) => `pages/${String(i).padStart(5, "0")} +é.txt`);
  for (let i = 0; i < keys.length; i += 32) await Promise.all(keys.slice(i, i + 32).map((key) => s3.put(key, "x")));
  await s3.put("pages/z b+ü.csv", bill("2026-10", [1]));
  let pages = 0;
  const counting = await proxy(s3, (incoming) => void (pages += incoming.url.includes("list-type=2") ? 1 : 0));
  const home = makeHome([s3Source("pages", "", counting.url)]);
  assert.deepEqual(outcomes(await synced(home)), { "z b+ü.csv": "imported" });
  assert.ok(pages >= 2, `${pages} pages`);
  assert.deepEqual(await costs(home), { "2026-10": "1" });
  counting.close();
});

test("an answer that is cut half-way goes on where it ended", async () => {
  const text = bill("2026-10", Array.from({ length: 200 }, () => 1), 2000);
  await s3.put("cut/bill.csv", text);
  let cuts = 0;
  const cutting = await proxy(s3, (incoming, outgoing) => isObject(incoming, "bill.csv") && ++cuts <= 3 && ((answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    let left = 100_000;
    answer.on("data", (data) => {
      if (left <= 0) return;
      outgoing.write(data.subarray(0, left));
      left -= data.length;
      if (left <= 0) setTimeout(() => outgoing.destroy(), 20);
    });
  }));
  const home = makeHome([s3Source("cut", "", cutting.url)]);
  assert.deepEqual(outcomes(await synced(home)), { "bill.csv": "imported" });
  const ranges = cutting.seen.filter((one) => one.url.includes("bill.csv")).map((one) => one.range);
  assert.equal(ranges.length, 4);
  assert.deepEqual(ranges.map((range) => range === undefined), [true, false, false, false]);
  assert.deepEqual(await costs(home), { "2026-10": "200" });
  cutting.close();
});

test("errors that pass are tried again", async () => {
  await s3.put("passing/bill.csv", bill("2026-10", [1]));
  let refusals = 3;
  const failing = await proxy(s3, (incoming, outgoing) => {
    if (refusals-- <= 0) return false;
    outgoing.writeHead([503, 500, 429][refusals % 3]).end("<Error><Code>SlowDown</Code></Error>");
    return true;
  });
  const home = makeHome([s3Source("passing", "", failing.url)]);
  assert.deepEqual(outcomes(await synced(home)), { "bill.csv": "imported" });
  failing.close();
});

test("what changes between list and get is listed again, and never mixed", async () => {
  await s3.put("moving/bill.csv", bill("2026-10", [1]));
  let first = true;
  const changing = await proxy(s3, async (incoming) => {
    if (!isObject(incoming, "bill.csv") || !first) return false;
    first = false;
    await s3.put("moving/bill.csv", bill("2026-10", [10]));
    return false;
  });
  const home = makeHome([s3Source("moving", "", changing.url)]);
  assert.deepEqual(outcomes(await synced(home)), { "bill.csv": "imported" });
  assert.deepEqual(await costs(home), { "2026-10": "10" });
  assert.equal(changing.seen.filter((one) => one.url.includes("list-type=2")).length, 2);
  changing.close();
});

test("bytes that were damaged on the way are fetched again, once", async () => {
  await s3.put("damage/bill.csv", bill("2026-10", [1]));
  let damages = 1;
  const damaging = await proxy(s3, (incoming, outgoing) => isObject(incoming, "bill.csv") && damages-- > 0 && ((answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.on("data", (data) => outgoing.write(Buffer.from(data.toString("latin1").replace("\n1,USD", "\n7,USD"), "latin1")));
    answer.on("end", () => outgoing.end());
  }));
  const home = makeHome([s3Source("damage", "", damaging.url)]);
  assert.deepEqual(outcomes(await synced(home)), { "bill.csv": "imported" });
  assert.deepEqual(await costs(home), { "2026-10": "1" });
  damages = 100;
  const other = makeHome([s3Source("damage", "", damaging.url)]);
  const ended = await sync(other);
  assert.equal(ended.failures[0].code, "DATA_LOSS");
  assert.match(ended.failures[0].message, /damage\/bill\.csv came damaged/);
  assert.equal(await commits(other), 0);
  damaging.close();
});

test("wrong or missing keys are told with the remedy, and without the keys", async () => {
  await s3.put("keys/bill.csv", bill("2026-10", [1]));
  const home = makeHome([s3Source("keys")]);
  const wrong = { ...secrets, AWS_SECRET_ACCESS_KEY: "another-secret-that-is-wrong" };
  const ended = await sync(home, [], wrong);
  assert.notEqual(ended.code, 0);
  assert.equal(ended.failures[0].code, "PERMISSION_DENIED");
  assert.match(ended.failures[0].message, /403 SignatureDoesNotMatch/);
  for (const secret of [wrong.AWS_SECRET_ACCESS_KEY, awsKey.id]) assert.ok(!(ended.out + ended.err).includes(secret));
  const missing = await sync(home, [], { AWS_ACCESS_KEY_ID: awsKey.id, AWS_SECRET_ACCESS_KEY: "" });
  assert.match(missing.failures[0].message, /AWS_SECRET_ACCESS_KEY .* is not set/);
  const nowhere = await sync(makeHome([s3Source("keys", "", s3.url, "no-such-bucket")]));
  assert.equal(nowhere.failures[0].code, "NOT_FOUND");
});

test("a redirect is not followed, and a name that is none of the estate's is answered with the nearest", async () => {
  const other = await proxy(s3, () => assert.fail("the redirect was followed"));
  const redirecting = await proxy(s3, (incoming, outgoing) => {
    outgoing.writeHead(307, { location: other.url + incoming.url }).end();
    return true;
  });
  const home = makeHome([s3Source("keys", "", redirecting.url)]);
  const ended = await sync(home);
  assert.equal(ended.failures[0].code, "FAILED_PRECONDITION");
  assert.match(ended.failures[0].message, /307/);
  assert.match((await sync(home, ["awz"])).err, /did you mean 'aws'/);
  other.close();
  redirecting.close();
});

test("a server whose certificate nobody vouches for gets no request", async () => {
  const [key, certificate] = [join(root.path, "key.pem"), join(root.path, "ca.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=IP:127.0.0.1"], { stdio: "ignore" });
  await s3.put("tls/bill.csv", bill("2026-10", [1]));
  let requests = 0;
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (incoming, outgoing) => {
    ++requests;
    const onward = request({ host: "127.0.0.1", port: new URL(s3.url).port, path: incoming.url, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${server.address().port}`;
  const refused = await sync(makeHome([s3Source("tls", "", url)]));
  assert.equal(refused.failures[0].code, "FAILED_PRECONDITION");
  assert.equal(requests, 0);
  assert.deepEqual(outcomes(await synced(makeHome([s3Source("tls", `, ca_file: ${certificate}`, url)]))), { "bill.csv": "imported" });
  server.closeAllConnections?.();
  server.close();
});

test("a sync that is killed leaves no half import, and the next does only the rest", async () => {
  const big = bill("2026-10", Array.from({ length: 300 }, () => 1), 2000);
  await putExport("killed", "2026-09", "e1", [bill("2026-09", [3])]);
  await putExport("killed", "2026-10", "e1", [bill("2026-10", [1]), big]);
  let hold = true;
  let held;
  const reached = new Promise((resolve) => (held = resolve));
  const holding = await proxy(s3, (incoming, outgoing) => isObject(incoming, "2026-10/focus-00002.csv") && hold && ((answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.once("data", (data) => {
      outgoing.write(data.subarray(0, 50_000));
      setTimeout(held, 300);
    });
  }));
  const home = makeHome([s3Source("killed", "", holding.url)]);
  const child = spawn(program, ["sync", "--home", home], { env: { ...process.env, ...secrets }, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await reached;
  child.kill("SIGKILL");
  await ended;
  hold = false;
  assert.deepEqual(await costs(home), { "2026-09": "3" });
  const before = holding.seen.length;
  assert.deepEqual(outcomes(await synced(home)), { "2026-09": "unchanged", "2026-10": "imported" });
  assert.deepEqual(await costs(home), { "2026-09": "3", "2026-10": "301" });
  const data = holding.seen.slice(before).filter((one) => one.url.includes("/data/"));
  assert.equal(data.length, 1, "only the rest is fetched");
  assert.match(data[0].range, /^bytes=\d+-$/);
  holding.close();
});

test("while a server owns the home, the import goes through it", async () => {
  await putExport("served", "2026-10", "e1", [bill("2026-10", [4])]);
  const home = makeHome([s3Source("served")]);
  const child = spawn(program, ["serve", "--home", home, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  assert.deepEqual(outcomes(await synced(home)), { "2026-10": "imported" });
  assert.deepEqual(outcomes(await synced(home)), { "2026-10": "unchanged" });
  assert.deepEqual(await costs(home), { "2026-10": "4" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
});

test("the rate is limited", async () => {
  await s3.put("rate/bill.csv", bill("2026-10", Array.from({ length: 750 }, () => 1), 2000));
  const home = makeHome([s3Source("rate")]);
  const begun = Date.now();
  await synced(home, ["--max-rate", "512KiB"]);
  assert.ok(Date.now() - begun > 1500, `${Date.now() - begun} ms for 1.5 MiB`);
});

async function putAzure(store, run, parts, lie = {}) {
  const folder = "costs/daily/20261001-20261031";
  const blobs = [];
  for (const [i, costsOfPart] of parts.entries()) {
    const text = bill("2026-10", costsOfPart);
    const blobName = `${folder}/${run}/part_${i}_0001.csv`;
    await store.put(`exports/${blobName}`, text);
    blobs.push({ blobName, byteCount: Buffer.byteLength(text), dataRowCount: costsOfPart.length + (lie.rows ?? 0) });
  }
  const sum = (name) => blobs.reduce((all, blob) => all + blob[name], 0);
  await store.put(`exports/${folder}/${run}/manifest.json`, JSON.stringify({ manifestVersion: "2024-04-01", byteCount: sum("byteCount"), blobCount: blobs.length,
    dataRowCount: sum("dataRowCount"), exportConfig: { exportName: "daily", type: "FocusCost" }, runInfo: { runId: run, submittedTime: new Date().toISOString() }, blobs }));
}

test("an export of Azure, by SAS and by the account's key; one with a wrong count of rows is refused", async () => {
  const folder = join(root.path, "azure");
  mkdirSync(folder);
  const store = await startAzure(folder);
  try {
    await store.makeContainer("exports");
    await putAzure(store, "run1", [[1], [2, 3]]);
    const source = (key) => `{ name: azure, kind: azure, account: ${azureAccount.name}, container: exports, endpoint: "${store.url}", ${key} }`;
    const home = makeHome([source("sas_env: COSTS_SAS")]);
    const env = { COSTS_SAS: store.sas() };
    assert.deepEqual(outcomes(await synced(home, [], env)), { "2026-10": "imported" });
    assert.deepEqual(await costs(home), { "2026-10": "6" });
    await new Promise((resolve) => setTimeout(resolve, 1100)); // times of blobs are whole seconds
    await putAzure(store, "run2", [[10], [20, 30]], { rows: 1 });
    const lied = await sync(home, [], env);
    assert.deepEqual(outcomes(lied), { "2026-10": "failed" });
    assert.match(lied.failures[0].message, /run2\/manifest\.json.* says that there are 5 rows, but the files have 3/);
    assert.deepEqual(await costs(home), { "2026-10": "6" });
    await putAzure(store, "run2", [[10], [20, 30]]);
    assert.deepEqual(outcomes(await synced(home, [], env)), { "2026-10": "imported" });
    assert.deepEqual(await costs(home), { "2026-10": "60" });
    const byKey = makeHome([source("key_env: COSTS_KEY")]);
    assert.deepEqual(outcomes(await synced(byKey, [], { COSTS_KEY: azureAccount.key })), { "2026-10": "imported" });
    const refused = await sync(byKey, [], { COSTS_KEY: Buffer.from("another key").toString("base64") });
    assert.equal(refused.failures[0].code, "PERMISSION_DENIED");
    const narrow = await sync(home, [], { COSTS_SAS: store.sas("w") });
    assert.equal(narrow.failures[0].code, "PERMISSION_DENIED");
    for (const secret of Object.values(env)) assert.ok(!(narrow.out + narrow.err).includes(secret.slice(-20)));
  } finally {
    await store.stop();
  }
});

test("a bucket of Google's, with a token that the service account's key was exchanged for", async () => {
  const store = await startGcs();
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let tokens = 0;
  const tokenServer = createServer((incoming, outgoing) => {
    let body = "";
    incoming.on("data", (data) => (body += data));
    incoming.on("end", () => {
      const [head, claims, signature] = new URLSearchParams(body).get("assertion").split(".");
      const verified = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(createPublicKey(publicKey.export({ type: "spki", format: "pem" })), Buffer.from(signature, "base64url"));
      const { iss, aud, scope } = JSON.parse(Buffer.from(claims, "base64url"));
      const right = verified && iss === "flyball@acme.iam.example" && aud.endsWith("/token") && scope.endsWith("read_only");
      outgoing.writeHead(right ? 200 : 400).end(JSON.stringify(right ? { access_token: `token${++tokens}`, expires_in: 3600 } : { error: "invalid_grant" }));
    });
  });
  await new Promise((resolve) => tokenServer.listen(0, "127.0.0.1", resolve));
  const authorized = await proxy(store, (incoming, outgoing) => {
    if (incoming.headers.authorization === "Bearer token1") return false;
    outgoing.writeHead(401).end();
    return true;
  });
  try {
    await store.makeBucket("bills");
    await store.put("bills", "focus/2026 10/a.csv", bill("2026-10", [1]));
    const keyFile = join(root.path, "gcp.json");
    writeFileSync(keyFile, JSON.stringify({ type: "service_account", client_email: "flyball@acme.iam.example", private_key_id: "k1",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }), token_uri: `http://127.0.0.1:${tokenServer.address().port}/token` }));
    const home = makeHome([`{ name: gcp, kind: gcs, bucket: bills, prefix: focus/, endpoint: "${authorized.url}", key_file: ${keyFile} }`]);
    assert.deepEqual(outcomes(await synced(home, [], {})), { "2026 10/a.csv": "imported" });
    assert.equal(tokens, 1);
    await store.put("bills", "focus/2026 10/a.csv", bill("2026-10", [8]));
    tokens = 0;
    assert.deepEqual(outcomes(await synced(home, [], {})), { "2026 10/a.csv": "imported" });
    assert.deepEqual(await costs(home), { "2026-10": "8" });
    const wrong = makeHome([`{ name: gcp, kind: gcs, bucket: bills, endpoint: "${authorized.url}", token_env: GCP_TOKEN }`]);
    assert.equal((await sync(wrong, [], { GCP_TOKEN: "stale" })).failures[0].code, "UNAUTHENTICATED");
  } finally {
    await store.stop();
    tokenServer.close();
    authorized.close();
  }
});

test("a store that stays broken is told, with nothing imported", async () => {
  const ended = await broken.ended;
  assert.equal(ended.code, 3);
  assert.match(ended.failures[0].message, /^aws: no answer from 127\.0\.0\.1:\d+: .* times in a row$/);
  assert.equal(await commits(broken.home), 0);
});
