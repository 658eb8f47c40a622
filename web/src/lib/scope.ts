// What the whole page looks at: period, comparison, currency and filters, settled from the address and the ledger.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { CostQuery } from './api';
import type { CostMeasure, View } from './state';
import { basisOf } from './state';
import {
  addDays,
  addMonths,
  daysBetween,
  isMonth,
  monthPeriod,
  monthStart,
  shiftMonths,
  wholeMonth,
  type Period,
} from './period';
import type { Months } from './analysis';
import type { Filter } from './where';

export interface Scope {
  months: Months;
  /** The last day with charges, of the whole ledger. */
  lastDay: string;
  currencies: string[];
  /** Of the figures: the reporting currency, else the billing currency that is looked at. */
  currency: string;
  /** '' as billed. */
  reporting: string;
  measure: CostMeasure;
  where: Filter[]; // with the billing currency, when there are several and none is reported in
  period: Period;
  /** The month of the period; the last one of a longer period. */
  month: string;
  /** The period is the newest month and its data ends early. */
  partial: boolean;
  before: Period;
  yearBefore: Period;
}

export function resolveScope(
  view: View,
  months: Months,
  lastDay: string,
  currencies: string[],
  preferred: string,
): Scope {
  const everything: Period = {
    from: monthPeriod(months.names[0] ?? '1970-01').from,
    to: monthPeriod(months.names.at(-1) ?? '1970-01').to,
  };
  let period: Period;
  if (view.period === 'all') period = everything;
  else if (isMonth(view.period)) period = monthPeriod(view.period);
  else if (view.period) {
    const [from, to] = view.period.split('..') as [string, string];
    period = { from, to };
  } else period = monthPeriod(months.latest || '1970-01');
  const end = addDays(lastDay || '1970-01-01', 1);
  // A month counts as whole when its last two days may be missing: bills round their days.
  const partial =
    wholeMonth(period) === months.latest && daysBetween(end, period.to) > 2 && end > period.from;
  if (partial) period = { from: period.from, to: end };
  const billing = currencies.includes(view.currency)
    ? view.currency
    : currencies.includes(preferred)
      ? preferred
      : (currencies[0] ?? preferred);
  const inMonth = addMonths(period.from.slice(0, 7), 1) + '-01' >= period.to;
  const length = daysBetween(period.from, period.to);
  const monthly = inMonth && (partial || wholeMonth(period) !== undefined);
  const month = addDays(period.to, -1).slice(0, 7);
  return {
    months,
    lastDay,
    currencies,
    currency: view.in || billing,
    reporting: view.in,
    measure: view.measure,
    where:
      currencies.length > 1 && !view.in
        ? [...view.where, { dimension: 'currency', values: [billing] }]
        : view.where,
    period,
    month,
    partial,
    before: monthly
      ? shiftMonths(period, -1)
      : { from: addDays(period.from, -length), to: period.from },
    yearBefore: monthly
      ? shiftMonths(period, -12)
      : { from: addDays(period.from, -365), to: addDays(period.to, -365) },
  };
}

/** A cost query over the scope: its filters, its measure, and a period of it. */
export function query(
  scope: Scope,
  period: Period | undefined,
  more: Partial<CostQuery> = {},
): CostQuery {
  const where = more.where ?? scope.where;
  return {
    measures: [scope.measure],
    ...(period ? { from: period.from, to: period.to } : {}),
    ...(scope.measure === 'effective_cost' ? {} : { basis: basisOf(scope.measure) }),
    ...(scope.reporting ? { currency: scope.reporting } : {}),
    ...more,
    ...(where.length ? { where } : { where: [] }),
  };
}

export const ScopeContext = createContext<Scope | undefined>(undefined);
export function useScope(): Scope {
  const scope = useContext(ScopeContext);
  if (!scope) throw new Error('no scope above');
  return scope;
}
/** Whether the ledger reaches back to the start of a period: half of one is nothing to compare with. */
export const reachesBack = (scope: Scope, period: Period): boolean =>
  period.from >= monthStart(scope.months.names[0] ?? '1970-01');
/** A month, whole or so far: what a monthly target can be held against. */
export const isMonthly = (scope: Scope): boolean =>
  scope.partial || wholeMonth(scope.period) !== undefined;
/** The address form of a period. */
export const periodText = (period: Period): string =>
  wholeMonth(period) ?? `${period.from}..${period.to}`;
