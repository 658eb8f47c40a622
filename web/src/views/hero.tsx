// The headline, the bridge and the key figures.
import type { ComponentChildren } from 'preact';
import { decimal, dimensionName, money, moneyParts, percent, percentDigits, t } from '../i18n';
import { abs, ratio, sum } from '../lib/fixed';
import { useAnswer, type Asked } from '../lib/data';
import { periodText, query, reachesBack, useScope, type Scope } from '../lib/scope';
import { addMonths, monthPeriod, type Period } from '../lib/period';
import { drill, go, view, type View } from '../lib/state';
import {
  bridgeSteps,
  CLOUD_DRIVERS,
  filtersFor,
  GENERATIVE,
  growthStory,
  MODEL_DRIVERS,
  sumBy,
  total,
  UNALLOCATED,
  type Story,
} from '../lib/analysis';
import { narrow } from '../lib/where';
import { valueName } from '../lib/names';
import { Delta, Help, Link, Segmented, Select } from '../parts/basics';
import { Figure, Problem, Waiting } from '../parts/figure';
import { Bridge } from '../charts/bridge';
import { Spark } from '../charts/spark';
import { headPeriod } from './toolbar';

export const SERIES_DIMENSIONS = [
  'driver',
  'ai_class',
  'stage',
  'team',
  'project',
  'use_case',
  'model',
  'environment',
  'provider',
  'service',
  'account',
  'source',
];
export const dimensionOptions = (dimensions: readonly string[], current?: string) =>
  [...new Set([...dimensions, ...(current ? [current] : [])])].map((d) => ({
    value: d,
    label: dimensionName(d),
  }));

export function Hero() {
  const scope = useScope();
  const now = useAnswer(query(scope, scope.period, { by: ['ai_class'] }));
  const before = useAnswer(query(scope, scope.before, { by: ['ai_class'] }));
  const year = useAnswer(query(scope, scope.yearBefore, { by: ['ai_class'] }));
  const words = t.value.hero;
  const failed = [now, before, year].find((asked) => asked.error);
  if (failed) return <Problem error={failed.error} retry={failed.retry} />;
  if (!now.answer || !before.answer || !year.answer) return <Waiting height={360} />;
  const value = total(now.answer, scope.measure);
  const beforeValue = total(before.answer, scope.measure);
  const gen = sumBy(now.answer.rows, 'ai_class', scope.measure).get(GENERATIVE) ?? 0n;
  const genBefore = sumBy(before.answer.rows, 'ai_class', scope.measure).get(GENERATIVE) ?? 0n;
  const parts = moneyParts(value, scope.currency);
  const story = growthStory(beforeValue, value, genBefore, gen);
  const stale = now.stale || before.stale || year.stale;
  const main = parts.main.length;
  const compared = reachesBack(scope, scope.before) && before.answer.rows.length > 0;
  return (
    <>
      <section class={stale ? 'hero stale' : 'hero'} aria-labelledby="headline">
        <div class="hero-main">
          <h1 id="headline" class="eyebrow">
            {words.headline(
              t.value.measure[scope.measure],
              headPeriod(scope.period.from, scope.period.to),
            )}
          </h1>
          <p class={main > 10 ? 'big long' : 'big'}>
            <Link
              to={drill([])}
              class="figure-link"
              label={t.value.figure.open(money(value, scope.currency))}
            >
              <span data-figure="total">
                {parts.main}
                <small>{parts.minor}</small>
              </span>
            </Link>
          </p>
          <dl class="versus">
            <Versus asked={before} period={scope.before} value={value} />
            <Versus asked={year} period={scope.yearBefore} value={value} />
          </dl>
          {compared && <p class="story">{storyText(story, scope.currency)}</p>}
        </div>
        <BridgeFigure />
      </section>
      <KeyFigures gen={gen} genBefore={compared ? genBefore : undefined} value={value} />
    </>
  );
}

