// The drill-down: the figure under the filters, the table by the next dimension, and the charges behind it.
import { useEffect, useState } from 'preact/hooks';
import { bucketName, dimensionName, integer, money, moneyParts, percent, t } from '../i18n';
import { abs, max, parseFixed, ratio, size, sum } from '../lib/fixed';
import { askRows, type CostQuery, type RowsPage } from '../lib/api';
import { generation, useAnswer } from '../lib/data';
import { periodText, query, reachesBack, useScope, type Scope } from '../lib/scope';
import { bucketPeriod, buckets, daysBetween, type Grain } from '../lib/period';
import { COST_MEASURES, drill, go, view } from '../lib/state';
import { bridgeSteps, filtersFor, layers, OTHER, ranked, sumBy } from '../lib/analysis';
import { filterText, valueName } from '../lib/names';
import { Delta, Link, Select } from '../parts/basics';
import { Figure, Problem, Waiting } from '../parts/figure';
import { BEYOND, paintOf, Swatch } from '../charts/paint';
import { Stack } from '../charts/stack';
import { RowsTable } from './rows';
import { dimensionOptions } from './hero';
import { headPeriod } from './toolbar';

/** The way down: each step is the next question about the same money. */
const LADDER = ['driver', 'service', 'team', 'model', 'sku', 'resource'];
const DIMENSIONS = [
  'driver',
  'stage',
  'ai_class',
  'team',
  'project',
  'use_case',
  'model',
  'environment',
  'workload',
  'provider',
  'service',
  'service_category',
  'account',
  'region',
  'sku',
  'resource',
  'charge_category',
  'pricing_category',
  'commitment_status',
  'unit',
  'confidence',
  'source',
];
const TABLE_ROWS = 50;
const LAYERS = 7;
const PAGE = 50;

/** The first dimension of the way down that is not settled yet by a filter on one value. */
export function nextDimension(where: Scope['where']): string {
  const settled = new Set(
    where.filter((f) => !f.not && f.values.length === 1).map((f) => f.dimension),
  );
  return LADDER.find((dimension) => !settled.has(dimension)) ?? 'resource';
}

export function Explore() {
  const scope = useScope();
  const words = t.value.explore;
  const { where, by } = view.value;
  const dimension = by || nextDimension(where);
  const nowQuery = query(scope, scope.period, { by: [dimension], top: TABLE_ROWS });
  const now = useAnswer(nowQuery);
  const beforeQuery = query(scope, scope.before, { by: [dimension], top: 500 });
  const before = useAnswer(beforeQuery);
  const totals = useAnswer(query(scope, scope.period, { measures: [...COST_MEASURES, 'charges'] }));
  const title = where.length
    ? where.map((f) => filterText(f, dimensionName(f.dimension))).join(' · ')
    : words.all;

  const nowSums = sumBy(now.answer?.rows ?? [], dimension, scope.measure);
  const whole = sum(nowSums.values());
  const beforeSums = sumBy(before.answer?.rows ?? [], dimension, scope.measure);
  const beforeWhole = sum(beforeSums.values());
  const parts = moneyParts(whole, scope.currency);
  const facts = totals.answer?.rows[0];
  const comparable = reachesBack(scope, scope.before) && beforeSums.size > 0;
  return (
    <div class="wrap explore">
      <section class="explore-head" aria-labelledby="explore-title">
        <h1 id="explore-title" class="eyebrow">
          {t.value.hero.headline(
            t.value.measure[scope.measure],
            headPeriod(scope.period.from, scope.period.to),
          )}
        </h1>
        <p class="explore-filters">{title}</p>
        {now.answer ? (
          <>
            <p class="big">
              <span data-figure="total">
                {parts.main}
                <small>{parts.minor}</small>
              </span>
            </p>
            <dl class="facts">
              {comparable && (
                <div>
                  <dt>{t.value.hero.vs(headPeriod(scope.before.from, scope.before.to))}</dt>
                  <dd>
                    <Delta
                      value={whole - beforeWhole}
                      currency={scope.currency}
                      base={beforeWhole}
                    />
                  </dd>
                </div>
              )}
              {COST_MEASURES.filter((m) => m !== scope.measure).map((m) => (
                <div>
                  <dt>{t.value.measure[m]}</dt>
                  <dd>{facts ? money(parseFixed(facts[m]), scope.currency) : '–'}</dd>
                </div>
              ))}
              <div>
                <dt>{t.value.measure.charges}</dt>
                <dd>{facts ? integer(BigInt(facts['charges'] ?? '0')) : '–'}</dd>
              </div>
            </dl>
          </>
        ) : now.error ? null : (
          <Waiting height={120} />
        )}
      </section>
      <Trend dimension={dimension} top={ranked(nowSums).map(([value]) => value)} />
      <Breakdown
        dimension={dimension}
        asked={[now, before]}
        queries={[nowQuery, beforeQuery]}
        nowSums={nowSums}
        beforeSums={beforeSums}
        comparable={comparable}
      />
      <Charges />
    </div>
  );
}

