// What comes next: the ledger's forecast, where budgets will end, and how forecasts before did. All of it is estimates: numbers,
// never added to money. `money()` writes them as amounts by way of `fromNumber`.
import { request } from './api';
import { count, facts, list, maybe, numbers, text, texts, type Facts } from './json';
import { addDays } from './period';

export interface Range {
  level: number;
  lower: number[];
  upper: number[];
}
export interface Series {
  /** By dimension; nothing: the whole. */
  values: Record<string, string>;
  regime: string;
  /** Each with its share, the greatest first. */
  members: [string, number][];
  notes: string[];
  history: number[];
  mean: number[];
  ranges: Range[];
  months: { actual: number[]; mean: number[]; ranges: Range[] };
}
export interface Answer {
  currency: string;
  historyPeriods: string[];
  periods: string[];
  months: string[];
  reconciled: string;
  paths: number;
  notes: string[];
  series: Series[];
}
export interface Forecast {
  commit: string;
  queryHash: string;
  /** The last day of the past. */
  knownTo: string;
  vintage: string;
  leftOff: string[];
  answers: Answer[];
}
export interface BudgetAhead {
  name: string;
  scope: string;
  window: string;
  currency: string;
  limit: number;
  hard: boolean;
  /** Why nothing is told of it; the rest is then empty. */
  refusal: string;
  endsAt: string;
  knownTo: string;
  spent: number;
  mean: number;
  ranges: { level: number; lower: number; upper: number }[];
  /** The probability; NaN where nothing is told. */
  overrun: number;
  overrunExpected: number;
  /** Days: of half of the paths that overrun, of a tenth and nine tenths of them; '' where it is unlikely. */
  overrunAt: string;
  overrunFrom: string;
  overrunTo: string;
  notes: string[];
}
export interface BudgetsAhead {
  commit: string;
  budgets: BudgetAhead[];
  leftOff: string[];
}
export interface Score {
  steps: number;
  /** NaN where nothing can be said. */
  wmape: number;
  bias: number;
  coverage: { level: number; share: number }[];
}
export interface Vintage {
  id: string;
  made: string;
  knownTo: string;
  end: string;
  by: string[];
  where: string;
  measure: string;
  currency: string;
  whole: Score;
  months: { month: string; actual: number; mean: number; error: number }[];
}
export interface Accuracy {
  vintages: Vintage[];
  ages: { fromDay: number; toDay: number; whole: Score; series: Score }[];
}

const rangesOf = (value: unknown): Range[] =>
  list(value).map(facts).map((range) => ({
    level: count(range['level']),
    lower: numbers(range['lower']),
    upper: numbers(range['upper']),
  }));
/** Instants say where the past ends; its last day is the one before. */
const lastDay = (instant: string): string =>
  instant ? addDays(instant.slice(0, 10), /T00:00/.test(instant) ? -1 : 0) : '';
const number = (value: unknown): number => maybe(value) ?? NaN;

function readSeries(row: Facts): Series {
  const months = facts(row['months']);
  return {
    values: Object.fromEntries(
      Object.entries(facts(row['dimensions'])).map(([name, value]) => [name, text(value)]),
    ),
    regime: text(row['regime']),
    members: Object.entries(facts(row['members']))
      .map(([name, share]): [string, number] => [name, count(share)])
      .sort((a, b) => b[1] - a[1]),
    notes: texts(row['notes']),
    history: numbers(row['history']),
    mean: numbers(row['mean']),
    ranges: rangesOf(row['ranges']),
    months: {
      actual: numbers(months['actual']),
      mean: numbers(months['mean']),
      ranges: rangesOf(months['ranges']),
    },
  };
}

