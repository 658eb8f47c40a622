import { describe, expect, it } from 'vitest';
import { isMonthly, reachesBack, resolveScope } from './scope';
import { parseView } from './state';

const months = { names: ['2025-10', '2025-11', '2026-10'], latest: '2026-10' };
const scopeOf = (search: string, lastDay = '2026-10-31') =>
  resolveScope(parseView(search), months, lastDay, ['USD'], 'USD');

describe('a comparison', () => {
  it('is made with a period that the ledger holds from its start', () => {
    const month = scopeOf('');
    expect(reachesBack(month, month.before)).toBe(true);
    expect(reachesBack(month, month.yearBefore)).toBe(true);
    // A year before all time there is only the first month: half of it is nothing to compare with.
    const all = scopeOf('?period=all');
    expect(all.yearBefore.to > '2025-10-01').toBe(true);
    expect(reachesBack(all, all.yearBefore)).toBe(false);
    expect(reachesBack(all, all.before)).toBe(false);
  });
  it('with a monthly target is one of a month, whole or so far', () => {
    expect(isMonthly(scopeOf(''))).toBe(true);
    expect(isMonthly(scopeOf('', '2026-10-12'))).toBe(true);
    expect(isMonthly(scopeOf('?period=all'))).toBe(false);
    expect(isMonthly(scopeOf('?period=2026-10-05..2026-10-12'))).toBe(false);
  });
});
