import { describe, expect, it } from 'vitest';
import { barOf, hiddenOf, isAmount, isNamed, isOneOfEach, readBudgets } from './budgets';

const row = {
  name: 'search',
  scope: 'team=search',
  window: 'month',
  zone: 'UTC',
  currency: 'USD',
  limit: '100',
  settled: '30.000000000001',
  held: '20',
  remaining: '49.999999999999',
  resets_at: '2026-12-01T00:00:00Z',
  max_overspend: '0',
  max_overspend_bounded: true,
  hard: true,
  frozen: false,
  warn: [50, 80],
};
const budget = (change: Record<string, unknown> = {}) => readBudgets([{ ...row, ...change }])[0]!;

describe('budgets', () => {
  it('keep the digits of the server', () => {
    expect(budget().settled).toBe('30.000000000001');
    expect(barOf(budget()).used).toBe(50_000_000_000_001n);
  });
  it('show what is settled, held and left of the limit', () => {
    const bar = barOf(budget());
    expect(bar.settled).toBeCloseTo(0.3);
    expect(bar.held).toBeCloseTo(0.2);
    expect(bar.limit).toBe(1);
    expect(bar.warn).toEqual([0.5, 0.8]);
  });
  it('warn at a level, alarm at the limit, and show that they are frozen', () => {
    expect(barOf(budget({ settled: '29.9' })).state).toBe('calm');
    expect(barOf(budget()).state).toBe('warned');
    expect(barOf(budget({ settled: '80', remaining: '0' })).state).toBe('full');
    expect(barOf(budget({ settled: '75', remaining: '5' })).state).toBe('full');
    expect(barOf(budget({ remaining: '0', frozen: true })).state).toBe('frozen');
  });
  it('put the limit inside of the track when more than it is used', () => {
    const bar = barOf(budget({ settled: '180', held: '20', remaining: '0' }));
    expect(bar.limit).toBeCloseTo(0.5);
    expect(bar.settled + bar.held).toBeCloseTo(1);
    expect(bar.share).toBe(2);
  });
  it('show what did not pass the gateway as the end of what is settled', () => {
    const bar = barOf(budget({ settled: '30', unseen: '10' }));
    expect(bar.settled).toBeCloseTo(0.3);
    expect(bar.unseen).toBeCloseTo(0.1);
    expect(barOf(budget()).unseen).toBe(0);
  });
  it('bear a limit of nothing and answers that are none', () => {
    expect(barOf(budget({ limit: '0', settled: '0', held: '0', remaining: '0' })).state).toBe(
      'full',
    );
    expect(readBudgets({ error: 1 })).toEqual([]);
    expect(barOf(readBudgets([null])[0]!).settled).toBe(0);
  });
  it('are named when somebody named them', () => {
    expect(isNamed(budget())).toBe(true);
    expect(isNamed(budget({ name: 'team=search per month' }))).toBe(false);
    expect(isNamed(budget({ name: 'team=* per month', scope: 'team=ads' }))).toBe(false);
  });
  it('take amounts that are plain decimals', () => {
    for (const text of ['1', '0.5', '100000.000000000001']) expect(isAmount(text)).toBe(true);
    for (const text of ['', '-1', '1e3', '1,5', '.', 'x']) expect(isAmount(text)).toBe(false);
  });
  it('count refusals, and what the server did not list', () => {
    expect(budget().refused).toBe(0);
    expect(budget({ refused: 7 }).refused).toBe(7);
    const all = [
      budget({ name: 'b', scope: 'end_customer=*', values: 250 }),
      budget({ name: 'b', scope: 'end_customer=ann' }),
      budget({ name: 'b', scope: 'end_customer=bob' }),
      budget({ name: 'c', scope: 'team=ads' }),
    ];
    expect(hiddenOf(all, 200)).toBe(248);
    expect(hiddenOf(all, 3)).toBe(249);
    expect(hiddenOf([budget()], 200)).toBe(0);
  });
  it('know which rows are changed by another', () => {
    const all = [budget({ scope: 'team=*' }), budget({ scope: 'team=ads' }), budget({ name: 'b' })];
    expect(all.map((one) => isOneOfEach(one, all))).toEqual([false, true, false]);
  });
});
