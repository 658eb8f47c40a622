// The API of the server, as the page uses it. Questions asked within one turn of the event loop go out as one request.
import type { Filter } from './where';
import type { Grain } from './period';

export type Measure =
  'effective_cost' | 'billed_cost' | 'list_cost' | 'contracted_cost' | 'usage' | 'charges';
export interface CostQuery {
  measures: Measure[];
  by?: string[];
  grain?: Grain;
  from?: string;
  to?: string;
  where?: Filter[];
  top?: number;
  basis?: 'effective' | 'billed' | 'list' | 'contracted';
  as_of?: string;
  /** The reporting currency; absent: as billed. */
  currency?: string;
}
export type Row = Record<string, string>;
export type Totals = Record<string, string | null>;
export interface Answer {
  rows: Row[];
  totals: Totals | null;
  totals_by_currency: Record<string, Totals>;
  commit: string;
  query_hash: string;
  currency: string | null;
  read_from?: string;
  conversion?: Conversion;
}
/** How an answer in a reporting currency came about. */
export interface Conversion {
  currency: string;
  /** What was billed, by billing currency and measure. */
  billed: Record<string, Record<string, string>>;
  rates: UsedRate[];
}
export interface UsedRate {
  from: string;
  rates_from: string;
  rates_to: string;
  lowest: string;
  highest: string;
  days: number;
  days_carried: number;
  sources: string[];
}
export interface ExchangeRates {
  base: string;
  currencies: { currency: string; per_euro: string; day: string }[];
}
export interface RowsPage {
  columns: string[];
  rows: (string | null)[][];
  total: number;
  commit: string;
}
export interface SumCheck {
  in: string;
  kept: string;
  quarantined: string;
  residue: string;
}
export interface Overlap {
  source: string;
  period: string;
  billing_account: string;
  currency: string;
  billed_cost: string;
  billed_cost_standing: string;
  same_bill: boolean;
  refused: boolean;
}
export interface ImportReport {
  commit: string | null;
  source: string;
  focus_version?: string;
  rows_in: number;
  rows_kept: number;
  rows_quarantined: number;
  billed_cost: SumCheck;
  billed_cost_by_currency?: Record<string, SumCheck>;
  repairs: Record<string, number>;
  findings?: Record<string, number>;
  quarantine: { file?: string; line: number; reason: string }[];
  /** Billing periods and accounts that another source has most charges of. */
  overlaps?: Overlap[];
  unchanged: boolean;
}
export interface Commit {
  sequence: number;
  id: string;
  kind: string;
  time: string;
  author: string;
  source: string;
  rows?: number;
  /** Billing periods that it brought, as months. */
  periods: string[];
  /** It took the place of slices that were there. */
  replaces: boolean;
}
export interface UseCase {
  id: string;
  name: string;
  owner: string;
  team: string;
  project: string;
  objective: string;
  stage: string;
  status: string;
  status_reason: string;
  target_cost?: string;
  target_unit_cost?: string;
  unit: string;
  expected_value?: string;
}
export interface Named {
  id: string;
  name: string;
  owner?: string;
}
export interface Estate {
  name: string;
  currency: string;
  teams: Named[];
  projects: Named[];
  environments: Named[];
  models: Named[];
  use_cases: UseCase[];
  sources: { name: string; title: string }[];
}

/** A refusal or a failure, in words for the person who sees the page. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly hint: string = '',
    readonly code: string = '',
  ) {
    super(message);
  }
}

const BASE = '/api/v1';
/** Questions in one request; the server refuses more. */
const BATCH_MAX = 32;

export async function request(path: string, init?: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    throw new ApiError('', 0);
  }
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(text.slice(0, 300), response.ok ? 502 : response.status);
  }
  if (!response.ok) throw toError(body, response.status);
  return body;
}

function toError(body: unknown, status: number): ApiError {
  const outer = (body ?? {}) as Record<string, unknown>;
  const inner = (
    typeof outer['error'] === 'object' && outer['error'] ? outer['error'] : outer
  ) as Record<string, unknown>;
  const message = inner['message'] ?? outer['error'] ?? '';
  return new ApiError(
    String(message),
    status,
    String(inner['hint'] ?? ''),
    String(inner['code'] ?? ''),
  );
}

const post = (path: string, body: unknown): Promise<unknown> =>
  request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

interface Waiting {
  query: CostQuery;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}
let waiting: Waiting[] = [];

/** Asks one cost query; all that are asked in the same turn share a request. */
export function ask(query: CostQuery): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (waiting.length === 0) setTimeout(flush, 0);
    waiting.push({ query, resolve, reject });
  });
}

function flush(): void {
  const all = waiting;
  waiting = [];
  for (let i = 0; i < all.length; i += BATCH_MAX) void send(all.slice(i, i + BATCH_MAX));
}

async function send(batch: Waiting[]): Promise<void> {
  try {
    const body = (await post('/query', { queries: batch.map((w) => w.query) })) as {
      answers: unknown[];
    };
    batch.forEach((w, i) => {
      const answer = body.answers[i];
      if (answer && typeof answer === 'object' && 'rows' in answer) w.resolve(answer as Answer);
      else w.reject(toError(answer, 400));
    });
  } catch (error) {
    // One wrong question must not take the others down with it.
    if (batch.length > 1 && error instanceof ApiError && error.status === 400)
      batch.forEach((w) => void send([w]));
    else batch.forEach((w) => w.reject(error));
  }
}

export const askRows = async (query: CostQuery, offset: number, limit: number): Promise<RowsPage> =>
  (await post('/rows', { query, offset, limit })) as RowsPage;

const record = (value: unknown): Record<string, unknown> =>
  value && typeof value === 'object' ? (value as Record<string, unknown>) : {};