/** Why there is nothing to compare with. */
export function noComparison(scope: Scope, period: Period): string {
  const words = t.value.hero;
  const name = headPeriod(period.from, period.to);
  return reachesBack(scope, period) ? words.noComparison(name) : words.tooEarly(name);
}

function Versus({ asked, period, value }: { asked: Asked; period: Period; value: bigint }) {
  const scope = useScope();
  const name = headPeriod(period.from, period.to);
  const old = total(asked.answer, scope.measure);
  return (
    <div>
      <dt>{t.value.hero.vs(name)}</dt>
      {reachesBack(scope, period) && asked.answer && asked.answer.rows.length > 0 ? (
        <dd>
          <Delta value={value - old} currency={scope.currency} base={old} />
          <Link to={drill([], { period: periodText(period) })} class="soft figure-link">
            {money(old, scope.currency)}
          </Link>
        </dd>
      ) : (
        <dd class="soft small">{noComparison(scope, period)}</dd>
      )}
    </div>
  );
}

function storyText(story: Story, currency: string): string {
  const words = t.value.hero.story;
  switch (story.kind) {
    case 'none':
    case 'flat':
      return words[story.kind];
    case 'growthShare':
    case 'fallShare':
      return words[story.kind](percent(story.share), money(story.delta, currency));
    default:
      return words[story.kind](money(story.delta, currency));
  }
}

function BridgeFigure() {
  const scope = useScope();
  const words = t.value.bridge;
  const { bridge: dimension, against } = view.value;
  const old = against === 'year' ? scope.yearBefore : scope.before;
  const queries = [
    query(scope, old, { by: [dimension] }),
    query(scope, scope.period, { by: [dimension] }),
  ];
  const asked = queries.map((q) => useAnswer(q));
  const [was, is] = asked.map((a) => sumBy(a.answer?.rows ?? [], dimension, scope.measure)) as [
    Map<string, bigint>,
    Map<string, bigint>,
  ];
  const steps = bridgeSteps(was, is, 6);
  const shown = steps.map((step) => step.value);
  const before = sum(was.values());
  const now = sum(is.values());
  const name = (value: string) => (value === '(other)' ? words.rest : valueName(dimension, value));
  const first = steps[0];
  const alone = !reachesBack(scope, old) || was.size === 0;
  const link = (value: string) => drill(filtersFor(dimension, value, shown));
  return (
    <Figure
      title={words.title}
      class="bridge-figure"
      asked={asked}
      queries={queries}
      minHeight={260}
      empty={is.size === 0 || alone}
      emptyText={noComparison(scope, old)}
      summary={
        first && !alone
          ? words.summary(
              headPeriod(old.from, old.to),
              headPeriod(scope.period.from, scope.period.to),
              name(first.value),
              money(first.delta, scope.currency, 'always'),
            )
          : undefined
      }
      controls={
        <>
          <Select
            label={words.by}
            value={dimension}
            options={dimensionOptions(SERIES_DIMENSIONS, dimension)}
            onChange={(next) => go({ bridge: next }, true)}
          />
          <Segmented
            label={words.against}
            value={against}
            options={[
              { value: 'month', label: t.value.hero.against.month },
              { value: 'year', label: t.value.hero.against.year },
            ]}
            onChange={(next) => go({ against: next }, true)}
          />
        </>
      }
      table={{
        head: [dimensionName(dimension), words.before, words.after, words.change],
        numbersFrom: 1,
        rows: steps.map((step) => [
          { text: name(step.value), to: link(step.value) },
          money(step.before, scope.currency),
          money(step.now, scope.currency),
          money(step.delta, scope.currency, 'always'),
        ]),
        foot: [
          words.total,
          money(before, scope.currency),
          money(now, scope.currency),
          money(now - before, scope.currency, 'always'),
        ],
      }}
    >
      <Bridge
        before={{
          name: headPeriod(old.from, old.to),
          value: before,
          to: drill([], { period: periodText(old) }),
        }}
        now={{ name: headPeriod(scope.period.from, scope.period.to), value: now, to: drill([]) }}
        steps={steps}
        nameOf={name}
        linkOf={link}
        currency={scope.currency}
      />
    </Figure>
  );
}

