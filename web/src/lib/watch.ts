// What the live watch finds: anomalies with their causes, incidents with their timeline, and whom they were told to. Spent
// money is exact text; what would have been spent, what is at stake and its pace are estimates.
import { request, tell, type CostQuery } from './api';
import { parseFixed } from './fixed';
import { count, facts, list, maybe, text, texts } from './json';
import { addDays, isDay } from './period';
import type { View } from './state';
import type { Filter } from './where';

export interface Element {
  dimension: string;
  value: string;
}
export type Kind = 'burn' | 'spike' | 'ramp' | 'missing' | 'stuck' | 'price';
export interface Cause {
  elements: Element[];
  /** Of all that was spent beyond the expectation. */
  share: number;
  actual: bigint;
  expected: bigint;
}
export interface Anomaly {
  id: string;
  kind: Kind;
  active: boolean;
  series: Element;
  currency: string;
  began: string;
  opened: string;
  updated: string;
  ended: string;
  rule: string;
  against: string;
  note: string;
  ratio: number;
  confidence: number;
  observed: bigint;
  expected: bigint;
  amount: bigint;
  lossPerHour: number;
  suspect: Element;
  /** Each holds nearly all of it; narrowest first. */
  path: Element[];
  causes: Cause[];
  evidence: CostQuery;
  action: { kind: string; scope: string; of: Element };
  feedback: '' | 'expected' | 'not_expected';
  incident: string;
}
export type IncidentState = 'open' | 'acknowledged' | 'resolved' | 'expected';
export interface Entry {
  at: string;
  what: string;
  by: string;
  text: string;
}
export interface Incident {
  id: string;
  state: IncidentState;
  active: boolean;
  title: string;
  owner: string;
  suspect: Element;
  currency: string;
  amount: bigint;
  lossPerHour: number;
  began: string;
  opened: string;
  detectSeconds: number | undefined;
  resolveSeconds: number | undefined;
  anomalies: string[];
  timeline: Entry[];
}
export interface WatchFacts {
  enabled: boolean;
  minAmount: string;
  off: string[];
  series: number;
  silenced: number;
}
export interface Delivery {
  id: number;
  receiver: string;
  state: string;
  attempts: number;
  due: string;
  fault: string;
  escalated: boolean;
  notices: { id: string; state: string; severity: string; title: string }[];
}
export interface Notifications {
  receivers: { name: string; kind: string }[];
  waiting: number;
  deliveries: Delivery[];
}

const element = (value: unknown): Element => ({
  dimension: text(facts(value)['dimension']),
  value: text(facts(value)['value']),
});
const elements = (value: unknown): Element[] =>
  Object.entries(facts(value)).map(([dimension, name]) => ({ dimension, value: text(name) }));
const amount = (value: unknown): bigint => parseFixed(text(value));

export function readAnomaly(value: unknown): Anomaly {
  const row = facts(value);
  const action = facts(row['action']);
  return {
    id: text(row['id']),
    kind: text(row['kind']) as Kind,
    active: row['state'] === 'active',
    series: element(row['series']),
    currency: text(row['currency']),
    began: text(row['began']),
    opened: text(row['opened']),
    updated: text(row['updated']),
    ended: text(row['ended']),
    rule: text(row['rule']),
    against: text(row['against']),
    note: text(row['note']),
    ratio: count(row['ratio']),
    confidence: count(row['confidence']),
    observed: amount(row['observed']),
    expected: amount(row['expected']),
    amount: amount(row['amount']),
    lossPerHour: count(row['loss_per_hour']),
    suspect: element(row['suspect']),
    path: elements(row['path']),
    causes: list(row['causes']).map(facts).map((cause) => ({
      elements: elements(cause['elements']),
      share: count(cause['share']),
      actual: amount(cause['actual']),
      expected: amount(cause['expected']),
    })),
    evidence: readEvidence(row['evidence']),
    action: {
      kind: text(action['kind']),
      scope: text(action['scope']) || text(action['model']),
      of: element(action['of']),
    },
    feedback: text(row['feedback']) as Anomaly['feedback'],
    incident: text(row['incident']),
  };
}

function readEvidence(value: unknown): CostQuery {
  const row = facts(value);
  return {
    measures: ['effective_cost'],
    by: texts(row['by']),
    grain: row['grain'] === 'day' ? 'day' : 'hour',
    from: text(row['from']),
    ...(text(row['to']) ? { to: text(row['to']) } : {}),
    where: list(row['where']).map(facts).map((filter) => ({
      dimension: text(filter['dimension']),
      values: texts(filter['values']),
    })),
  };
}

