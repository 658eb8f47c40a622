import { describe, expect, it } from 'vitest';
import { extent } from '../charts/fan';
import { mostOf } from '../charts/range-bar';
import {
  commandOf,
  fanOf,
  likeliestFirst,
  partsOf,
  pastShown,
  prospectOf,
  rangeOfLevel,
  rangesAt,
  readAccuracy,
  readBudgetsAhead,
  readForecast,
  scored,
} from './outlook';

const ranges = (lower: number[], upper: number[]) => [
  { level: 50, lower, upper },
  { level: 95, lower: lower.map((x) => x - 1), upper: upper.map((x) => x + 1) },
];
const series = (team: string, mean: number) => ({
  dimensions: team ? { team } : {},
  regime: 'seasonal',
  members: { fold: 0.25, mstl: 0.75 },
  history: [3, null, 5],
  mean: [mean, mean],
  ranges: ranges([mean - 1, mean - 1], [mean + 1, mean + 1]),
  months: { actual: [8], mean: [8 + 2 * mean], ranges: ranges([7 + 2 * mean], [9 + 2 * mean]) },
});
const body = {
  commit: 'c',
  known_to: '2026-10-31T00:00:00Z',
  left_off: ['2026-10-31: not whole yet'],
  answers: [
    {
      currency: 'USD',
      history_periods: ['2026-10-28', '2026-10-29', '2026-10-30'],
      periods: ['2026-10-31', '2026-11-01'],
      months: ['2026-10'],
      series: [series('', 6), series('search', 2), series('labs', 4)],
    },
  ],
};

describe('a forecast', () => {
  const forecast = readForecast(body);
  const answer = forecast.answers[0]!;
  const { whole, parts } = partsOf(answer);
  it('ends its past with the day before the instant that it names', () => {
    expect(forecast.knownTo).toBe('2026-10-30');
    expect(readForecast({ known_to: '2026-10-31T06:00:00Z' }).knownTo).toBe('2026-10-31');
    expect(readForecast(null)).toMatchObject({ knownTo: '', answers: [] });
  });
  it('has the whole, and its parts by what they will cost', () => {
    expect(whole?.values).toEqual({});
    expect(parts.map((part) => part.values['team'])).toEqual(['labs', 'search']);
    expect(whole?.members[0]).toEqual(['mstl', 0.75]);
  });
  it('is a fan: what came, then what is expected with its ranges, the widest first', () => {
    const fan = fanOf(answer, whole!);
    expect(fan.map(({ day }) => day)).toEqual([...answer.historyPeriods, ...answer.periods]);
    expect(fan[1]!.actual).toBeNaN();
    expect(fan[2]).toMatchObject({ actual: 5, ranges: [] });
    expect(fan[3]).toMatchObject({
      mean: 6,
      ranges: [
        { level: 95, lower: 4, upper: 8 },
        { level: 50, lower: 5, upper: 7 },
      ],
    });
    expect(extent(fan)).toEqual({ low: 0, high: 8 });
  });
  it('shows as much of the past as lets the shape be seen', () => {
    expect(pastShown(40, 92)).toBe(40);
    expect(pastShown(800, 30)).toBe(61);
    expect(pastShown(800, 100)).toBe(140);
  });
  it('names a range of a level, or the narrowest', () => {
    const some = rangesAt(whole!.months.ranges, 0);
    expect(rangeOfLevel(some, 95)).toEqual({ level: 95, lower: 18, upper: 22 });
    expect(rangeOfLevel(some, 80)?.level).toBe(50);
    expect(rangeOfLevel([], 80)).toBeUndefined();
    expect(mostOf({ actual: 8, mean: 20, ranges: some })).toBe(22);
    expect(mostOf({ actual: 8, mean: NaN, ranges: [], limit: 30 })).toBe(30);
  });
  it('can be asked for on the command line', () => {
    expect(commandOf({ by: 'team', horizon: '3mo', currency: 'EUR' })).toBe(
      'flyball forecast --by team --horizon 3mo --levels 50,80,95 --in EUR',
    );
  });
});

describe('budgets ahead', () => {
  const { budgets } = readBudgetsAhead({
    budgets: [
      { name: 'a', scope: 'team=a', refusal: 'it limits tokens' },
      { name: 'b', scope: 'team=*', value: 'b', limit: 10, mean: 5, overrun_probability: 0.01 },
      { name: 'c', scope: 'team=c', limit: 10, mean: 12, overrun_probability: 0.9, overrun_at: '2026-11-20' },
      { name: 'd', scope: 'team=d', limit: 10, mean: 9, overrun_probability: 0.2 },
    ],
  });
  it('come with what will break first, and what nothing is told of last', () => {
    const order = likeliestFirst(budgets);
    expect(order.map(({ name }) => name)).toEqual(['c', 'd', 'b', 'a']);
    expect(order.map(prospectOf)).toEqual(['breaks', 'risk', 'holds', 'unknown']);
  });
  it('of each value say which', () => {
    expect(budgets[1]!.scope).toBe('team=b');
    expect(budgets[0]!.scope).toBe('team=a');
  });
});

describe('accuracy', () => {
  it('is of forecasts of which days have come, the newest first', () => {
    const accuracy = readAccuracy({
      vintages: [
        { id: 'old', made: '2026-10-01T00:00:00Z', whole: { steps: 30, wmape: 0.05 } },
        { id: 'new', made: '2026-11-01T00:00:00Z', whole: { steps: 4, wmape: null } },
        { id: 'none', made: '2026-11-27T00:00:00Z', whole: { steps: 0 } },
      ],
    });
    expect(scored(accuracy).map(({ id }) => id)).toEqual(['new', 'old']);
    expect(scored(accuracy)[0]!.whole.wmape).toBeNaN();
  });
});
