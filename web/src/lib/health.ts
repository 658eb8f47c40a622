// What is known of each source of bills, and a month beside its invoices. Amounts are exact text until they are drawn.
import { request } from './api';
import { abs, parseFixed, size } from './fixed';
import { count, facts, list, text, texts } from './json';

export type DayState = 'full' | 'thin' | 'gap' | 'none' | 'before' | 'after';
export interface Day {
  day: string;
  state: DayState;
  charges: number;
  billed: Record<string, string>;
}
export interface SyncState {
  state: 'never' | 'ok' | 'failed';
  time: string;
  succeeded: string;
  errors: { message: string; hint: string }[];
  errorsMore: number;
}
export interface Score {
  provider: string;
  percent: string;
  rows: number;
}
export interface BrokenRule {
  id: string;
  keyword: string;
  rows: number;
  text: string;
  remedy: string;
  share: string;
}
export interface Conformance {
  state: 'checked' | 'not checked' | 'not checkable' | 'no bill' | 'made here';
  reason: string;
  focus: string;
  executed: number;
  scores: Score[];
  broken: BrokenRule[];
  brokenMore: number;
}
export interface QuarantineImport {
  id: string;
  time: string;
  rows: number;
  files: string[];
}
export interface Quarantine {
  rows: number;
  cost: Record<string, string>;
  /** Rows by the code of their fault. */
  reasons: [string, number][];
  reasonsOfAll: boolean;
  imports: QuarantineImport[];
}
export interface Period {
  period: string;
  charges: number;
  billed: Record<string, string>;
  closed: boolean;
}
export interface SourceHealth {
  name: string;
  title: string;
  kind: string;
  parts: string[];
  lastImport: { commit: string; time: string; author: string; files: string[] } | undefined;
  sync: SyncState | undefined;
  reaches: string;
  hoursBehind: number | undefined;
  charges: number;
  billed: Record<string, string>;
  days: Day[];
  periods: Period[];
  quarantine: Quarantine;
  conformance: Conformance;
}
export interface Close {
  commit: string;
  time: string;
  author: string;
  reportHash: string;
}
export interface Health {
  commit: string;
  from: string;
  to: string;
  sources: SourceHealth[];
  leftOff: number;
  months: { period: string; close: Close | undefined }[];
}

const amounts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(facts(value)).map(([currency, sum]) => [currency, text(sum)]));

function readClose(value: unknown): Close | undefined {
  const row = facts(value);
  if (!row['commit']) return undefined;
  return {
    commit: text(row['commit']),
    time: text(row['time']),
    author: text(row['author']),
    reportHash: text(row['report_hash']),
  };
}

function readConformance(value: unknown): Conformance {
  const row = facts(value);
  return {
    state: (text(row['state']) || 'not checked') as Conformance['state'],
    reason: text(row['reason']),
    focus: text(row['focus']),
    executed: count(facts(row['rules'])['executed']),
    scores: list(row['providers']).map(facts).map((one) => ({
      provider: text(one['provider']),
      percent: text(one['score_percent']),
      rows: count(one['rows']),
    })),
    broken: list(row['broken']).map(facts).map((rule) => ({
      id: text(rule['id']),
      keyword: text(rule['keyword']),
      rows: count(rule['rows']),
      text: text(rule['text']),
      remedy: text(rule['remedy']),
      share: text(rule['share_percent']),
    })),
    brokenMore: count(row['broken_more']),
  };
}

function readQuarantine(value: unknown): Quarantine {
  const row = facts(value);
  return {
    rows: count(row['rows']),
    cost: amounts(row['cost']),
    reasons: Object.entries(facts(row['reasons']))
      .map(([code, rows]): [string, number] => [code, count(rows)])
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
    reasonsOfAll: row['reasons_of_all'] !== false,
    imports: list(row['imports']).map(facts).map((one) => ({
      id: text(one['id']),
      time: text(one['time']),
      rows: count(one['rows']),
      files: texts(one['files']),
    })),
  };
}

