// What the address says, as signals. Every view can be shared by its address, and back and forward work.
import { computed, signal } from '@preact/signals';
import { formatWhere, narrow, parseWhere, type Filter } from './where';
import { isDay, isMonth, type Grain } from './period';
import type { CostQuery } from './api';
import { HORIZONS, type Horizon } from './outlook';

const PAGES = [
  'overview',
  'explore',
  'outlook',
  'incidents',
  'budgets',
  'health',
  'import',
] as const;
export type Page = (typeof PAGES)[number];
export type CostMeasure = 'effective_cost' | 'billed_cost' | 'list_cost' | 'contracted_cost';
export const COST_MEASURES: readonly CostMeasure[] = [
  'effective_cost',
  'billed_cost',
  'list_cost',
  'contracted_cost',
];
export const basisOf = (measure: CostMeasure) =>
  measure.replace('_cost', '') as NonNullable<CostQuery['basis']>;

export interface View {
  page: Page;
  /** '' the latest month; '2026-10'; '2026-10-05..2026-10-12' half-open; 'all'. */
  period: string;
  where: Filter[];
  measure: CostMeasure;
  currency: string;
  /** The reporting currency; '' as billed. */
  in: string;
  /** Spend over time: what its layers are, and how fine. */
  series: string;
  /** '' chooses by itself: months, or days when there are few months. */
  grain: Grain | '';
  /** The bridge: what it is explained by, and against which month. */
  bridge: string;
  against: 'month' | 'year';
  /** Explore: the next dimension of the table, and the first of the rows shown. */
  by: string;
  offset: number;
  /** Outlook: what the forecast is split by, of which value it is shown ('' the whole), and how far it goes. */
  ahead: string;
  part: string;
  horizon: Horizon;
  /** Incidents: the one that is looked at. */
  incident: string;
}

const DEFAULTS: View = {
  page: 'overview',
  period: '',
  where: [],
  measure: 'effective_cost',
  currency: '',
  in: '',
  series: 'driver',
  grain: '',
  bridge: 'ai_class',
  against: 'month',
  by: '',
  offset: 0,
  ahead: 'team',
  part: '',
  horizon: '3mo',
  incident: '',
};
const GRAINS: readonly (Grain | '')[] = ['', 'month', 'week', 'day'];
const DIMENSION = /^([a-z_]+|tag:.+)$/;
const INCIDENT = /^incident-\d{1,15}$/;

function isPeriod(value: string): boolean {
  if (value === 'all' || isMonth(value)) return true;
  const [from, to, ...rest] = value.split('..');
  return (
    rest.length === 0 &&
    from !== undefined &&
    to !== undefined &&
    isDay(from) &&
    isDay(to) &&
    from < to
  );
}

export function parseView(search: string): View {
  const params = new URLSearchParams(search);
  const get = (key: string) => params.get(key) ?? '';
  const among = <T extends string>(key: string, allowed: readonly T[], fallback: T): T =>
    (allowed as readonly string[]).includes(get(key)) ? (get(key) as T) : fallback;
  const dimension = (key: string, fallback: string) =>
    DIMENSION.test(get(key)) ? get(key) : fallback;
  return {
    page: among('view', PAGES, DEFAULTS.page),
    period: isPeriod(get('period')) ? get('period') : '',
    where: parseWhere(get('where')),
    measure: among('measure', COST_MEASURES, DEFAULTS.measure),
    currency: /^[A-Za-z0-9_ -]{1,20}$/.test(get('currency')) ? get('currency') : '',
    in: /^[A-Z]{3}$/.test(get('in')) ? get('in') : '',
    series: dimension('series', DEFAULTS.series),
    grain: among('grain', GRAINS, DEFAULTS.grain),
    bridge: dimension('bridge', DEFAULTS.bridge),
    against: among('against', ['month', 'year'], DEFAULTS.against),
    by: dimension('by', ''),
    offset: Math.max(0, Math.floor(Number(get('offset')) || 0)),
    ahead: dimension('ahead', DEFAULTS.ahead),
    part: get('part').slice(0, 300),
    horizon: among('horizon', HORIZONS, DEFAULTS.horizon),
    incident: INCIDENT.test(get('incident')) ? get('incident') : '',
  };
}

/** What messages to people link to: #/incidents/incident-3, #/outlook. */
export function parseHash(hash: string): Partial<View> | undefined {
  const [, name, incident] = /^#\/([a-z]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  const page = PAGES.find((each) => each === name);
  if (!page) return undefined;
  return { page, incident: page === 'incidents' && INCIDENT.test(incident ?? '') ? incident! : '' };
}
const viewAt = ({ search, hash }: Pick<Location, 'search' | 'hash'>): View => ({
  ...parseView(search),
  ...parseHash(hash),
});

export function formatView(view: View): string {
  const params = new URLSearchParams();
  const put = (key: string, value: string | number, fallback: string | number) => {
    if (value !== fallback) params.set(key, String(value));
  };
  put('view', view.page, DEFAULTS.page);
  put('period', view.period, '');
  put('where', formatWhere(view.where), '');
  put('measure', view.measure, DEFAULTS.measure);
  put('currency', view.currency, '');
  put('in', view.in, '');
  put('series', view.series, DEFAULTS.series);
  put('grain', view.grain, DEFAULTS.grain);
  put('bridge', view.bridge, DEFAULTS.bridge);
  put('against', view.against, DEFAULTS.against);
  put('by', view.by, '');
  put('offset', view.offset, 0);
  put('ahead', view.ahead, DEFAULTS.ahead);
  put('part', view.part, '');
  put('horizon', view.horizon, DEFAULTS.horizon);
  put('incident', view.incident, '');
  const text = params.toString();
  return text ? `?${text}` : '';
}

const hasPage = typeof location !== 'undefined';
export const view = signal<View>(hasPage ? viewAt(location) : { ...DEFAULTS });
export const page = computed(() => view.value.page);

/** Where the address of a changed view would lead: for links, so that they open in a new tab too. */
export const linkTo = (change: Partial<View>): string =>
  `/${formatView({ ...view.value, ...change })}`;

/** Goes there. `replace` for what should not become a step of its own in the history. */
export function go(change: Partial<View>, replace = false): void {
  const next = { ...view.value, ...change };
  const address = `/${formatView(next)}`;
  const turns = next.page !== view.value.page;
  if (address === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, '', address);
  else {
    history.replaceState({ scroll: scrollY }, '');
    history.pushState({ scroll: 0 }, '', address);
  }
  view.value = next;
  if (turns) scrollTo(0, 0);
}

/** The drill-down: the filters of a figure added to those in force. */
export function drill(filters: readonly Filter[], change: Partial<View> = {}): Partial<View> {
  return {
    page: 'explore',
    where: narrow(view.value.where, filters),
    by: '',
    offset: 0,
    ...change,
  };
}

/** One address for one view: a link with a fragment becomes the address that the page writes. */
function settle(): void {
  if (parseHash(location.hash)) history.replaceState(history.state, '', `/${formatView(view.value)}`);
}

export function startRouter(): void {
  history.scrollRestoration = 'manual';
  settle();
  addEventListener('popstate', (event) => {
    view.value = viewAt(location);
    settle();
    const scroll = (event.state as { scroll?: number } | null)?.scroll ?? 0;
    // The page is drawn first; only then is there something to scroll to.
    requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, scroll)));
  });
}
