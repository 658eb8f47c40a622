import { describe, expect, it } from 'vitest';
import { reportable } from './reporting';
import { query, resolveScope } from './scope';
import { formatView, parseView } from './state';

const rate = (currency: string) => ({
  currency,
  per_euro: '1.1',
  day: '2026-10-06',
  first_day: '1999-01-04',
  last_day: '2026-10-06',
  source: 'exchange/a.csv',
});
const rates = { base: 'EUR', currencies: ['CNY', 'JPY', 'USD'].map(rate), sources: [] };
const months = { names: ['2026-09', '2026-10'], latest: '2026-10' };
const scopeOf = (search: string) =>
  resolveScope(parseView(search), months, '2026-10-31', ['EUR', 'USD'], 'USD');

describe('a reporting currency', () => {
  it('can be chosen where rates were imported, what is in use first', () => {
    expect(reportable(undefined, ['USD'])).toEqual([]);
    expect(reportable({ ...rates, currencies: [] }, ['USD'])).toEqual([]);
    expect(reportable(rates, ['USD', 'EUR', 'USD'])).toEqual(['USD', 'EUR', 'CNY', 'JPY']);
    // A currency that nothing is known of cannot be reported in.
    expect(reportable(rates, ['GBP'])).toEqual(['CNY', 'EUR', 'JPY', 'USD']);
  });
  it('is asked for with every question, over all billing currencies', () => {
    const scope = scopeOf('?in=EUR&currency=USD');
    expect(scope.currency).toBe('EUR');
    expect(scope.where).toEqual([]);
    expect(query(scope, scope.period)).toMatchObject({ currency: 'EUR', where: [] });
  });
  it('is not there when figures are as billed', () => {
    const scope = scopeOf('?currency=EUR');
    expect(scope.currency).toBe('EUR');
    expect(scope.where).toEqual([{ dimension: 'currency', values: ['EUR'] }]);
    expect(query(scope, scope.period)).not.toHaveProperty('currency');
  });
  it('stands in the address, if it is one', () => {
    expect(formatView(parseView('?in=EUR'))).toBe('?in=EUR');
    expect(parseView('?in=euro').in).toBe('');
  });
});
