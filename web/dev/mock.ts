// A small stand-in for the server while the page is developed (`npm run dev`). Never shipped.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { fixedText, parseFixed, MONEY_SCALE, USAGE_SCALE } from '../src/lib/fixed';
import { charges, ESTATE, type Charge } from './estate';

interface Query {
  measures: string[];
  by?: string[];
  grain?: string;
  from?: string;
  to?: string;
  where?: { dimension: string; not?: boolean; values: string[] }[];
  top?: number;
  basis?: string;
}
const RULES = new Set([
  'driver',
  'stage',
  'ai_class',
  'team',
  'project',
  'use_case',
  'model',
  'environment',
  'workload',
]);
const scale = (measure: string) =>
  measure === 'usage' ? USAGE_SCALE : measure === 'charges' ? 0 : MONEY_SCALE;
let data: Charge[] | undefined;
const all = () => (data ??= process.env['FLYBALL_MOCK'] === 'empty' ? [] : charges());
const valueOf = (charge: Charge, dimension: string) =>
  charge[dimension] || (RULES.has(dimension) ? '(unallocated)' : '(none)');
const monday = (day: string) => {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
};

function matches(charge: Charge, query: Query): boolean {
  if (query.from && charge.day < query.from.slice(0, 10)) return false;
  if (query.to && charge.day >= query.to.slice(0, 10)) return false;
  return (query.where ?? []).every(
    (f) => f.values.includes(valueOf(charge, f.dimension)) !== Boolean(f.not),
  );
}
function answer(query: Query) {
  const by = [...(query.by ?? [])];
  if (query.measures.includes('usage') && !by.includes('unit')) by.push('unit');
  const basis = `${query.basis ?? 'effective'}_cost`;
  const groups = new Map<
    string,
    { keys: string[]; period: string; sums: bigint[]; rank: bigint }
  >();
  const ranks = new Map<string, bigint>();
  const chosen = all().filter((charge) => matches(charge, query));
  for (const charge of chosen) {
    const key = by.map((d) => valueOf(charge, d)).join('\u0000');
    ranks.set(key, (ranks.get(key) ?? 0n) + parseFixed(charge[basis]));
  }
  const kept = query.top
    ? new Set(
        [...ranks]
          .sort((a, b) => (a[1] < b[1] ? 1 : -1))
          .slice(0, query.top)
          .map((r) => r[0]),
      )
    : undefined;
  for (const charge of chosen) {
    const period =
      query.grain === 'month'
        ? charge.day.slice(0, 7)
        : query.grain === 'week'
          ? monday(charge.day)
          : query.grain === 'day'
            ? charge.day
            : '';
    let keys = by.map((d) => valueOf(charge, d));
    if (kept && !kept.has(keys.join('\u0000'))) keys = keys.map(() => '(other)');
    const id = period + '\u0000' + keys.join('\u0000');
    const group = groups.get(id) ?? { keys, period, sums: query.measures.map(() => 0n), rank: 0n };
    query.measures.forEach(
      (m, i) => (group.sums[i]! += m === 'charges' ? 1n : parseFixed(charge[m], scale(m))),
    );
    group.rank += parseFixed(charge[basis]);
    groups.set(id, group);
  }
  const sorted = [...groups.values()].sort((a, b) =>
    a.period < b.period ? -1 : a.period > b.period ? 1 : a.rank > b.rank ? -1 : 1,
  );
  const totals = Object.fromEntries(
    query.measures.map((m, i) => [
      m,
      fixedText(
        sorted.reduce((s, g) => s + g.sums[i]!, 0n),
        scale(m),
      ),
    ]),
  );
  return {
    rows: sorted.map((g) => ({
      ...(query.grain && query.grain !== 'none' ? { period: g.period } : {}),
      ...Object.fromEntries(by.map((d, i) => [d, g.keys[i]])),
      ...Object.fromEntries(query.measures.map((m, i) => [m, fixedText(g.sums[i]!, scale(m))])),
    })),
    totals,
    totals_by_currency: sorted.length ? { USD: totals } : {},
    commit: '9f3a61c20b7d4e18',
    query_hash: 'a1b2c3d4'.repeat(8),
    currency: sorted.length ? 'USD' : null,
    read_from: 'cube',
  };
}
function rows(query: Query, offset: number, limit: number) {
  const chosen = all()
    .filter((charge) => matches(charge, query))
    .reverse();
  const columns: [string, (c: Charge) => string | null][] = [
    ['ChargePeriodStart', (c) => `${c.day}T00:00:00Z`],
    ['ChargePeriodEnd', (c) => `${c.day}T23:59:59Z`],
    ['ServiceProviderName', (c) => c['provider']!],
    ['ServiceName', (c) => c['service']!],
    ['ResourceId', (c) => c['resource']!],
    ['SkuId', (c) => c['sku']!],
    ['RegionId', (c) => c['region']!],
    ['ChargeCategory', (c) => c['charge_category']!],
    ['ConsumedQuantity', (c) => c['usage']!],
    ['ConsumedUnit', (c) => c['unit']!],
    ['BillingCurrency', (c) => c['currency']!],
    ['ListCost', (c) => c['list_cost']!],
    ['EffectiveCost', (c) => c['effective_cost']!],
    ['BilledCost', (c) => c['billed_cost']!],
    ['team', (c) => c['team'] || null],
    ['driver', (c) => c['driver']!],
    ['stage', (c) => c['stage']!],
    ['model', (c) => c['model'] || null],
    ['x_Confidence', () => 'final'],
    [
      'x_Lineage',
      (c) => (c['source'] === 'aws' ? 'HostProviderName=derived;ListCost=assumed' : null),
    ],
    ['x_SourceFile', (c) => `${c['source']}-2026.csv.gz`],
    ['x_SourceLine', (c) => c['line']!],
  ];
  return {
    columns: columns.map((c) => c[0]),
    rows: chosen.slice(offset, offset + limit).map((charge) => columns.map((c) => c[1](charge))),
    total: chosen.length,
    commit: '9f3a61c20b7d4e18',
  };
}

