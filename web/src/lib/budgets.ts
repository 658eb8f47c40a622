// The gateway's budgets, and what their bars say. Amounts are exact text; a number is made for geometry only.
import { request, tell } from './api';
import { abs, max, parseFixed, ratio } from './fixed';

export interface Budget {
  name: string;
  scope: string;
  window: string;
  zone: string;
  /** '' counts tokens. */
  currency: string;
  limit: string;
  settled: string;
  /** Of `settled`: what did not pass the gateway and came with bills and spans. */
  unseen: string;
  held: string;
  remaining: string;
  resetsAt: string;
  overspend: string;
  /** false: more than `overspend` may come. */
  bounded: boolean;
  why: string;
  hard: boolean;
  frozen: boolean;
  warn: number[];
  /** Calls that it refused since the gateway started. */
  refused: number;
  /** Of a budget of each value: how many values there are, of which the server lists some. */
  values: number;
}

export function readBudgets(body: unknown): Budget[] {
  if (!Array.isArray(body)) return [];
  return body.map((entry): Budget => {
    const row = (entry && typeof entry === 'object' ? entry : {}) as Record<string, unknown>;
    const text = (name: string) => String(row[name] ?? '');
    const amount = (name: string) => text(name) || '0';
    const count = (name: string) => Math.max(0, Number(row[name]) || 0);
    return {
      name: text('name'),
      scope: text('scope'),
      window: text('window'),
      zone: text('zone'),
      currency: text('currency'),
      limit: amount('limit'),
      settled: amount('settled'),
      unseen: amount('unseen'),
      held: amount('held'),
      remaining: amount('remaining'),
      resetsAt: text('resets_at'),
      overspend: amount('max_overspend'),
      bounded: row['max_overspend_bounded'] !== false,
      why: text('max_overspend_why'),
      hard: row['hard'] !== false,
      frozen: row['frozen'] === true,
      warn: Array.isArray(row['warn']) ? row['warn'].map(Number).filter((n) => n > 0) : [],
      refused: count('refused'),
      values: count('values'),
    };
  });
}

export const getBudgets = async (): Promise<Budget[]> => readBudgets(await request('/budgets'));

export const setFrozen = (name: string, frozen: boolean, token: string) =>
  tell('/budgets/freeze', { name, frozen }, token);
/** Another limit; all else of the budget stays. */
export const setLimit = (budget: Budget, amount: string, token: string) =>
  tell(
    '/budgets',
    { name: budget.name, [budget.currency ? 'amount' : 'tokens']: amount },
    token,
  );

/** Plain digits with a point; the server checks the rest. */
export const isAmount = (text: string): boolean => /^\d{1,18}(\.\d{1,12})?$/.test(text);

export type State = 'calm' | 'warned' | 'full' | 'frozen';
export interface Bar {
  state: State;
  used: bigint;
  /** Shares of the track, from 0 to 1; the track ends at the limit, or where what is used ends. */
  settled: number;
  /** Of `settled`, its end. */
  unseen: number;
  held: number;
  limit: number;
  warn: number[];
  /** What is used, of the limit; NaN for a limit of nothing. */
  share: number;
}

/** A call is refused once its worst case does not fit any more, which is before the last of the limit is spent. */
const ALARM_PERCENT = 95n;

export function barOf(budget: Budget): Bar {
  const limit = parseFixed(budget.limit);
  const settled = parseFixed(budget.settled);
  const held = parseFixed(budget.held);
  const used = settled + held;
  const track = max(max(abs(limit), used), 1n);
  const part = (value: bigint) => Math.max(0, Math.min(1, ratio(value, track)));
  const warned = budget.warn.some((percent) => used * 100n >= limit * BigInt(percent));
  return {
    state: budget.frozen
      ? 'frozen'
      : parseFixed(budget.remaining) <= 0n || used * 100n >= limit * ALARM_PERCENT
        ? 'full'
        : warned
          ? 'warned'
          : 'calm',
    used,
    settled: part(settled),
    unseen: part(parseFixed(budget.unseen)),
    held: part(held),
    limit: part(limit),
    warn: budget.warn.map((percent) => part((limit * BigInt(percent)) / 100n)),
    share: ratio(used, limit),
  };
}

/** Somebody gave it a name: the others' are made of their scope and window. */
export const isNamed = (budget: Budget): boolean =>
  !budget.name.startsWith(budget.scope.split('=')[0]!);

/** A budget of each value has one row for itself and one for each value; a change is of all. */
export const isOneOfEach = (budget: Budget, all: readonly Budget[]): boolean =>
  !budget.scope.endsWith('=*') &&
  all.some((other) => other.name === budget.name && other.scope.endsWith('=*'));

/** How many of the budgets that there are stand in no row of the first `shown`. */
export function hiddenOf(all: readonly Budget[], shown: number): number {
  const listed = all.filter((row) => isOneOfEach(row, all)).length;
  const values = all.reduce((sum, row) => sum + row.values, 0);
  return Math.max(0, values - listed) + Math.max(0, all.length - shown);
}
