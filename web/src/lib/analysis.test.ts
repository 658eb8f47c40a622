import { describe, expect, it } from 'vitest';
import {
  bridgeSteps,
  filtersFor,
  flow,
  growthStory,
  layers,
  months,
  movers,
  OTHER,
  reasonOf,
} from './analysis';
import { parseFixed, sum } from './fixed';
import type { Row } from './api';

const units = (text: string) => parseFixed(text);
const sums = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([k, v]) => [k, units(v)]));

describe('the story of generative AI', () => {
  const story = (b: string, n: string, gb: string, gn: string) =>
    growthStory(units(b), units(n), units(gb), units(gn));
  it('tells a share only where a share means something', () => {
    expect(story('100', '120', '40', '55')).toMatchObject({ kind: 'growthShare', share: 0.75 });
    expect(story('100', '120', '40', '70').kind).toBe('growthAll');
    expect(story('100', '120', '40', '30').kind).toBe('growthAgainst');
    expect(story('100', '80', '40', '45').kind).toBe('fallWhileUp');
    expect(story('100', '80', '40', '30')).toMatchObject({ kind: 'fallShare', share: 0.5 });
    expect(story('100', '80', '40', '10').kind).toBe('fallAll');
    expect(story('100', '100', '40', '40').kind).toBe('flat');
    expect(story('100', '120', '0', '0').kind).toBe('none');
  });
});

describe('the bridge', () => {
  it('sums to the whole change, whatever is cut', () => {
    const before = sums({ a: '10', b: '20', c: '5.000000000001', gone: '3' });
    const now = sums({ a: '12.5', b: '18', c: '5', fresh: '7' });
    for (const most of [0, 1, 2, 9]) {
      const steps = bridgeSteps(before, now, most);
      expect(sum(steps.map((s) => s.delta))).toBe(sum(now.values()) - sum(before.values()));
      expect(steps.length).toBeLessThanOrEqual(most + 1);
    }
    expect(bridgeSteps(before, now, 1)[0]!.value).toBe('fresh');
  });
});

describe('layers', () => {
  const rows: Row[] = [
    { period: '2026-09', team: 'a', cost: '1' },
    { period: '2026-10', team: 'a', cost: '2' },
    { period: '2026-10', team: 'b', cost: '-0.5' },
    { period: '2026-10', team: 'c', cost: '0.25' },
    { period: '2026-10', team: OTHER, cost: '9' },
    { period: '1999-01', team: 'a', cost: '100' },
  ];
  it('keeps the largest and gathers the rest with what the server had gathered', () => {
    const out = layers(rows, 'team', 'cost', ['2026-09', '2026-10'], 1);
    expect(out.map((l) => l.value)).toEqual(['a', OTHER]);
    expect(out[0]!.points).toEqual([units('1'), units('2')]);
    expect(out[1]!.points).toEqual([0n, units('8.75')]);
  });
});

describe('movers', () => {
  const columns = ['team', 'service', 'model'];
  const row = (cost: string, usage: string, unit: string, service = 's'): Row => ({
    team: 't',
    service,
    model: 'm',
    unit,
    cost,
    usage,
  });
  const reason = (before: Row[], now: Row[]) =>
    reasonOf(movers(before, now, columns, 'cost', 9)[0]!, before, now, columns, 'cost');
  it('ranks by the size of the change', () => {
    const list = movers(
      [row('10', '1', 'h'), row('5', '1', 'h', 'z')],
      [row('11', '1', 'h')],
      columns,
      'cost',
      9,
    );
    expect(list.map((m) => [m.key[1], m.delta])).toEqual([
      ['z', units('-5')],
      ['s', units('1')],
    ]);
  });
  it('splits a change into usage and price that sum to it', () => {
    const out = reason([row('100', '10', 'h')], [row('180', '15', 'h')]);
    expect(out).toMatchObject({
      kind: 'split',
      usage: units('50'),
      usageShare: 0.5,
      price: units('30'),
      priceShare: 0.2,
    });
  });
  it('says new, gone, no usage and other units instead of guessing', () => {
    expect(reason([], [row('1', '1', 'h')]).kind).toBe('new');
    expect(reason([row('1', '1', 'h')], []).kind).toBe('gone');
    expect(reason([row('1', '0', '')], [row('2', '0', '')]).kind).toBe('noUsage');
    expect(reason([row('1', '5', 'h')], [row('2', '5', 'GB')]).kind).toBe('otherUnits');
  });
});

describe('the flow', () => {
  it('keeps every positive amount in each column, and tells what it leaves out', () => {
    const rows: Row[] = [
      { e: 'x', d: 'p', t: '1', cost: '5' },
      { e: 'x', d: 'q', t: '2', cost: '3' },
      { e: 'y', d: 'r', t: '3', cost: '2' },
      { e: 'z', d: 's', t: '4', cost: '1' },
      { e: 'z', d: 's', t: '4', cost: '-4' },
    ];
    const out = flow(rows, ['e', 'd', 't'], 'cost', 2);
    for (const totals of out.totals) expect(sum(totals.values())).toBe(units('11'));
    for (const links of out.links) expect(sum(links.map((l) => l.value))).toBe(units('11'));
    expect(out.negative).toBe(units('-4'));
    expect(out.columns[1]).toEqual(['p', 'q', OTHER]);
  });
});

describe('filters behind a figure', () => {
  it('stands for everything else when it is the others', () => {
    expect(filtersFor('team', OTHER, ['a', 'b', OTHER])).toEqual([
      { dimension: 'team', not: true, values: ['a', 'b'] },
    ]);
    expect(filtersFor('team', 'a')).toEqual([{ dimension: 'team', values: ['a'] }]);
  });
});

describe('the month to open with', () => {
  const rows = (counts: Record<string, string>): Row[] =>
    Object.entries(counts).map(([period, charges]) => ({ period, charges }));
  it('is the newest', () => {
    expect(months(rows({ '2026-08': '100', '2026-09': '120', '2026-10': '40' })).latest).toBe(
      '2026-10',
    );
  });
  it('is not one that holds a few charges ahead of time', () => {
    expect(months(rows({ '2026-08': '1000', '2026-09': '1200', '2026-10': '3' })).latest).toBe(
      '2026-09',
    );
  });
  it('may be absent', () => {
    expect(months([])).toEqual({ names: [], latest: '' });
  });
});