function grainOf(scope: Scope): Grain {
  const days = daysBetween(scope.period.from, scope.period.to);
  return days <= 62 ? 'day' : days <= 190 ? 'week' : 'month';
}

function Trend({ dimension, top }: { dimension: string; top: string[] }) {
  const scope = useScope();
  const words = t.value.explore;
  const grain = grainOf(scope);
  const q = query(scope, scope.period, { by: [dimension], grain, top: LAYERS });
  const asked = useAnswer(q);
  const names = buckets(scope.period.from, scope.period.to, grain);
  if (names.length < 2) return null;
  const parts = layers(asked.answer?.rows ?? [], dimension, scope.measure, names, LAYERS);
  const shown = parts.map((p) => p.value);
  const largest = parts[0];
  const rank = (value: string) => (top.includes(value) ? top.indexOf(value) : shown.indexOf(value));
  return (
    <Figure
      title={words.trend}
      asked={[asked]}
      queries={[q]}
      minHeight={240}
      empty={parts.length === 0}
      summary={
        largest &&
        t.value.spend.summary(
          bucketName(names[0]!, grain),
          bucketName(names.at(-1)!, grain),
          valueName(dimension, largest.value),
          percent(ratio(largest.total, sum(parts.map((p) => p.total)))),
        )
      }
      table={{
        head: [
          t.value.period.label,
          ...parts.map((p) => valueName(dimension, p.value)),
          t.value.figure.total,
        ],
        numbersFrom: 1,
        rows: names.map((name, i) => [
          {
            text: bucketName(name, grain),
            to: { page: 'explore', period: periodText(bucketPeriod(name, grain)), offset: 0 },
          },
          ...parts.map((p) => money(p.points[i]!, scope.currency)),
          money(sum(parts.map((p) => p.points[i]!)), scope.currency),
        ]),
      }}
    >
      <Stack
        title={words.trend}
        names={names}
        grain={grain}
        layers={parts}
        height={220}
        paint={(value) => paintOf(dimension, value, rank(value))}
        nameOf={(value) => valueName(dimension, value)}
        currency={scope.currency}
        onPick={(bucket, layer) => {
          const picked = bucketPeriod(names[bucket]!, grain);
          const from = picked.from < scope.period.from ? scope.period.from : picked.from;
          const to = picked.to > scope.period.to ? scope.period.to : picked.to;
          go(
            drill(layer === undefined ? [] : filtersFor(dimension, layer, shown), {
              period: periodText({ from, to }),
            }),
          );
        }}
      />
    </Figure>
  );
}

interface BreakdownProps {
  dimension: string;
  asked: ReturnType<typeof useAnswer>[];
  queries: CostQuery[];
  nowSums: Map<string, bigint>;
  beforeSums: Map<string, bigint>;
  comparable: boolean;
}