const REPORT = {
  commit: '0c11d7e90b7d4e18',
  source: 'focus_sample',
  focus_version: '1.0',
  rows_in: 1000,
  rows_kept: 998,
  rows_quarantined: 2,
  billed_cost: {
    in: '20.5202271893422',
    kept: '20.518227189342',
    quarantined: '0.002',
    residue: '0.0000000000002',
  },
  repairs: {
    date_format: 1000,
    null_text: 412,
    allowed_value_case: 38,
    missing_contracted_cost: 7,
  },
  quarantine: [
    { line: 118, reason: 'BilledCost: "n/a" is not a decimal' },
    { line: 640, reason: 'ChargePeriodStart: empty' },
  ],
  unchanged: false,
};

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

export function mockApi(): Plugin {
  const streams = new Set<ServerResponse>();
  return {
    name: 'flyball-mock',
    apply: 'serve',
    configureServer(server) {
      if (process.env['FLYBALL_API']) {
        return; // use `server.proxy` through FLYBALL_API instead
      }
      server.middlewares.use('/api/v1', (request, response) => {
        const path = (request.url ?? '').split('?')[0];
        const json = (value: unknown, status = 200) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify(value));
        };
        void (async () => {
          if (path === '/health')
            return json({ status: 'ok', version: '0.1.0', commit: '9f3a61c20b7d4e18' });
          if (path === '/estate') return json(ESTATE);
          if (path === '/commits')
            return json({
              commits: all().length
                ? ESTATE.sources.map((s, i) => ({
                    sequence: i + 1,
                    id: `9f3a61c20b7d4e1${i}`,
                    kind: 'import',
                    source: s.name,
                    author: 'mira',
                    time: new Date(Date.now() - (11 - i) * 3_700_000).toISOString(),
                    rows: 41250 + 3 * i,
                  }))
                : [],
            });
          if (path === '/events') {
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            response.write(': hello\n\n');
            streams.add(response);
            request.on('close', () => streams.delete(response));
            return;
          }
          if (path === '/query') {
            const asked = JSON.parse(await body(request)) as { queries?: Query[] } & Query;
            return json(asked.queries ? { answers: asked.queries.map(answer) } : answer(asked));
          }
          if (path === '/rows') {
            const asked = JSON.parse(await body(request)) as {
              query: Query;
              offset: number;
              limit: number;
            };
            return json(rows(asked.query, asked.offset, asked.limit));
          }
          if (path === '/imports') {
            await body(request);
            if (!request.headers.authorization)
              return json({ error: { message: 'the token is missing', hint: '' } }, 401);
            json(REPORT);
            for (const stream of streams)
              stream.write(
                'event: commit\ndata: {"id":"0c11","source":"aws","kind":"import","rows":1000}\n\n',
              );
            return;
          }
          return json({ error: { message: 'no such path' } }, 404);
        })();
      });
    },
  };
}