/** A share with one decimal, but for nothing and all. */
const share = (value: number): string =>
  value === 0 || value === 1 || !Number.isFinite(value) ? percent(value) : percentDigits(value, 1);

interface Tile {
  id: string;
  title: string;
  help: string;
  value: string;
  detail: ComponentChildren;
  to: Partial<View>;
  points: number[];
  /** The last point grows until the month is over; a ratio does not. */
  grows?: boolean;
  describe: (n: number) => string;
}

function KeyFigures({
  gen,
  genBefore,
  value,
}: {
  gen: bigint;
  genBefore: bigint | undefined;
  value: bigint;
}) {
  const scope = useScope();
  const words = t.value.kpi;
  const m = scope.measure;
  // A year and a month: the same month of last year is the first point.
  const span = {
    from: monthPeriod(addMonths(scope.month, -12)).from,
    to: monthPeriod(scope.month).to,
  };
  const usage = narrow(scope.where, [{ dimension: 'charge_category', values: ['Usage'] }]);
  const classes = useAnswer(query(scope, span, { by: ['ai_class'], grain: 'month' }));
  const drivers = useAnswer(query(scope, scope.period, { by: ['driver'] }));
  const driverTrend = useAnswer(query(scope, span, { by: ['driver'], grain: 'month' }));
  const savings = useAnswer(
    query(scope, scope.period, { measures: ['effective_cost', 'list_cost'], where: usage }),
  );
  const savingsTrend = useAnswer(
    query(scope, span, { measures: ['effective_cost', 'list_cost'], grain: 'month', where: usage }),
  );
  const teams = useAnswer(query(scope, scope.period, { by: ['team'] }));
  const nobody = [
    ...scope.where.filter((f) => f.dimension !== 'team'),
    { dimension: 'team', values: [UNALLOCATED] },
  ];
  const teamTrend = useAnswer(query(scope, span, { grain: 'month', where: nobody }));
  const asked = [classes, drivers, driverTrend, savings, savingsTrend, teams, teamTrend];
  const failed = asked.find((a) => a.error);
  if (failed) return <Problem error={failed.error} retry={failed.retry} />;
  if (asked.some((a) => !a.answer)) return <Waiting height={150} />;

  const names = Array.from({ length: 13 }, (_, i) => addMonths(scope.month, i - 12));
  const series = (
    a: Asked,
    measure: string,
    keep: (row: Record<string, string>) => boolean = () => true,
  ) => {
    const sums = sumBy(a.answer!.rows.filter(keep), 'period', measure);
    return names.map((name) => sums.get(name));
  };
  const divide = (over: (bigint | undefined)[], under: (bigint | undefined)[]) =>
    over.map((o, i) => (under[i] === undefined ? NaN : ratio(o ?? 0n, under[i]!)));
  const among = (list: string[]) => (row: Record<string, string>) =>
    list.includes(row['driver'] ?? '');
  const side = (list: string[]) =>
    sum(
      drivers
        .answer!.rows.filter(among(list))
        .map((row) => sumBy([row], 'driver', m).get(row['driver']!) ?? 0n),
    );

  const totals = series(classes, m);
  const cloud = side(CLOUD_DRIVERS);
  const model = side(MODEL_DRIVERS);
  const effective = total(savings.answer, 'effective_cost');
  const list = total(savings.answer, 'list_cost');
  const loose = sumBy(teams.answer!.rows, 'team', m).get(UNALLOCATED) ?? 0n;
  const cloudToModel = ratio(cloud, model);
  const rate = list === 0n ? NaN : ratio(list - effective, list);

  const tiles: Tile[] = [
    {
      id: 'genai',
      title: words.genai,
      help: words.genaiHelp,
      value: money(gen, scope.currency),
      detail: (
        <>
          {genBefore !== undefined && (
            <Delta value={gen - genBefore} currency={scope.currency} base={genBefore} />
          )}
          {value !== 0n && <span class="soft">{t.value.hero.of(percent(ratio(gen, value)))}</span>}
        </>
      ),
      to: drill(filtersFor('ai_class', GENERATIVE)),
      points: series(classes, m, (row) => row['ai_class'] === GENERATIVE).map((v, i) =>
        totals[i] === undefined ? NaN : Number((v ?? 0n) / 10n ** 10n) / 100,
      ),
      grows: true,
      describe: (n) => money(BigInt(Math.round(n * 100)) * 10n ** 10n, scope.currency),
    },
    {
      id: 'ratio',
      title: words.ratio,
      help: words.ratioHelp,
      value:
        model <= 0n || cloud < 0n
          ? '–'
          : words.ratioText(decimal(cloudToModel, cloudToModel < 10 ? 2 : 1)),
      detail: (
        <span class="soft">
          <Link to={drill([{ dimension: 'driver', values: CLOUD_DRIVERS }])} class="figure-link">
            {words.cloud} {money(cloud, scope.currency)}
          </Link>{' '}
          ·{' '}
          <Link to={drill([{ dimension: 'driver', values: MODEL_DRIVERS }])} class="figure-link">
            {words.model} {money(model, scope.currency)}
          </Link>
        </span>
      ),
      to: drill([{ dimension: 'driver', values: [...CLOUD_DRIVERS, ...MODEL_DRIVERS] }], {
        by: 'driver',
      }),
      points: divide(
        series(driverTrend, m, among(CLOUD_DRIVERS)),
        series(driverTrend, m, among(MODEL_DRIVERS)),
      ),
      describe: (n) => words.ratioText(decimal(n, 2)),
    },
    {
      id: 'savings',
      title: words.savings,
      help: words.savingsHelp,
      value: share(rate),
      detail: (
        <span class="soft">
          {savings.answer!.rows.length === 0
            ? t.value.figure.empty
            : list === 0n
              ? words.savingsNone
              : words.savingsSaved(money(list - effective, scope.currency))}
        </span>
      ),
      to: drill([{ dimension: 'charge_category', values: ['Usage'] }], { by: 'service' }),
      points: divide(series(savingsTrend, 'effective_cost'), series(savingsTrend, 'list_cost')).map(
        (v) => 1 - v,
      ),
      describe: share,
    },
    {
      id: 'unallocated',
      title: words.unallocated,
      help: words.unallocatedHelp,
      value: value === 0n ? '–' : share(ratio(loose, value)),
      detail: (
        <span class="soft">{words.unallocatedAmount(money(abs(loose), scope.currency))}</span>
      ),
      to: drill(filtersFor('team', UNALLOCATED), { by: 'service' }),
      points: divide(series(teamTrend, m), totals),
      describe: share,
    },
  ];
  return (
    <section class={asked.some((a) => a.stale) ? 'tiles stale' : 'tiles'} aria-label={words.label}>
      {tiles.map((tile) => (
        <TileView tile={tile} partial={scope.partial} />
      ))}
    </section>
  );
}

function TileView({ tile, partial }: { tile: Tile; partial: boolean }) {
  const known = tile.points.filter(Number.isFinite);
  const words = t.value.kpi;
  const label =
    known.length > 1
      ? words.trend(tile.title, tile.describe(known[0]!), tile.describe(known.at(-1)!))
      : tile.title;
  return (
    <div class="tile" data-kpi={tile.id}>
      <div class="tile-head">
        <h2>{tile.title}</h2>
        <Help label={words.explain(tile.title)}>{tile.help}</Help>
      </div>
      <p class="tile-value">
        <Link to={tile.to} class="figure-link" label={`${tile.title}: ${tile.value}`}>
          {tile.value}
        </Link>
      </p>
      <p class="tile-detail">{tile.detail}</p>
      <Spark points={tile.points} label={label} partial={Boolean(tile.grows && partial)} />
    </div>
  );
}
