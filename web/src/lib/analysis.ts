// What the first screen says, computed from answers of the ledger. Pure functions; all sums exact.
import { abs, compare, parseFixed, ratio, sum, USAGE_SCALE } from './fixed';
import type { Answer, Row } from './api';
import { type Filter } from './where';

export const UNALLOCATED = '(unallocated)';
export const OTHER = '(other)';
export const GENERATIVE = 'generative AI';

/** The sides of the ratio of cloud to model cost; the tooltip of the figure says the same. */
export const CLOUD_DRIVERS = [
  'hardware',
  'cloud service',
  'storage',
  'network',
  'energy',
  'data centre',
];
export const MODEL_DRIVERS = ['model inference', 'model training', 'fine-tuning'];

/** Drivers and stages in the order of the ledger's closed lists. */
export const STAGES = [
  'explore',
  'build',
  'train',
  'fine-tune',
  'deploy',
  'serve',
  'operate',
  'retire',
];

/** Sums of one measure by one column of the answer. */
export function sumBy(rows: readonly Row[], column: string, measure: string): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const row of rows) {
    const key = row[column] ?? '';
    sums.set(key, (sums.get(key) ?? 0n) + parseFixed(row[measure]));
  }
  return sums;
}

export function total(answer: Answer | undefined, measure: string): bigint {
  return answer ? sum(answer.rows.map((row) => parseFixed(row[measure]))) : 0n;
}

export const ranked = (sums: ReadonlyMap<string, bigint>): [string, bigint][] =>
  [...sums].sort((a, b) => compare(abs(b[1]), abs(a[1])) || (a[0] < b[0] ? -1 : 1));

/** Filters for a group of values; what "(other)" stands for is everything but the values that are shown. */
export function filtersFor(
  dimension: string,
  value: string,
  shown: readonly string[] = [],
): Filter[] {
  if (value !== OTHER) return [{ dimension, values: [value] }];
  const values = shown.filter((v) => v !== OTHER);
  return values.length ? [{ dimension, not: true, values }] : [];
}

// ---- The headline: what generative AI has to do with the change.

export type Story =
  | { kind: 'growthShare' | 'fallShare'; share: number; delta: bigint }
  | { kind: 'growthAll' | 'growthAgainst' | 'fallAll' | 'fallWhileUp'; delta: bigint }
  | { kind: 'none' | 'flat' };

export function growthStory(before: bigint, now: bigint, genBefore: bigint, genNow: bigint): Story {
  if (genBefore === 0n && genNow === 0n) return { kind: 'none' };
  const change = now - before;
  const delta = genNow - genBefore;
  if (delta === 0n) return { kind: 'flat' };
  if (change > 0n) {
    if (delta < 0n) return { kind: 'growthAgainst', delta: abs(delta) };
    if (delta > change) return { kind: 'growthAll', delta };
    return { kind: 'growthShare', share: ratio(delta, change), delta };
  }
  if (delta > 0n) return { kind: 'fallWhileUp', delta };
  if (change === 0n) return { kind: 'flat' };
  if (delta < change) return { kind: 'fallAll', delta: abs(delta) };
  return { kind: 'fallShare', share: ratio(delta, change), delta: abs(delta) };
}

// ---- The bridge from one period to the next.

export interface Step {
  value: string;
  before: bigint;
  now: bigint;
  delta: bigint;
}
/** The largest changes; the smaller ones are one step, "(other)". The steps always sum to the whole change. */
export function bridgeSteps(
  before: ReadonlyMap<string, bigint>,
  now: ReadonlyMap<string, bigint>,
  most: number,
): Step[] {
  const values = new Set([...before.keys(), ...now.keys()]);
  const steps = [...values].map((value): Step => {
    const b = before.get(value) ?? 0n;
    const n = now.get(value) ?? 0n;
    return { value, before: b, now: n, delta: n - b };
  });
  const moved = steps
    .filter((step) => step.value !== OTHER)
    .sort((a, b) => compare(abs(b.delta), abs(a.delta)) || (a.value < b.value ? -1 : 1));
  const rest = [...moved.slice(most), ...steps.filter((step) => step.value === OTHER)];
  const kept = moved.slice(0, most);
  if (rest.length) {
    kept.push({
      value: OTHER,
      before: sum(rest.map((s) => s.before)),
      now: sum(rest.map((s) => s.now)),
      delta: sum(rest.map((s) => s.delta)),
    });
  }
  return kept;
}

