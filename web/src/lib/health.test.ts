import { describe, expect, it } from 'vitest';
import {
  findingOf,
  heightsOf,
  isEqual,
  isUnknownIssuer,
  lowestScore,
  readHealth,
  readMonth,
  runsOf,
  stripCurrency,
  troublesOf,
  worstFirst,
  type Day,
  type SourceHealth,
} from './health';

const day = (n: number, state: Day['state'], usd?: string): Day => ({
  day: `2026-10-${String(n).padStart(2, '0')}`,
  state,
  charges: usd ? 1 : 0,
  billed: usd ? { USD: usd } : {},
});

const BARE = readHealth({
  sources: [{ name: 'aws', charges: 3, days: [], hours_behind: 5 }],
}).sources[0]!;
const having = (change: Partial<SourceHealth>): SourceHealth => ({ ...BARE, ...change });

describe('what the server says', () => {
  it('is read also where it says nothing', () => {
    const health = readHealth({ sources: [{}], months: [{ period: '2026-10', close: null }] });
    expect(health.sources[0]).toMatchObject({
      name: '',
      lastImport: undefined,
      sync: undefined,
      hoursBehind: undefined,
      quarantine: { rows: 0, reasons: [], imports: [], reasonsOfAll: true },
      conformance: { state: 'not checked', scores: [] },
    });
    expect(health.months[0]).toEqual({ period: '2026-10', close: undefined });
    expect(readHealth(null).sources).toEqual([]);
  });
  it('keeps amounts exact', () => {
    const month = readMonth({
      equal: null,
      invoices: [
        {
          invoiced: '1000000000000000.000000000001',
          ledger: '1000000000000000.000000000002',
          steps: [{ reason: 'tax', amount: '0.000000000001', account: '42', service: 'Search' }],
        },
      ],
    });
    expect(month.equal).toBeUndefined();
    const ladder = month.ladders[0]!;
    expect(ladder.ledger - ladder.invoiced).toBe(ladder.steps[0]!.amount);
    expect(ladder.steps[0]!.where).toBe('42 · Search');
  });
  it('has the commonest reason first', () => {
    const source = readHealth({
      sources: [{ quarantine: { rows: 9, reasons: { bad_date: 2, bad_number: 5, a: 2 } } }],
    }).sources[0]!;
    expect(source.quarantine.reasons).toEqual([
      ['bad_number', 5],
      ['a', 2],
      ['bad_date', 2],
    ]);
  });
});

describe('what needs a look', () => {
  it('is nothing for a source that is whole', () => {
    expect(troublesOf(BARE)).toEqual([]);
    expect(troublesOf(having({ days: [day(1, 'full', '1'), day(2, 'after')] }))).toEqual([]);
  });
  it('has the worst first', () => {
    const source = having({
      days: [day(1, 'full', '1'), day(2, 'gap'), day(3, 'thin', '0.1')],
      hoursBehind: 73,
      quarantine: { ...BARE.quarantine, rows: 1 },
      sync: { state: 'failed', time: '', succeeded: '', errors: [], errorsMore: 0 },
    });
    expect(troublesOf(source)).toEqual(['sync', 'gap', 'quarantine', 'behind', 'thin']);
  });
  it('brings the worst source to the top and keeps the order else', () => {
    const named = (name: string, change: Partial<SourceHealth> = {}) => having({ name, ...change });
    const order = worstFirst([
      named('a'),
      named('b', { hoursBehind: 99 }),
      named('c'),
      named('d', { days: [day(1, 'gap')], hoursBehind: 99 }),
      named('e', { hoursBehind: 80 }),
    ]).map((source) => source.name);
    expect(order.join('')).toBe('dbeac');
  });
  it('says so of a source without a charge', () => {
    expect(troublesOf(having({ charges: 0, hoursBehind: undefined }))).toEqual(['empty']);
  });
});