export function readForecast(body: unknown): Forecast {
  const row = facts(body);
  return {
    commit: text(row['commit']),
    queryHash: text(row['query_hash']),
    knownTo: lastDay(text(row['known_to'])),
    vintage: text(row['vintage']),
    leftOff: texts(row['left_off']),
    answers: list(row['answers']).map(facts).map((answer) => ({
      currency: text(answer['currency']),
      historyPeriods: texts(answer['history_periods']),
      periods: texts(answer['periods']),
      months: texts(answer['months']),
      reconciled: text(answer['reconciled']),
      paths: count(answer['paths']),
      notes: texts(answer['notes']),
      series: list(answer['series']).map(facts).map(readSeries),
    })),
  };
}

export function readBudgetsAhead(body: unknown): BudgetsAhead {
  const row = facts(body);
  return {
    commit: text(row['commit']),
    leftOff: texts(row['left_off']),
    budgets: list(row['budgets']).map(facts).map((budget) => ({
      name: text(budget['name']),
      // Of a budget of each value, the value that this is.
      scope: text(budget['value'])
        ? text(budget['scope']).replace(/=\*$/, `=${text(budget['value'])}`)
        : text(budget['scope']),
      window: text(budget['window']),
      currency: text(budget['currency']),
      limit: count(budget['limit']),
      hard: budget['hard'] !== false,
      refusal: text(budget['refusal']),
      endsAt: text(budget['ends_at']),
      knownTo: lastDay(text(budget['known_to'])),
      spent: number(budget['spent']),
      mean: number(budget['mean']),
      ranges: list(budget['ranges']).map(facts).map((range) => ({
        level: count(range['level']),
        lower: count(range['lower']),
        upper: count(range['upper']),
      })),
      overrun: number(budget['overrun_probability']),
      overrunExpected: number(budget['overrun_expected']),
      overrunAt: text(budget['overrun_at']),
      overrunFrom: text(budget['overrun_from']),
      overrunTo: text(budget['overrun_to']),
      notes: texts(budget['notes']),
    })),
  };
}

function readScore(value: unknown): Score {
  const row = facts(value);
  return {
    steps: count(row['steps']),
    wmape: number(row['wmape']),
    bias: number(row['bias']),
    coverage: list(row['coverage']).map(facts).map((one) => ({
      level: count(one['level']),
      share: number(one['share']),
    })),
  };
}

export function readAccuracy(body: unknown): Accuracy {
  const row = facts(body);
  return {
    vintages: list(row['vintages']).map(facts).map((vintage) => ({
      id: text(vintage['id']),
      made: text(vintage['made']),
      knownTo: lastDay(text(vintage['known_to'])),
      end: lastDay(text(vintage['end'])),
      by: texts(vintage['by']),
      where: text(vintage['where']),
      measure: text(vintage['measure']),
      currency: text(vintage['currency']),
      whole: readScore(vintage['whole']),
      months: list(vintage['months']).map(facts).map((month) => ({
        month: text(month['month']),
        actual: number(month['actual']),
        mean: number(month['mean']),
        error: number(month['error']),
      })),
    })),
    ages: list(row['by_age']).map(facts).map((age) => ({
      fromDay: count(age['from_day']),
      toDay: count(age['to_day']),
      whole: readScore(age['whole']),
      series: readScore(age['series']),
    })),
  };
}

export const HORIZONS = ['1mo', '3mo', '6mo', '12mo'] as const;
export type Horizon = (typeof HORIZONS)[number];
export const LEVELS = '50,80,95';

export interface ForecastAsk {
  by: string;
  horizon: Horizon;
  /** The reporting currency; '' as billed. */
  currency: string;
}
export const commandOf = ({ by, horizon, currency }: ForecastAsk): string =>
  `flyball forecast --by ${by} --horizon ${horizon} --levels ${LEVELS}${currency ? ` --in ${currency}` : ''}`;

export async function getForecast({ by, horizon, currency }: ForecastAsk): Promise<Forecast> {
  const query = new URLSearchParams({ by, horizon, levels: LEVELS });
  if (currency) query.set('currency', currency);
  return readForecast(await request(`/forecast?${query}`));
}
export const getBudgetsAhead = async (): Promise<BudgetsAhead> =>
  readBudgetsAhead(await request(`/forecast/outlook?levels=${LEVELS}`));