// ---- Layers over time.

export interface Layer {
  value: string;
  points: bigint[]; // one for each bucket
  total: bigint;
}
export function layers(
  rows: readonly Row[],
  dimension: string,
  measure: string,
  names: readonly string[],
  most: number,
): Layer[] {
  const at = new Map(names.map((name, i) => [name, i]));
  const byValue = new Map<string, Layer>();
  for (const row of rows) {
    const index = at.get(row['period'] ?? '');
    if (index === undefined) continue;
    const value = row[dimension] ?? '';
    let layer = byValue.get(value);
    if (!layer) byValue.set(value, (layer = { value, points: names.map(() => 0n), total: 0n }));
    const amount = parseFixed(row[measure]);
    layer.points[index] = layer.points[index]! + amount;
    layer.total += amount;
  }
  const sorted = [...byValue.values()].sort((a, b) => compare(abs(b.total), abs(a.total)));
  const named = sorted.filter((layer) => layer.value !== OTHER);
  const rest = [...named.slice(most), ...sorted.filter((layer) => layer.value === OTHER)];
  const kept = named.slice(0, most);
  if (rest.length) {
    kept.push({
      value: OTHER,
      points: names.map((_, i) => sum(rest.map((layer) => layer.points[i]!))),
      total: sum(rest.map((layer) => layer.total)),
    });
  }
  return kept;
}

// ---- Top movers and their reasons.

export interface Mover {
  key: string[];
  before: bigint;
  now: bigint;
  delta: bigint;
}
const SEPARATOR = '\u0000';
const keyOf = (row: Row, columns: readonly string[]): string =>
  columns.map((column) => row[column] ?? '').join(SEPARATOR);

export function movers(
  before: readonly Row[],
  now: readonly Row[],
  columns: readonly string[],
  measure: string,
  most: number,
): Mover[] {
  const sums = new Map<string, Mover>();
  const add = (row: Row, side: 'before' | 'now') => {
    const id = keyOf(row, columns);
    let mover = sums.get(id);
    if (!mover)
      sums.set(id, (mover = { key: id.split(SEPARATOR), before: 0n, now: 0n, delta: 0n }));
    mover[side] += parseFixed(row[measure]);
  };
  before.forEach((row) => add(row, 'before'));
  now.forEach((row) => add(row, 'now'));
  for (const mover of sums.values()) mover.delta = mover.now - mover.before;
  return [...sums.values()]
    .filter((mover) => mover.delta !== 0n && mover.key.some((part) => part !== OTHER))
    .sort((a, b) => compare(abs(b.delta), abs(a.delta)))
    .slice(0, most);
}

export type Reason =
  | { kind: 'new' | 'gone' | 'noUsage' | 'otherUnits' }
  /** usage + price = the change of the cost in shared units; shares are relative changes of quantity and average price. */
  | { kind: 'split'; usage: bigint; usageShare: number; price: bigint; priceShare: number };

