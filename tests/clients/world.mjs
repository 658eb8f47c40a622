// A home with a gateway in front of the mock vendor, each a process of its own, and what they say of money. All amounts are
// counts of 1e-12 of the currency (BigInt).
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const START_LIMIT_MS = 30_000;
export const binary =
  process.env.FLYBALL_BIN ?? new URL('../../build/release/flyball', import.meta.url).pathname;

/** Decimal text to a count of 1e-12. */
export function units(text) {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  const value = BigInt(whole + fraction.padEnd(12, '0'));
  return sign ? -value : value;
}

/** The other way, as the program writes it. */
export function decimal(count) {
  const digits = String(count < 0n ? -count : count).padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return (count < 0n ? '-' : '') + digits.slice(0, -12) + (fraction && `.${fraction}`);
}

// ---- journals (src/os/journal.h)

const MAGIC = 'FLYJRNL1';
const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
function crc32c(...parts) {
  let crc = -1;
  for (const part of parts) for (const byte of part) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
/** The records of a journal of JSON. Throws where one is not whole. */
function readJournal(bytes) {
  if (bytes.toString('latin1', 0, 8) !== MAGIC) throw new Error('no journal');
  const records = [];
  for (let at = 8; at < bytes.length; ) {
    const payload = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at));
    if (crc32c(bytes.subarray(at, at + 4), payload) !== bytes.readUInt32LE(at + 4)) throw new Error(`damage at byte ${at}`);
    records.push(JSON.parse(payload.toString()));
    at += 8 + payload.length;
  }
  return records;
}
function journalOf(records) {
  const parts = [Buffer.from(MAGIC)];
  for (const record of records) {
    const payload = Buffer.from(JSON.stringify(record));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(payload.length);
    head.writeUInt32LE(crc32c(head.subarray(0, 4), payload), 4);
    parts.push(head, payload);
  }
  return Buffer.concat(parts);
}

/** A port that was free a moment ago: a process that is started again keeps its address. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a command of the program; resolves when it has printed its address. */
export async function start(args, env = {}) {
  const child = spawn(binary, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const address = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`flyball ${args[0]} ${why}: ${out}${err}`));
    const limit = setTimeout(() => fail(`gave no address in ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    child.stdout.on('data', (data) => {
      out += data;
      const found = /http:\/\/[\w.:[\]-]+/.exec(out);
      if (found && out.includes('\n')) {
        clearTimeout(limit);
        resolve(found[0]);
      }
    });
    ended.then(({ code, signal }) => {
      clearTimeout(limit);
      fail(`ended with ${code ?? signal}`);
    });
  });
  const end = async (signal) => {
    child.kill(signal);
    return ended;
  };
  return { address, child, ended, errors: () => err, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/**
 * The mock vendor under `script`, and a home whose gateway calls it with `budgets` (YAML). `startGateway` may be called again
 * after a kill: the address stays.
 */
export async function makeWorld({ script = {}, budgets = '' } = {}) {
  const dir = await mkdtemp(join(process.env.TMPDIR || tmpdir(), 'flyball-clients-'));
  const home = join(dir, 'home');
  await mkdir(home);
  await writeFile(join(dir, 'script.json'), JSON.stringify(script));
  const vendor = await start(['mock-vendor', '--listen', '127.0.0.1:0', '--script', join(dir, 'script.json')]);
  const upstream = (name, dialect, models) =>
    `    - {name: ${name}, dialect: ${dialect}, base_url: "${vendor.address}", key_env: VENDOR_KEY, models: [${models}]}\n`;
  await writeFile(
    join(home, 'estate.yaml'),
    'gateway:\n  upstreams:\n' +
      upstream('openai', 'openai', '"gpt-*", "text-embedding-*"') +
      upstream('anthropic', 'anthropic', '"claude-*"') +
      (budgets ? `budgets:\n${budgets}` : ''),
  );
  const listen = `127.0.0.1:${await freePort()}`;
  const flyball = async (...args) => (await run(binary, [...args, '--home', home], { maxBuffer: 64 << 20 })).stdout;
  return {
    home,
    vendor,
    flyball,
    url: `http://${listen}`,
    startGateway: () => start(['gateway', '--home', home, '--listen', listen], { VENDOR_KEY: 'sk-of-the-vendor' }),
    createKey: async (...options) => JSON.parse(await flyball('keys', 'create', ...options, '--json')).key,
    /** The answer of a command that found something: exit code 1. */
    found: async (...args) => {
      const failed = await flyball(...args).then(
        () => new Error(`flyball ${args[0]} found nothing`),
        (error) => error,
      );
      if (failed.code !== 1) throw failed;
      return JSON.parse(failed.stdout);
    },
    /** Of each budget: its amounts as counts. */
    budgets: async () => {
      const rows = JSON.parse(await flyball('budgets', '--format', 'json'));
      return new Map(
        rows.map((row) => [
          row.scope,
          {
            ...row,
            ...Object.fromEntries(
              ['limit', 'settled', 'held', 'remaining'].map((name) => [name, units(row[name])]),
            ),
          },
        ]),
      );
    },
    /** Until the gateway has read a new key, which it looks for twice a second. */
    knows: async (key) => {
      const asks = () => fetch(`http://${listen}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
      while ((await asks()).status === 401) await sleep(50);
    },
    /** What the vendor bills for all that it has done, rated by `flyball rate`. */
    billed: async () => {
      const { models } = await (await fetch(`${vendor.address}/mock/invoice?requests=0`)).json();
      let sum = 0n;
      for (const [model, { usage, requests }] of Object.entries(models)) {
        const all = JSON.stringify({ ...usage, requests });
        sum += units(JSON.parse(await flyball('rate', '--model', model, '--usage', all)).total);
      }
      return sum;
    },
    /** All that the vendor has done, answer by answer. */
    invoice: async () => (await fetch(`${vendor.address}/mock/invoice`)).json(),
    /** A file beside the home. */
    put: async (name, json) => {
      await writeFile(join(dir, name), JSON.stringify(json));
      return join(dir, name);
    },
    /**
     * Moves every call of the log by what `ageUs` says of the time at which it was dispatched: bills are for days that are
     * over. For a gateway that is stopped. How many calls there are, and how many came to their end in a part of another age.
     */
    ageCalls: async (ageUs) => {
      const folder = join(home, 'gateway', 'calls');
      const ages = new Map();
      const months = new Map();
      let cut = 0;
      for (const name of (await readdir(folder)).sort()) {
        for (const record of name.endsWith('.journal') ? readJournal(await readFile(join(folder, name))) : []) {
          if (record.r === 'd') {
            const age = ageUs(record.at);
            ages.set(record.id, { age, month: new Date((record.at - age) / 1000).toISOString().slice(0, 7) });
          }
          const { age, month } = ages.get(record.id);
          if (ageUs(record.at) !== age) ++cut;
          record.at -= age;
          if (!months.has(month)) months.set(month, []);
          months.get(month).push(record);
        }
        await rm(join(folder, name)); // also how far the log was read at the last start
      }
      for (const [month, records] of months) await writeFile(join(folder, `calls-${month}.journal`), journalOf(records));
      return { calls: ages.size, cut };
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
