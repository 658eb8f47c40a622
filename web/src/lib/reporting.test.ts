import { describe, expect, it } from 'vitest';
import { reportable, sourceParts } from './reporting';
import { query, resolveScope } from './scope';
import { formatView, parseView } from './state';

const rate = (currency: string) => ({ currency, per_euro: '1.1', day: '2026-10-06' });
const ended = { currency: 'TRL', per_euro: '1836200', day: '2004-12-31' };
const rates = { base: 'EUR', currencies: [...['CNY', 'JPY', 'USD'].map(rate), ended] };
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
  it('names the files of its rates', () => {
    expect(sourceParts('exchange/20261007T080102Z-ecb-data-4f1c0a2b3c4d5e6f.csv')).toEqual({
      imported: '2026-10-07T08:01:00Z',
      id: '4f1c0a2b3c4d',
    });
    expect(sourceParts('rates.csv')).toEqual({ imported: '', id: '' });
  });
  it('stands in the address, if it is one', () => {
    expect(formatView(parseView('?in=EUR'))).toBe('?in=EUR');
    expect(parseView('?in=euro').in).toBe('');
  });
});