/** Why a line moved, from its cost and usage by unit. Average prices hide shifts between SKUs: an estimate. */
export function reasonOf(
  mover: Mover,
  before: readonly Row[],
  now: readonly Row[],
  columns: readonly string[],
  measure: string,
): Reason {
  if (mover.before === 0n) return { kind: 'new' };
  if (mover.now === 0n) return { kind: 'gone' };
  const id = mover.key.join(SEPARATOR);
  const units = (rows: readonly Row[]) => {
    const out = new Map<string, { cost: bigint; usage: bigint }>();
    for (const row of rows) {
      if (keyOf(row, columns) !== id) continue;
      const unit = row['unit'] ?? '';
      const old = out.get(unit) ?? { cost: 0n, usage: 0n };
      out.set(unit, {
        cost: old.cost + parseFixed(row[measure]),
        usage: old.usage + parseFixed(row['usage'], USAGE_SCALE),
      });
    }
    return out;
  };
  const old = units(before);
  const fresh = units(now);
  const measured = (side: typeof old) =>
    [...side].filter(([, v]) => v.usage !== 0n).map(([unit]) => unit);
  const shared = measured(old).filter((unit) => (fresh.get(unit)?.usage ?? 0n) !== 0n);
  if (shared.length === 0)
    return { kind: measured(old).length && measured(fresh).length ? 'otherUnits' : 'noUsage' };

  let usage = 0n;
  let base = 0n;
  let after = 0n;
  for (const unit of shared) {
    const a = old.get(unit)!;
    const b = fresh.get(unit)!;
    base += a.cost;
    after += b.cost;
    usage += (a.cost * (b.usage - a.usage)) / a.usage;
  }
  // A split of a part would explain something else than the change that is shown.
  if (
    abs(mover.before - base) * 10n > abs(mover.before) ||
    abs(mover.now - after) * 10n > abs(mover.now)
  ) {
    return { kind: 'otherUnits' };
  }
  const price = after - base - usage;
  return {
    kind: 'split',
    usage,
    usageShare: ratio(usage, base),
    price,
    priceShare: ratio(price, base + usage),
  };
}

// ---- Flow.

export interface FlowLink {
  from: string;
  to: string;
  value: bigint;
}
export interface Flow {
  columns: string[][]; // values of each column, largest first
  totals: Map<string, bigint>[];
  links: FlowLink[][]; // between neighbouring columns
  negative: bigint; // sum of what is below zero, which no width can show
}
/** Three columns of nodes; what is not among the `most` largest of its column is in "(other)". */
export function flow(
  rows: readonly Row[],
  dimensions: readonly string[],
  measure: string,
  most: number,
): Flow {
  const positive = rows.filter((row) => parseFixed(row[measure]) > 0n);
  const negative = sum(rows.map((row) => parseFixed(row[measure])).filter((v) => v < 0n));
  const kept = dimensions.map((dimension) => {
    const order = ranked(sumBy(positive, dimension, measure)).map(([value]) => value);
    const named = order.filter((value) => value !== OTHER);
    return new Set(
      order.length <= most + 1 && named.length === order.length ? named : named.slice(0, most),
    );
  });
  const at = (row: Row, i: number) => {
    const value = row[dimensions[i]!] ?? '';
    return kept[i]!.has(value) ? value : OTHER;
  };
  const totals = dimensions.map(() => new Map<string, bigint>());
  const links = dimensions.slice(1).map(() => new Map<string, FlowLink>());
  for (const row of positive) {
    const amount = parseFixed(row[measure]);
    dimensions.forEach((_, i) => {
      const value = at(row, i);
      totals[i]!.set(value, (totals[i]!.get(value) ?? 0n) + amount);
      if (i === 0) return;
      const from = at(row, i - 1);
      const id = from + SEPARATOR + value;
      const link = links[i - 1]!.get(id) ?? { from, to: value, value: 0n };
      link.value += amount;
      links[i - 1]!.set(id, link);
    });
  }
  const last = (value: string) => (value === OTHER ? 1 : 0);
  const columns = totals.map((column) =>
    ranked(column)
      .map(([value]) => value)
      .sort((a, b) => last(a) - last(b)),
  );
  return { columns, totals, links: links.map((l) => [...l.values()]), negative };
}

// ---- Which month to look at.

export interface Months {
  names: string[];
  latest: string;
}
/**
 * The months with charges, and the one that the page opens with: the newest, but for a few charges that lie ahead of the
 * rest (a purchase that starts next month must not make the page open on an empty month).
 */
export function months(rows: readonly Row[]): Months {
  const counts = rows.map((row) => ({
    month: row['period'] ?? '',
    charges: Number(row['charges'] ?? 0),
  }));
  const byMonth = new Map<string, number>();
  for (const { month, charges } of counts) byMonth.set(month, (byMonth.get(month) ?? 0) + charges);
  const names = [...byMonth.keys()].sort();
  const sizes = [...byMonth.values()].sort((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  let latest = names.at(-1) ?? '';
  for (let i = names.length - 1; i >= 0; i--) {
    if (byMonth.get(names[i]!)! * 50 >= median) {
      latest = names[i]!;
      break;
    }
  }
  return { names, latest };
}
