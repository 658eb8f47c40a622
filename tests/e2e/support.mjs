// Starts the program in a home of its own, and knows how amounts are written: apart from the page's own code.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const binary =
  process.env.FLYBALL_BIN ?? new URL('../../build/release/flyball', import.meta.url).pathname;
const START_LIMIT_MS = 60_000;

export async function makeHome() {
  const dir = await mkdtemp(join(process.env.TMPDIR || tmpdir(), 'flyball-e2e-'));
  return { dir, home: join(dir, 'home'), remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Runs a command of the program and gives its standard output. */
export async function flyball(...args) {
  const { stdout } = await run(binary, args, { maxBuffer: 64 << 20 });
  return stdout;
}

/** `flyball serve` on a free port; resolves when it has printed its address. */
export async function serve(home) {
  // While the page is worked on, FLYBALL_WEB_DIR=web/dist saves building the program anew.
  const page = process.env.FLYBALL_WEB_DIR ? ['--web-dir', process.env.FLYBALL_WEB_DIR] : [];
  const child = spawn(binary, ['serve', '--home', home, '--listen', '127.0.0.1:0', ...page], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => (err += data));
  const address = await new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`no address after ${START_LIMIT_MS} ms: ${out}${err}`)),
      START_LIMIT_MS,
    );
    child.stdout.on('data', (data) => {
      out += data;
      const found = /http:\/\/[\w.:[\]-]+/.exec(out);
      if (found && out.includes('\n')) {
        clearTimeout(limit);
        resolve(found[0]);
      }
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      reject(new Error(`flyball serve ended with ${code}: ${out}${err}`));
    });
  });
  return {
    address,
    token: (await readFile(join(home, 'token'), 'utf8')).trim(),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}

export async function query(address, body) {
  const response = await fetch(`${address}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

/** Decimal text to a count of 1e-12. */
export function units(text) {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  const value = BigInt(whole + fraction.padEnd(12, '0').slice(0, 12));
  return sign ? -value : value;
}
export function decimal(value) {
  const text = (value < 0n ? -value : value).toString().padStart(13, '0');
  const exact = `${value < 0n ? '-' : ''}${text.slice(0, -12)}.${text.slice(-12)}`;
  return exact.replace(/\.?0+$/, '');
}
/** "$1,234.50": cents, rounded half to even, as the page writes its large figures. */
export function dollars(value, digits = 2) {
  const step = 10n ** BigInt(12 - digits);
  const size = value < 0n ? -value : value;
  let count = size / step;
  const rest = (size % step) * 2n;
  if (rest > step || (rest === step && count % 2n === 1n)) count += 1n;
  const text = count.toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0n ? '−' : ''}$${whole}${digits ? `.${text.slice(-digits)}` : ''}`;
}

const HEADER = [
  'AvailabilityZone',
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingCurrency',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'EffectiveCost',
  'InvoiceIssuerName',
  'ListCost',
  'PricingCategory',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'RegionId',
  'RegionName',
  'ResourceId',
  'ResourceName',
  'ResourceType',
  'ServiceCategory',
  'ServiceName',
  'SkuId',
  'SkuPriceId',
  'SubAccountId',
  'SubAccountName',
  'Tags',
];
/** A FOCUS 1.0 bill of one month, the same for the same seed; costs have all twelve decimals. */
export function makeBill(month, rows, seed = 7) {
  let state = seed;
  const next = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  const [year, number] = month.split('-').map(Number);
  const following =
    number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`;
  const services = [
    ['Amazon Bedrock', 'AI and Machine Learning'],
    ['Amazon EC2', 'Compute'],
    ['Amazon S3', 'Storage'],
  ];
  const lines = [HEADER.join(',')];
  for (let i = 0; i < rows; i++) {
    const day = String(1 + next(27)).padStart(2, '0');
    const [service, category] = services[next(3)];
    const cost = `${next(40)}.${String(next(1e6)).padStart(6, '0')}${String(next(1e6)).padStart(6, '0')}`;
    const values = {
      BilledCost: cost,
      EffectiveCost: cost,
      ListCost: cost,
      ContractedCost: cost,
      BillingAccountId: '4242',
      BillingAccountName: 'e2e',
      BillingCurrency: 'USD',
      BillingPeriodStart: `${month}-01T00:00:00Z`,
      BillingPeriodEnd: `${following}-01T00:00:00Z`,
      ChargeCategory: 'Usage',
      ChargeDescription: `"line ${i}, of the test"`,
      ChargeFrequency: 'Usage-Based',
      ChargePeriodStart: `${month}-${day}T00:00:00Z`,
      ChargePeriodEnd: `${month}-${day}T01:00:00Z`,
      ConsumedQuantity: String(1 + next(9)),
      ConsumedUnit: 'Hours',
      InvoiceIssuerName: 'AWS',
      PricingCategory: 'Standard',
      PricingQuantity: '1',
      PricingUnit: 'Hours',
      ProviderName: 'AWS',
      PublisherName: 'AWS',
      RegionId: 'eu-west-1',
      RegionName: 'Ireland',
      ResourceId: `arn:e2e:${i}`,
      ServiceCategory: category,
      ServiceName: service,
      SkuId: `E2E-${next(20)}`,
      SkuPriceId: `E2E-${next(20)}.P`,
      SubAccountId: '4243',
      SubAccountName: 'e2e-sub',
    };
    lines.push(HEADER.map((column) => values[column] ?? '').join(','));
  }
  return lines.join('\n') + '\n';
}