function readSource(value: unknown): SourceHealth {
  const row = facts(value);
  const sync = facts(row['sync']);
  const last = facts(row['last_import']);
  return {
    name: text(row['name']),
    title: text(row['title']) || text(row['name']),
    kind: text(row['kind']),
    parts: texts(row['parts']),
    lastImport: last['commit']
      ? {
          commit: text(last['commit']),
          time: text(last['time']),
          author: text(last['author']),
          files: texts(last['files']),
        }
      : undefined,
    sync: sync['state']
      ? {
          state: sync['state'] as SyncState['state'],
          time: text(sync['time']),
          succeeded: text(sync['succeeded']),
          errors: list(sync['errors'])
            .map(facts)
            .map((error) => ({ message: text(error['message']), hint: text(error['hint']) })),
          errorsMore: count(sync['errors_more']),
        }
      : undefined,
    reaches: text(row['reaches']),
    hoursBehind: typeof row['hours_behind'] === 'number' ? row['hours_behind'] : undefined,
    charges: count(row['charges']),
    billed: amounts(row['billed']),
    days: list(row['days']).map(facts).map((day) => ({
      day: text(day['day']),
      state: text(day['state']) as DayState,
      charges: count(day['charges']),
      billed: amounts(day['billed']),
    })),
    periods: list(row['periods']).map(facts).map((period) => ({
      period: text(period['period']),
      charges: count(period['charges']),
      billed: amounts(period['billed']),
      closed: period['closed'] === true,
    })),
    quarantine: readQuarantine(row['quarantine']),
    conformance: readConformance(row['conformance']),
  };
}

export function readHealth(body: unknown): Health {
  const row = facts(body);
  return {
    commit: text(row['commit']),
    from: text(row['from']),
    to: text(row['to']),
    sources: list(row['sources']).map(readSource),
    leftOff: count(row['sources_left_off']),
    months: list(row['months'])
      .map(facts)
      .map((month) => ({ period: text(month['period']), close: readClose(month['close']) })),
  };
}
export const getHealth = async (): Promise<Health> => readHealth(await request('/health/sources'));

// ---- what needs a look

const TROUBLES = ['sync', 'gap', 'quarantine', 'empty', 'behind', 'thin'] as const;
export type Trouble = (typeof TROUBLES)[number];
/** A bill of the day before comes within a day or two; beyond that somebody should look. */
export const BEHIND_HOURS = 72;

/** What is wrong with a source, the worst first; nothing when it can be trusted. */
export function troublesOf(source: SourceHealth): Trouble[] {
  const has = (state: DayState) => source.days.some((day) => day.state === state);
  const is: Record<Trouble, boolean> = {
    sync: source.sync?.state === 'failed',
    gap: has('gap'),
    quarantine: source.quarantine.rows > 0,
    empty: source.charges === 0,
    behind: (source.hoursBehind ?? 0) > BEHIND_HOURS,
    thin: has('thin'),
  };
  return TROUBLES.filter((trouble) => is[trouble]);
}

/** What needs a look comes first, the worst of it at the top; else the order stays. */
export function worstFirst(sources: readonly SourceHealth[]): SourceHealth[] {
  const rank = (source: SourceHealth) => {
    const worst = troublesOf(source)[0];
    return worst === undefined ? TROUBLES.length : TROUBLES.indexOf(worst);
  };
  return [...sources].sort((a, b) => rank(a) - rank(b));
}

/** The provider that keeps the least of the rules says how far a bill can be trusted. */
export function lowestScore(conformance: Conformance): Score | undefined {
  return conformance.scores.reduce<Score | undefined>(
    (low, score) => (!low || Number(score.percent) < Number(low.percent) ? score : low),
    undefined,
  );
}

/** Days in a row, as [first, last], so that a gap of a week is said once. */
export function runsOf(days: readonly Day[], state: DayState): [string, string][] {
  const runs: [string, string][] = [];
  let before: DayState | undefined;
  for (const day of days) {
    if (day.state === state) {
      if (before === state) runs.at(-1)![1] = day.day;
      else runs.push([day.day, day.day]);
    }
    before = day.state;
  }
  return runs;
}

/** The currency of the strip: the one in which most was billed on the days shown. */
export function stripCurrency(days: readonly Day[]): string {
  const sums = new Map<string, bigint>();
  for (const day of days)
    for (const [currency, sum] of Object.entries(day.billed))
      sums.set(currency, (sums.get(currency) ?? 0n) + abs(parseFixed(sum)));
  return [...sums].sort((a, b) => (a[1] < b[1] ? 1 : -1))[0]?.[0] ?? '';
}

/** Heights of a strip's days, from 0 to 1, against its dearest day. */
export function heightsOf(days: readonly Day[], currency: string): number[] {
  const sizes = days.map((day) => size(abs(parseFixed(day.billed[currency] ?? '0'))));
  const top = Math.max(...sizes, 1e-12);
  return sizes.map((value) => Math.min(1, value / top));
}

// ---- a month beside its invoices

export interface LadderStep {
  reason: string;
  amount: bigint;
  /** What each side has there. */
  invoiced: bigint;
  ledger: bigint;
  estimate: bigint;
  where: string;
  /** The line of the invoice that it is by itself; '' when there is none. */
  line: string;
  otherPeriod: string;
  ageDays: number;
  /** '' when nobody has asked for the report since it came up. */
  since: string;
}
export interface Ladder {
  issuer: string;
  invoice: string;
  currency: string;
  invoiced: bigint;
  ledger: bigint;
  estimate: bigint;
  status: string;
  steps: LadderStep[];
}
/** To the last digit, or to the rounding of the invoice, which is no difference to work on. */
export const isEqual = (ladder: Ladder): boolean =>
  ladder.steps.every((step) => step.reason === 'rounding');