export function readIncident(value: unknown): Incident {
  const row = facts(value);
  return {
    id: text(row['id']),
    state: text(row['state']) as IncidentState,
    active: row['active'] === true,
    title: text(row['title']),
    owner: text(row['owner']),
    suspect: element(row['suspect']),
    currency: text(row['currency']),
    amount: amount(row['amount']),
    lossPerHour: count(row['loss_per_hour']),
    began: text(row['began']),
    opened: text(row['opened']),
    detectSeconds: maybe(row['detect_s']),
    resolveSeconds: maybe(row['resolve_s']),
    anomalies: texts(row['anomalies']),
    timeline: list(row['timeline']).map(facts).map((entry) => ({
      at: text(entry['at']),
      what: text(entry['what']),
      by: text(entry['by']),
      text: text(entry['text']),
    })),
  };
}

export function readNotifications(value: unknown): Notifications {
  const row = facts(value);
  return {
    receivers: list(row['receivers']).map(facts).map((receiver) => ({
      name: text(receiver['name']),
      kind: text(receiver['kind']),
    })),
    waiting: count(row['waiting']),
    deliveries: list(row['deliveries']).map(facts).map((delivery) => ({
      id: count(delivery['id']),
      receiver: text(delivery['receiver']),
      state: text(delivery['state']),
      attempts: count(delivery['attempts']),
      due: text(delivery['due']),
      fault: text(delivery['fault']),
      escalated: delivery['escalated'] === true,
      notices: list(delivery['notices']).map(facts).map((notice) => ({
        id: text(notice['id']),
        state: text(notice['state']),
        severity: text(notice['severity']),
        title: text(notice['title']),
      })),
    })),
  };
}

/** The server keeps no more incidents than these. */
const INCIDENTS_MAX = 500;
const ANOMALIES_MAX = 200;
export async function getIncidents(open: boolean): Promise<Incident[]> {
  const state = open ? 'state=open,acknowledged&' : '';
  const body = await request(`/incidents?${state}limit=${INCIDENTS_MAX}`);
  return list(facts(body)['incidents']).map(readIncident);
}
export async function getAnomalies(incident: string): Promise<Anomaly[]> {
  const query = `incident=${encodeURIComponent(incident)}&limit=${ANOMALIES_MAX}`;
  return list(facts(await request(`/anomalies?${query}`))['anomalies']).map(readAnomaly);
}
export async function getWatch(): Promise<WatchFacts> {
  const row = facts(await request('/watch'));
  return {
    enabled: row['enabled'] !== false,
    minAmount: text(row['min_amount']),
    off: texts(row['off']),
    series: count(row['series']),
    silenced: count(row['silenced']),
  };
}
export const getNotifications = async (): Promise<Notifications> =>
  readNotifications(await request('/notifications'));

export interface IncidentWord {
  state?: IncidentState;
  owner?: string;
  note?: string;
}
export const sayOfIncident = async (id: string, word: IncidentWord, token: string) =>
  readIncident(await tell(`/incidents/${encodeURIComponent(id)}`, word, token));
export const sayOfAnomaly = async (id: string, expected: boolean, token: string) =>
  readAnomaly(
    await tell(
      `/anomalies/${encodeURIComponent(id)}`,
      { feedback: expected ? 'expected' : 'not_expected' },
      token,
    ),
  );

// ---- what is made of them

export const isOver = (incident: Incident): boolean =>
  incident.state === 'resolved' || incident.state === 'expected';
export const openOnes = (incidents: readonly Incident[]): Incident[] =>
  incidents.filter((incident) => incident.state === 'open');

/** What nobody looks at comes first, then what is looked at, then what is over; newest first in each. */
export function openFirst(incidents: readonly Incident[]): Incident[] {
  const rank = (incident: Incident) =>
    isOver(incident) ? 2 : incident.state === 'acknowledged' ? 1 : 0;
  return [...incidents].sort(
    (a, b) => rank(a) - rank(b) || Date.parse(b.opened) - Date.parse(a.opened),
  );
}

/** A list with one of its members as it is now. */
export function withOne<T extends { id: string }>(all: readonly T[], one: T): T[] {
  return all.some((each) => each.id === one.id)
    ? all.map((each) => (each.id === one.id ? one : each))
    : [one, ...all];
}

/** The anomaly of the widest series, from which the way down to the suspect is the longest. */
export const widestOf = (anomalies: readonly Anomaly[]): Anomaly | undefined =>
  [...anomalies].sort(
    (a, b) => widthOf(a.series) - widthOf(b.series) || (a.amount < b.amount ? 1 : -1),
  )[0];
