// Real object stores as children of the test, and how a client puts objects there: signatures are made here a second time,
// in another language than the program's.
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const stores = process.env.FLYBALL_TEST_STORES;

export const awsKey = { id: "AKIAFLYBALLTEST", secret: "secret-of-the-test-0123456789abcdef" };
export const azureAccount = { name: "flyballtest", key: Buffer.from("key of the test, which is not one").toString("base64") };

const given = new Set(); // the kernel may offer a port again before its store has taken it

async function freePort() {
  for (;;) {
    const port = await new Promise((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port: free } = server.address();
        server.close(() => resolve(free));
      });
    });
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

// A port P such that P + 10000 is one too: SeaweedFS speaks gRPC there.
async function pairOfPorts() {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
    const lower = 20_000 + (port % 20_000);
    if (await new Promise((resolve) => {
      const server = createServer().once("error", () => resolve(false)).listen(lower, "127.0.0.1", () => server.close(() => resolve(true)));
    })) return lower;
  }
}

export class Store {
  constructor(command, args, env = {}) {
    this.child = spawn(command, args, { stdio: process.env.FLYBALL_TEST_STORES_LOUD ? "inherit" : "ignore", env: { ...process.env, ...env } });
  }
  async up(url) {
    for (let tries = 0; tries < 300; ++tries) {
      try {
        await fetch(url);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (this.child.exitCode !== null) break;
    }
    throw new Error(`a store did not start at ${url}`);
  }
  stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    return ended;
  }
}

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

export async function startS3(folder) {
  const [master, volume, filer, s3] = [await pairOfPorts(), await pairOfPorts(), await pairOfPorts(), await pairOfPorts()];
  const config = join(folder, "s3.json");
  writeFileSync(config, JSON.stringify({
    identities: [{ name: "flyball", credentials: [{ accessKey: awsKey.id, secretKey: awsKey.secret }], actions: ["Admin", "Read", "Write", "List"] }],
  }));
  const store = new Store(join(stores, "bin/weed"), ["server", `-dir=${folder}`, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", `-master.port=${master}`,
    `-volume.port=${volume}`, "-filer", `-filer.port=${filer}`, "-s3", `-s3.port=${s3}`, "-s3.port.iceberg=0", "-s3.port.lance=0", `-s3.config=${config}`,
    "-volume.max=20", "-master.volumeSizeLimitMB=64"]);
  store.url = `http://127.0.0.1:${s3}`;
  await store.up(store.url);
  store.send = async (method, path, body = "") => {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const host = `127.0.0.1:${s3}`;
    const hash = sha256(body);
    const encoded = path.split("/").map((step) => encodeURIComponent(step).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)).join("/");
    const canonical = `${method}\n${encoded}\n\nhost:${host}\nx-amz-content-sha256:${hash}\nx-amz-date:${time}\n\nhost;x-amz-content-sha256;x-amz-date\n${hash}`;
    const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
    let key = `AWS4${awsKey.secret}`;
    for (const part of scope.split("/")) key = hmac(key, part);
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex");
    const response = await fetch(store.url + encoded, { method, body: body || undefined, headers: {
      "x-amz-date": time, "x-amz-content-sha256": hash,
      authorization: `AWS4-HMAC-SHA256 Credential=${awsKey.id}/${scope},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=${signature}` } });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  };
  // The first writes may come before there is a volume.
  store.put = async (key, body) => {
    for (let tries = 0; ; ++tries) {
      try {
        return await store.send("PUT", `/bills/${key}`, body);
      } catch (error) {
        if (tries >= 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };
  return store;
}

export async function startAzure(folder) {
  const port = await freePort();
  const store = new Store(process.execPath, [join(stores, "node_modules/azurite/dist/src/blob/main.js"), "--blobHost", "127.0.0.1", "--blobPort", `${port}`,
    "--location", folder, "--silent", "--disableTelemetry", "--skipApiVersionCheck"], { AZURITE_ACCOUNTS: `${azureAccount.name}:${azureAccount.key}` });
  store.url = `http://127.0.0.1:${port}/${azureAccount.name}`;
  await store.up(store.url);
  store.send = async (path, query, headers, body) => {
    const all = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-12-02", ...headers };
    const names = Object.keys(all).sort().map((name) => `${name}:${all[name]}\n`).join("");
    const resource = Object.keys(query).sort().map((name) => `\n${name}:${query[name]}`).join("");
    const text = `PUT\n\n\n${body.length || ""}\n\n${body.length ? "text/csv" : ""}\n\n\n\n\n\n\n${names}/${azureAccount.name}/${azureAccount.name}/${path}${resource}`;
    const signature = createHmac("sha256", Buffer.from(azureAccount.key, "base64")).update(text).digest("base64");
    const response = await fetch(`${store.url}/${path}?${new URLSearchParams(query)}`, { method: "PUT", body: body || undefined, headers: {
      ...all, ...(body.length ? { "content-type": "text/csv" } : {}), authorization: `SharedKey ${azureAccount.name}:${signature}` } });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer}`);
  };
  store.makeContainer = (name) => store.send(name, { restype: "container" }, {}, "");
  store.put = (key, body) => store.send(key, {}, { "x-ms-blob-type": "BlockBlob" }, body);
  // A SAS of the account that may list and read blobs ("Create an account SAS").
  store.sas = (permissions = "rl") => {
    const version = "2021-12-02";
    const expiry = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
    const text = [azureAccount.name, permissions, "b", "sco", "", expiry, "", "http,https", version, "", ""].join("\n");
    const signature = createHmac("sha256", Buffer.from(azureAccount.key, "base64")).update(text).digest("base64");
    return new URLSearchParams({ sv: version, ss: "b", srt: "sco", sp: permissions, se: expiry, spr: "http,https", sig: signature }).toString();
  };
  return store;
}

export async function startGcs() {
  const port = await freePort();
  const store = new Store(join(stores, "bin/fake-gcs-server"), ["-scheme", "http", "-host", "127.0.0.1", "-port", `${port}`, "-backend", "memory"]);
  store.url = `http://127.0.0.1:${port}`;
  await store.up(store.url);
  store.makeBucket = (name) => fetch(`${store.url}/storage/v1/b`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name }) });
  store.put = async (bucket, key, body) => {
    const response = await fetch(`${store.url}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(key)}`, { method: "POST", body });
    if (!response.ok) throw new Error(`${key}: ${response.status}`);
  };
  return store;
}