export type StepFinding =
  | 'rounding'
  | 'timing'
  | 'quarantined'
  | 'estimate'
  | 'correction'
  | 'correctedLater'
  | 'onlyLedger'
  | 'onlyInvoice'
  | 'both';
/** What was found of a step: a tax or a credit may be on one side alone, or differ. */
export function findingOf({ reason, invoiced, ledger }: LadderStep): StepFinding {
  if (reason === 'rounding' || reason === 'timing' || reason === 'quarantined' || reason === 'estimate')
    return reason;
  // Booked in this month, or what it lacks because a later one has it.
  if (reason === 'correction') return invoiced === 0n ? 'correction' : 'correctedLater';
  if (reason === 'not invoiced' || (reason !== 'missing' && invoiced === 0n)) return 'onlyLedger';
  return reason === 'missing' || ledger === 0n ? 'onlyInvoice' : 'both';
}
/** The ledger has nothing under the name of an invoice: it may be written in another way there. */
export const isUnknownIssuer = (ladder: Ladder): boolean =>
  ladder.ledger === 0n && ladder.steps.every((step) => findingOf(step) === 'onlyInvoice');

export interface Month {
  period: string;
  commit: string;
  equal: boolean | undefined;
  ladders: Ladder[];
  without: { issuer: string; invoices: string; currency: string; ledger: bigint; estimate: bigint }[];
  daysWithout: [string, string[]][];
  close: Close | undefined;
  over: boolean;
}

/** The server's word for a total that no file has a line of. */
const TYPED = 'as typed';

export function readMonth(body: unknown): Month {
  const row = facts(body);
  const amount = (value: unknown) => parseFixed(text(value) || '0');
  return {
    period: text(row['period']),
    commit: text(row['commit']),
    equal: typeof row['equal'] === 'boolean' ? row['equal'] : undefined,
    ladders: list(row['invoices']).map(facts).map((ladder) => ({
      issuer: text(ladder['issuer']),
      invoice: text(ladder['invoice']),
      currency: text(ladder['currency']),
      invoiced: amount(ladder['invoiced']),
      ledger: amount(ladder['ledger']),
      estimate: amount(ladder['estimate']),
      status: text(ladder['billing_period_status']),
      steps: list(ladder['steps']).map(facts).map((step) => ({
        reason: text(step['reason']),
        amount: amount(step['amount']),
        invoiced: amount(step['invoiced']),
        ledger: amount(step['ledger']),
        estimate: amount(step['estimate']),
        where: [step['account'], step['category'], step['service']]
          .map(text)
          .filter((part) => part)
          .join(' · '),
        line: text(step['line']) === TYPED ? '' : text(step['line']),
        otherPeriod: text(step['other_period']),
        ageDays: count(step['age_days']),
        since: text(step['since']),
      })),
    })),
    without: list(row['without_invoice']).map(facts).map((one) => ({
      issuer: text(one['issuer']),
      invoices: text(one['invoices']),
      currency: text(one['currency']),
      ledger: amount(one['ledger']),
      estimate: amount(one['estimate']),
    })),
    daysWithout: Object.entries(facts(row['days_without_charges'])).map(([issuer, days]) => [
      issuer,
      texts(days),
    ]),
    close: readClose(row['close']),
    over: row['over'] === true,
  };
}
export const getMonth = async (month: string): Promise<Month> =>
  readMonth(await request(`/health/months/${encodeURIComponent(month)}`));

/** A word of the API as a key of the catalogue. */
export const wordKey = (word: string): string => word.replace(/ /g, '_');

// ---- rows in quarantine

export interface QuarantinedRow {
  file: string;
  line: number;
  code: string;
  reason: string;
  raw: string;
}
export async function getQuarantined(
  id: string,
  offset: number,
  limit: number,
): Promise<{ rows: QuarantinedRow[]; more: boolean }> {
  const body = facts(
    await request(`/quarantine/${encodeURIComponent(id)}?offset=${offset}&limit=${limit}`),
  );
  return {
    rows: list(body['rows']).map(facts).map((row) => ({
      file: text(row['file']),
      line: count(row['line']),
      code: text(row['code']),
      reason: text(row['reason']),
      raw: text(row['raw']),
    })),
    more: body['more'] === true,
  };
}
export const quarantineFile = (id: string): string =>
  `/api/v1/quarantine/${encodeURIComponent(id)}?format=jsonl`;