export const getAccuracy = async (): Promise<Accuracy> =>
  readAccuracy(await request('/forecast/accuracy'));

// ---- what is made of them

/** What a series is expected to cost in the months that are forecast. */
export const sizeOf = (series: Series): number =>
  series.months.mean.reduce((sum, month) => sum + (Number.isFinite(month) ? month : 0), 0);

/** The whole, and its parts with the largest first. */
export function partsOf(answer: Answer): { whole: Series | undefined; parts: Series[] } {
  const isWhole = (series: Series) => Object.keys(series.values).length === 0;
  return {
    whole: answer.series.find(isWhole),
    parts: answer.series
      .filter((series) => !isWhole(series))
      .sort((a, b) => sizeOf(b) - sizeOf(a)),
  };
}

/** How many of the last days are drawn beside so many that are foretold: enough to see a month's shape. */
export const pastShown = (days: number, ahead: number): number =>
  Math.min(days, Math.max(61, Math.round(ahead * 1.4)));

/** What a series was and will be, a day each: a point of the fan. */
export interface FanPoint {
  day: string;
  /** What came; NaN ahead, and where nothing is told. */
  actual: number;
  /** What is expected; NaN in the past. */
  mean: number;
  ranges: { level: number; lower: number; upper: number }[];
}
export function fanOf(answer: Answer, series: Series): FanPoint[] {
  const skip =
    answer.historyPeriods.length - pastShown(answer.historyPeriods.length, answer.periods.length);
  return [
    ...answer.historyPeriods.slice(skip).map((day, i) => ({
      day,
      actual: series.history[skip + i] ?? NaN,
      mean: NaN,
      ranges: [],
    })),
    ...answer.periods.map((day, i) => ({
      day,
      actual: NaN,
      mean: series.mean[i] ?? NaN,
      ranges: rangesAt(series.ranges, i),
    })),
  ];
}

/** The ranges of one step, the widest first. */
export const rangesAt = (ranges: readonly Range[], i: number): FanPoint['ranges'] =>
  ranges
    .map(({ level, lower, upper }) => ({ level, lower: lower[i] ?? NaN, upper: upper[i] ?? NaN }))
    .filter(({ lower, upper }) => Number.isFinite(lower) && Number.isFinite(upper))
    .sort((a, b) => b.level - a.level);

/** The range of a level, or else the narrowest that there is. */
export const rangeOfLevel = (
  ranges: FanPoint['ranges'],
  level: number,
): FanPoint['ranges'][number] | undefined =>
  ranges.find((range) => range.level === level) ?? ranges.at(-1);

/** What will not hold comes first; what nothing is told of, last. */
export const likeliestFirst = (budgets: readonly BudgetAhead[]): BudgetAhead[] =>
  [...budgets].sort(
    (a, b) =>
      Number(Boolean(a.refusal)) - Number(Boolean(b.refusal)) ||
      (b.overrun || 0) - (a.overrun || 0) ||
      (b.mean / b.limit || 0) - (a.mean / a.limit || 0),
  );

export type Prospect = 'holds' | 'risk' | 'breaks' | 'unknown';
/** As in the outlook of the program: a date is told where an overrun is as likely as one in twenty. */
const RISK = 0.05;
const LIKELY = 0.5;
export const prospectOf = ({ refusal, overrun }: BudgetAhead): Prospect =>
  refusal || !Number.isFinite(overrun)
    ? 'unknown'
    : overrun >= LIKELY
      ? 'breaks'
      : overrun >= RISK
        ? 'risk'
        : 'holds';

/** Forecasts of which some days have come, the newest first. */
export const scored = (accuracy: Accuracy): Vintage[] =>
  accuracy.vintages
    .filter((vintage) => vintage.whole.steps > 0)
    .sort((a, b) => (a.made < b.made ? 1 : -1));
