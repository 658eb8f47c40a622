import { describe, expect, it } from 'vitest';
import { formatWhere, narrow, parseWhere, type Filter } from './where';
import { formatView, parseView } from './state';

describe('filters as text', () => {
  it('reads what the command line reads', () => {
    expect(parseWhere('provider=AWS;team=search,ads;tag:env!=dev')).toEqual([
      { dimension: 'provider', values: ['AWS'] },
      { dimension: 'team', values: ['search', 'ads'] },
      { dimension: 'tag:env', not: true, values: ['dev'] },
    ]);
    expect(parseWhere(' team = search , ads ')).toEqual([
      { dimension: 'team', values: ['search', 'ads'] },
    ]);
  });
  it('goes there and back with anything in a value', () => {
    const odd = ['a,b', 'x;y', 'k=v', 'wow!', 'back\\slash', ' edge ', '模型', 'a!=b', '\\'];
    const filters: Filter[] = [
      { dimension: 'tag:cost=centre!', values: odd },
      { dimension: 'service', not: true, values: ['Amazon EC2'] },
    ];
    expect(parseWhere(formatWhere(filters))).toEqual(filters);
  });
  it('passes over what is no filter', () => {
    expect(parseWhere('nonsense;=;team=;a=b=c')).toEqual([]);
  });
  it('narrows a dimension instead of naming it twice', () => {
    const filters = [
      { dimension: 'team', values: ['search', 'ads'] },
      { dimension: 'driver', values: ['storage'] },
    ];
    expect(narrow(filters, [{ dimension: 'team', values: ['ads'] }])).toEqual([
      { dimension: 'driver', values: ['storage'] },
      { dimension: 'team', values: ['ads'] },
    ]);
  });
});

describe('the address', () => {
  it('goes there and back', () => {
    const address = formatView({
      ...parseView(''),
      page: 'explore',
      period: '2026-10-05..2026-10-12',
      where: [{ dimension: 'team', values: ['R&D, core'] }],
      measure: 'billed_cost',
      by: 'tag:env',
      offset: 100,
    });
    expect(formatView(parseView(address))).toBe(address);
    expect(parseView(address).where).toEqual([{ dimension: 'team', values: ['R&D, core'] }]);
  });
  it('is empty for the first screen', () => {
    expect(formatView(parseView(''))).toBe('');
  });
  it('forgives what was typed by hand', () => {
    const view = parseView(
      '?view=nowhere&period=2026-13&measure=cost&offset=-5&grain=hour&by=%3Cscript%3E&currency=%3Cb%3E',
    );
    expect(view).toEqual(parseView(''));
  });
});