const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.map(record) : [];
const text = (value: unknown): string =>
  value === null || value === undefined ? '' : String(value);
const optional = (value: unknown): { value: string } | undefined =>
  text(value) ? { value: text(value) } : undefined;

export async function getCommits(): Promise<Commit[]> {
  const body = await request('/commits');
  const commits = Array.isArray(body) ? list(body) : list(record(body)['commits']);
  return commits
    .map((commit): Commit => {
      const facts = { ...commit, ...record(commit['import']) };
      const rows = facts['rows_in_slices'] ?? facts['rows'];
      return {
        sequence: Number(commit['sequence'] ?? 0),
        id: text(commit['id'] ?? commit['commit']),
        kind: text(commit['kind']) || 'import',
        time: text(commit['time']),
        author: text(commit['author']),
        source: text(commit['source']),
        periods: [...new Set(list(commit['opens']).map((slice) => text(slice['period'])))].sort(),
        replaces: Array.isArray(commit['closes']) && commit['closes'].length > 0,
        ...(rows === undefined || rows === null ? {} : { rows: Number(rows) }),
      };
    })
    .sort((a, b) => b.sequence - a.sequence);
}

export async function getEstate(): Promise<Estate> {
  const outer = record(await request('/estate'));
  const body = outer['estate'] ? record(outer['estate']) : outer;
  const named = (value: unknown): Named[] =>
    list(value).map((v) => ({
      id: text(v['id']),
      name: text(v['name']) || text(v['id']),
      owner: text(v['owner']),
    }));
  return {
    name: text(body['name']) || 'Flyball',
    currency: text(body['currency']) || 'USD',
    teams: named(body['teams']),
    projects: named(body['projects']),
    environments: named(body['environments']),
    models: named(body['models']),
    sources: list(body['sources']).map((s) => ({
      name: text(s['name']),
      title: text(s['title']) || text(s['name']),
    })),
    use_cases: list(body['use_cases']).map((u): UseCase => {
      const cost = optional(u['target_cost']);
      const unitCost = optional(u['target_unit_cost']);
      const value = optional(u['expected_value']);
      return {
        id: text(u['id']),
        name: text(u['name']) || text(u['id']),
        owner: text(u['owner']),
        team: text(u['team']),
        project: text(u['project']),
        objective: text(u['objective']),
        stage: text(u['stage']),
        status: text(u['status']),
        status_reason: text(u['status_reason']),
        unit: text(u['unit']),
        ...(cost ? { target_cost: cost.value } : {}),
        ...(unitCost ? { target_unit_cost: unitCost.value } : {}),
        ...(value ? { expected_value: value.value } : {}),
      };
    }),
  };
}

export interface Explanation {
  dimension: string;
  value: string | null;
  setBy: string | null;
}
/** Which rule gave a charge its dimensions. */
export async function explain(columns: Record<string, string | null>): Promise<Explanation[]> {
  const dimensions = record(record(await post('/explain', { columns }))['dimensions']);
  return Object.entries(dimensions).map(([dimension, entry]) => {
    const facts = record(entry);
    return { dimension, value: text(facts['value']) || null, setBy: text(facts['set_by']) || null };
  });
}

export const getExchange = async (): Promise<ExchangeRates> =>
  (await request('/exchange')) as ExchangeRates;

export async function getVersion(): Promise<string> {
  return text(record(await request('/health'))['version']);
}

/** Sends a bill. The token is what `flyball serve` printed or wrote into the home folder. */
export function sendImport(
  files: readonly File[],
  source: string,
  token: string,
  dryRun: boolean,
  progress: (done: number, total: number) => void,
): Promise<ImportReport> {
  const form = new FormData();
  if (source) form.append('source', source);
  if (dryRun) form.append('dry_run', 'true');
  for (const file of files) form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open('POST', `${BASE}/imports`);
    if (token) call.setRequestHeader('authorization', `Bearer ${token}`);
    call.upload.onprogress = (event) =>
      event.lengthComputable && progress(event.loaded, event.total);
    call.onerror = () => reject(new ApiError('', 0));
    call.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(call.responseText);
      } catch {
        reject(new ApiError(call.responseText.slice(0, 300), call.status));
        return;
      }
      if (call.status >= 200 && call.status < 300) resolve(body as ImportReport);
      else reject(toError(body, call.status));
    };
    call.send(form);
  });
}

/** A change, told with the token of the tab. */
export function tell(path: string, body: unknown, token: string): Promise<unknown> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token) headers['authorization'] = `Bearer ${token}`;
  return request(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Calls back at each commit, at what the watch sees, and when the connection comes and goes. */
export function listen(
  onCommit: (event: Record<string, unknown>) => void,
  onHello: (commit: string) => void,
  onState: (open: boolean) => void,
  onWatch: (kind: 'anomaly' | 'incident', document: unknown) => void,
): () => void {
  const events = new EventSource(`${BASE}/events`);
  // Says at which commit the ledger is, at each (new) connection: nothing is missed while it was away.
  events.addEventListener('hello', (event) => {
    try {
      onHello(text(record(JSON.parse((event as MessageEvent<string>).data))['commit']));
    } catch {
      // An older server says nothing here.
    }
  });
  events.addEventListener('commit', (event) => {
    try {
      onCommit(record(JSON.parse((event as MessageEvent<string>).data)));
    } catch {
      onCommit({});
    }
  });
  for (const kind of ['anomaly', 'incident'] as const)
    events.addEventListener(kind, (event) => {
      try {
        onWatch(kind, JSON.parse((event as MessageEvent<string>).data));
      } catch {
        // What cannot be read is asked for when the page is looked at next.
      }
    });
  events.onopen = () => onState(true);
  events.onerror = () => onState(false);
  return () => events.close();
}