function Breakdown({ dimension, asked, queries, nowSums, beforeSums, comparable }: BreakdownProps) {
  const scope = useScope();
  const words = t.value.explore;
  const whole = sum(nowSums.values());
  const values = ranked(nowSums).map(([value]) => value);
  const shown = values.filter((value) => value !== OTHER);
  const steps = new Map(bridgeSteps(beforeSums, nowSums, 10_000).map((step) => [step.value, step]));
  const widest = [...nowSums.values()].reduce((m, v) => max(m, abs(v)), 1n);
  const ladder = LADDER.includes(dimension) ? LADDER : [...LADDER, dimension];
  const more = DIMENSIONS.filter((d) => !ladder.includes(d));
  const link = (value: string) => drill(filtersFor(dimension, value, shown));
  const first = shown[0];
  const ordered = [...shown, ...(nowSums.has(OTHER) ? [OTHER] : [])];
  return (
    <Figure
      title={words.brokenDownBy(dimensionName(dimension))}
      class="breakdown"
      asked={asked}
      queries={queries}
      minHeight={260}
      empty={ordered.length === 0}
      summary={
        first !== undefined
          ? words.breakdownSummary(
              valueName(dimension, first),
              money(nowSums.get(first)!, scope.currency),
              percent(ratio(nowSums.get(first)!, whole)),
            )
          : undefined
      }
      controls={
        <>
          <div class="segmented wide" role="group" aria-label={words.breakdown}>
            {ladder.map((d) => (
              <button
                type="button"
                aria-pressed={d === dimension}
                onClick={() => go({ by: d }, true)}
              >
                {dimensionName(d)}
              </button>
            ))}
          </div>
          <Select
            label={words.moreDimensions}
            value={''}
            options={[{ value: '', label: words.moreDimensions }, ...dimensionOptions(more)]}
            onChange={(next) => next && go({ by: next }, true)}
          />
        </>
      }
      table={{
        head: [
          dimensionName(dimension),
          words.column.cost,
          words.column.share,
          words.column.before,
          words.column.change,
        ],
        numbersFrom: 1,
        rows: ordered.map((value) => [
          { text: valueName(dimension, value), to: link(value) },
          money(nowSums.get(value)!, scope.currency),
          percent(ratio(nowSums.get(value)!, whole)),
          money(beforeSums.get(value) ?? 0n, scope.currency),
          money(steps.get(value)?.delta ?? 0n, scope.currency, 'always'),
        ]),
        foot: [
          t.value.figure.total,
          money(whole, scope.currency),
          '',
          money(sum(beforeSums.values()), scope.currency),
          '',
        ],
      }}
    >
      <table class="data cards bars">
        <caption class="sr-only">{words.breakdown}</caption>
        <thead>
          <tr>
            <th scope="col">{dimensionName(dimension)}</th>
            <th scope="col" class="bar-column wide">
              <span class="sr-only">{words.column.share}</span>
            </th>
            <th scope="col" class="number">
              {words.column.cost}
            </th>
            <th scope="col" class="number">
              {words.column.share}
            </th>
            {comparable && (
              <th scope="col" class="number">
                {words.column.change}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {ordered.map((value, rank) => {
            const amount = nowSums.get(value)!;
            const old = beforeSums.get(value) ?? 0n;
            return (
              <tr>
                <th scope="row">
                  <Link to={link(value)}>
                    <Swatch paint={paintOf(dimension, value, rank < LAYERS ? rank : BEYOND)} />{' '}
                    {valueName(dimension, value)}
                  </Link>
                </th>
                <td class="bar-column wide" aria-hidden="true">
                  <span class="simple-bar">
                    <i
                      class={amount < 0n ? 'credit' : ''}
                      style={{ width: `${(size(abs(amount)) / (size(widest) || 1)) * 100}%` }}
                    />
                  </span>
                </td>
                <td class="number" data-label={words.column.cost}>
                  <Link to={link(value)} class="figure-link">
                    {money(amount, scope.currency)}
                  </Link>
                </td>
                <td class="number soft" data-label={words.column.share}>
                  {percent(ratio(amount, whole))}
                </td>
                {comparable && (
                  <td class="number" data-label={words.column.change}>
                    {value === OTHER ? (
                      ''
                    ) : (
                      <Delta value={amount - old} currency={scope.currency} base={old} />
                    )}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Figure>
  );
}

function Charges() {
  const scope = useScope();
  const words = t.value.explore;
  const { offset } = view.value;
  const q = query(scope, scope.period);
  const key = JSON.stringify([q, offset, generation.value]);
  const [state, set] = useState<{ key: string; page?: RowsPage; error?: unknown }>({ key: '' });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    askRows(q, offset, PAGE).then(
      (page) => current && set({ key, page }),
      (error: unknown) => current && set({ key, error }),
    );
    return () => {
      current = false;
    };
  }, [key, attempt]);
  const { page } = state;
  const last = page ? Math.min(offset + page.rows.length, page.total) : 0;
  return (
    <div class="figure charges" role="group" aria-labelledby="charges-title">
      <header class="figure-head">
        <div class="figure-title">
          <h2 id="charges-title">{words.rows}</h2>
        </div>
        <div class="figure-tools">
          {page && page.total > PAGE && (
            <div class="pager">
              <button
                type="button"
                class="button quiet"
                disabled={offset === 0}
                onClick={() => go({ offset: Math.max(0, offset - PAGE) }, true)}
              >
                {words.previousRows}
              </button>
              <span class="soft number">
                {words.rowsRange(integer(offset + 1), integer(last), integer(page.total))}
              </span>
              <button
                type="button"
                class="button quiet"
                disabled={last >= page.total}
                onClick={() => go({ offset: offset + PAGE }, true)}
              >
                {words.nextRows}
              </button>
            </div>
          )}
        </div>
        {page && <p class="summary">{words.rowsSummary(integer(page.total), page.total)}</p>}
      </header>
      {state.error ? (
        <Problem error={state.error} retry={() => setAttempt(attempt + 1)} />
      ) : !page ? (
        <Waiting height={300} />
      ) : page.rows.length === 0 ? (
        <p class="nothing">{words.rowsNone}</p>
      ) : (
        <div class={state.key === key ? '' : 'stale'}>
          <RowsTable page={page} offset={offset} />
        </div>
      )}
    </div>
  );
}