describe('a strip of days', () => {
  it('says a run of days once', () => {
    const days = [1, 2, 3, 4, 5, 6].map((n) => day(n, n === 1 || n === 4 ? 'full' : 'gap', '1'));
    expect(runsOf(days, 'gap')).toEqual([
      ['2026-10-02', '2026-10-03'],
      ['2026-10-05', '2026-10-06'],
    ]);
    expect(runsOf(days, 'thin')).toEqual([]);
  });
  it('is drawn in the currency that most was billed in', () => {
    const days = [
      { ...day(1, 'full'), billed: { USD: '1', EUR: '-5' } },
      { ...day(2, 'full'), billed: { USD: '2' } },
    ];
    expect(stripCurrency(days)).toBe('EUR');
    expect(heightsOf(days, 'USD')).toEqual([0.5, 1]);
    expect(stripCurrency([])).toBe('');
    expect(heightsOf([day(1, 'gap')], '')).toEqual([0]);
  });
});

describe('a ladder', () => {
  it('is equal when nothing but rounding is between', () => {
    const month = readMonth({
      invoices: [
        { steps: [] },
        { steps: [{ reason: 'rounding', amount: '0.001' }] },
        { steps: [{ reason: 'rounding', amount: '0.001' }, { reason: 'tax', amount: '5' }] },
      ],
    });
    expect(month.ladders.map(isEqual)).toEqual([true, true, false]);
  });
});

describe('a step of a ladder', () => {
  const steps = (...list: Record<string, string>[]) =>
    readMonth({ invoices: [{ ledger: '5', steps: list }] }).ladders[0]!.steps.map(findingOf);
  it('says on which side it is', () => {
    expect(
      steps(
        { reason: 'tax', ledger: '7.25', invoiced: '0' },
        { reason: 'tax', ledger: '0', invoiced: '7.25' },
        { reason: 'credit', ledger: '-2', invoiced: '-3' },
        { reason: 'unexplained', ledger: '2', invoiced: '3' },
      ),
    ).toEqual(['onlyLedger', 'onlyInvoice', 'both', 'both']);
  });
  it('is on the side that its reason names, whatever the sums are', () => {
    expect(
      steps(
        { reason: 'not invoiced', ledger: '0', invoiced: '0' },
        { reason: 'missing', ledger: '0', invoiced: '0' },
      ),
    ).toEqual(['onlyLedger', 'onlyInvoice']);
    expect(
      steps(
        { reason: 'timing', ledger: '0', invoiced: '3', other_period: '2026-11' },
        { reason: 'estimate', ledger: '2', invoiced: '3' },
        { reason: 'quarantined', ledger: '2', invoiced: '3' },
        { reason: 'rounding', ledger: '2', invoiced: '3' },
        { reason: 'correction', ledger: '2', invoiced: '0', other_period: '2026-10' },
        { reason: 'correction', ledger: '0', invoiced: '2', other_period: '2026-12' },
      ),
    ).toEqual(['timing', 'estimate', 'quarantined', 'rounding', 'correction', 'correctedLater']);
  });
  it('may be of an issuer that the ledger does not know', () => {
    const month = readMonth({
      invoices: [
        { ledger: '0', steps: [{ reason: 'missing', ledger: '0', invoiced: '3' }] },
        // Its charges cancel each other out.
        { ledger: '0', steps: [{ reason: 'not invoiced', ledger: '3', invoiced: '0' }] },
        { ledger: '3', steps: [] },
      ],
    });
    expect(month.ladders.map(isUnknownIssuer)).toEqual([true, false, false]);
  });
  it('names the line of a file, and none of a total that was typed', () => {
    const [typed, row] = readMonth({
      invoices: [{ steps: [{ line: 'as typed' }, { line: 'row 3 of detail.csv' }, {}] }],
    }).ladders[0]!.steps.map((step) => step.line);
    expect([typed, row]).toEqual(['', 'row 3 of detail.csv']);
  });
});

describe('the score', () => {
  it('is that of the provider that keeps the least', () => {
    const conformance = {
      ...BARE.conformance,
      scores: [
        { provider: 'A', percent: '99.5', rows: 9 },
        { provider: 'B', percent: '100', rows: 1 },
      ],
    };
    expect(lowestScore(conformance)?.provider).toBe('A');
    expect(lowestScore(BARE.conformance)).toBeUndefined();
  });
});