/** That of the suspect first, then the narrowest. */
export const narrowFirst = (anomalies: readonly Anomaly[]): Anomaly[] =>
  [...anomalies].sort(
    (a, b) =>
      Number(same(b.series, b.suspect)) - Number(same(a.series, a.suspect)) ||
      widthOf(b.series) - widthOf(a.series) ||
      (a.opened < b.opened ? 1 : -1),
  );

export interface CauseNode {
  element: Element;
  /** Of what was spent beyond the expectation; undefined: the causes do not say. */
  share: number;
  /** It is `share` at least. */
  atLeast: boolean;
  suspect: boolean;
  /** Where a cause ends. */
  spent?: { actual: bigint; expected: bigint };
  children: CauseNode[];
}
/** Of a dimension's value that stands in the path, the watch says that it holds so much of the excess. */
export const NEARLY_ALL = 0.8;
const FROM_WIDE = ['total', 'provider', 'account', 'service', 'model', 'team', 'project', 'key'];
const widthOf = (one: Element) => FROM_WIDE.indexOf(one.dimension);
const same = (a: Element, b: Element): boolean =>
  a.dimension === b.dimension && a.value === b.value;

/**
 * From the series to its suspect, widest dimension first. A cause that fits the path hangs below it, the others are branches
 * of their own. The shares of the causes below a node are its share; a node of the path has nearly all at least.
 */
export function causeTree(anomaly: Anomaly): CauseNode {
  const root = nodeOf(anomaly.series, anomaly);
  root.share = 1;
  const path = wideFirst(anomaly.path, anomaly);
  const onPath = (one: Element) => anomaly.path.some((each) => same(each, one));
  if (path.length > 0) walk(root, path, anomaly).forEach((node) => (node.atLeast = true));
  for (const cause of anomaly.causes) {
    const own = wideFirst(cause.elements, anomaly);
    const against = own.some(
      (one) => !onPath(one) && anomaly.path.some((each) => each.dimension === one.dimension),
    );
    const chain = against
      ? own
      : wideFirst([...path, ...own.filter((one) => !onPath(one))], anomaly);
    const nodes = walk(root, chain, anomaly);
    for (const node of nodes) node.share += cause.share;
    const last = nodes.at(-1) ?? root;
    last.spent = { actual: cause.actual, expected: cause.expected };
  }
  for (const node of all(root)) {
    if (node.atLeast && node.share >= NEARLY_ALL) node.atLeast = false;
    if (node.atLeast) node.share = NEARLY_ALL;
    node.share = Math.max(0, Math.min(1, node.share));
    node.children.sort((a, b) => b.share - a.share);
  }
  return root;
}

const nodeOf = (element: Element, anomaly: Anomaly): CauseNode => ({
  element,
  share: 0,
  atLeast: false,
  suspect: same(element, anomaly.suspect),
  children: [],
});
const wideFirst = (some: readonly Element[], anomaly: Anomaly): Element[] =>
  some.filter((one) => !same(one, anomaly.series)).sort((a, b) => widthOf(a) - widthOf(b));
const all = (node: CauseNode): CauseNode[] => [node, ...node.children.flatMap(all)];

/** The nodes of a chain below the root, made where they are missing. */
function walk(root: CauseNode, chain: readonly Element[], anomaly: Anomaly): CauseNode[] {
  let at = root;
  return chain.map((element) => {
    let next = at.children.find((child) => same(child.element, element));
    if (!next) at.children.push((next = nodeOf(element, anomaly)));
    return (at = next);
  });
}

/** Where the charges behind an anomaly are seen: its evidence by whole days, as the page has no hours. */
export function evidenceView(anomaly: Anomaly, today: string): Partial<View> | undefined {
  const { from = '', to = '', where = [] } = anomaly.evidence;
  const first = from.slice(0, 10);
  if (!isDay(first)) return undefined;
  const last = to.slice(0, 10);
  // An end at midnight is the end of the day before.
  const end = !isDay(last) ? addDays(today, 1) : /T00:00/.test(to) ? last : addDays(last, 1);
  return {
    page: 'explore',
    where: where as Filter[],
    period: `${first}..${end > first ? end : addDays(first, 1)}`,
    by: '',
    offset: 0,
  };
}

/** What failed comes first, then what waits, then what went out; newest first in each. */
export function failedFirst(deliveries: readonly Delivery[]): Delivery[] {
  const rank = (one: Delivery) =>
    one.state === 'given up' ? 0 : one.fault && one.state !== 'sent' ? 1 : one.state === 'sent' ? 3 : 2;
  return [...deliveries].sort((a, b) => rank(a) - rank(b) || b.id - a.id);
}
