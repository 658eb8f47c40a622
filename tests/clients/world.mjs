// A home with a gateway in front of the mock vendor, each a process of its own, and what they say of money. All amounts are
// counts of 1e-12 of the currency (BigInt).
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
