// Spend over time, in layers of any dimension.
import { bucketName, dimensionName, money, moneyCompact, percent, t } from '../i18n';
import { ratio, sum } from '../lib/fixed';
import { useAnswer } from '../lib/data';
import { query, useScope, type Scope } from '../lib/scope';
import {
  addDays,
  addMonths,
  bucketPeriod,
  buckets,
  monthPeriod,
  wholeMonth,
  type Grain,
  type Period,
} from '../lib/period';
import { drill, go, view } from '../lib/state';
import { filtersFor, layers } from '../lib/analysis';
import { valueName } from '../lib/names';
import { Link, Segmented, Select } from '../parts/basics';
import { Figure } from '../parts/figure';
import { paintOf, Swatch } from '../charts/paint';
import { Stack } from '../charts/stack';
import { dimensionOptions, SERIES_DIMENSIONS } from './hero';

const LAYERS = 7;

/** How far back each grain looks: a year and a month, half a year, two months. */
function rangeOf(scope: Scope, grain: Grain): Period {
  const to = monthPeriod(scope.month).to;
  if (grain === 'month') return { from: monthPeriod(addMonths(scope.month, -12)).from, to };
  if (grain === 'week') return { from: buckets(addDays(to, -26 * 7), to, 'week')[0]!, to };
  return { from: monthPeriod(addMonths(scope.month, -1)).from, to };
}

export function Spend() {
  const scope = useScope();
  const words = t.value.spend;
  const { series: dimension } = view.value;
  const grain = view.value.grain || (scope.months.names.length < 4 ? 'day' : 'month');
  const range = rangeOf(scope, grain);
  const q = query(scope, range, { by: [dimension], grain, top: 40 });
  const asked = useAnswer(q);
  const end = addDays(scope.lastDay, 1);
  const first = asked.answer?.rows[0]?.['period'];
  // Nothing before the first charge, nothing after the last day of data.
  const names = buckets(range.from, range.to < end ? range.to : end, grain).filter(
    (name) => !first || name >= first,
  );
  const parts = layers(asked.answer?.rows ?? [], dimension, scope.measure, names, LAYERS);
  const shown = parts.map((part) => part.value);
  const whole = sum(parts.map((part) => part.total));
  const name = (value: string) => valueName(dimension, value);
  const paint = (value: string, rank: number) => paintOf(dimension, value, rank);
  const lastName = names.at(-1);
  const lastBucket = lastName ? bucketPeriod(lastName, grain) : undefined;
  const partialFrom =
    lastBucket && lastBucket.to > addDays(end, grain === 'month' ? 2 : 0)
      ? names.length - 1
      : undefined;
  const top = parts[0];
  const clip = (bucket: Period): string => {
    const from = bucket.from < range.from ? range.from : bucket.from;
    const month = wholeMonth(bucket);
    return month ? month : `${from}..${bucket.to}`;
  };
  const all = `${names[0] ? bucketPeriod(names[0], grain).from : range.from}..${range.to}`;
  return (
    <Figure
      title={words.title}
      class="spend"
      asked={[asked]}
      queries={[q]}
      minHeight={340}
      empty={parts.length === 0}
      summary={
        top && names.length > 0
          ? words.summary(
              bucketName(names[0]!, grain),
              bucketName(lastName!, grain),
              name(top.value),
              percent(ratio(top.total, whole)),
            )
          : undefined
      }
      controls={
        <>
          <Select
            label={words.by}
            value={dimension}
            options={dimensionOptions(SERIES_DIMENSIONS, dimension)}
            onChange={(next) => go({ series: next }, true)}
          />
          <Segmented
            label={words.grain}
            value={grain}
            options={(['month', 'week', 'day'] as const).map((g) => ({
              value: g as Grain,
              label: words[g],
            }))}
            onChange={(next) => go({ grain: next }, true)}
          />
        </>
      }
      table={{
        head: [
          dimensionName(dimension),
          ...names.map((n) => bucketName(n, grain)),
          t.value.figure.total,
        ],
        numbersFrom: 1,
        rows: parts.map((part) => [
          {
            text: name(part.value),
            to: drill(filtersFor(dimension, part.value, shown), { period: all }),
          },
          ...part.points.map((point) => money(point, scope.currency)),
          money(part.total, scope.currency),
        ]),
        foot: [
          t.value.figure.total,
          ...names.map((_, i) => money(sum(parts.map((p) => p.points[i]!)), scope.currency)),
          money(whole, scope.currency),
        ],
      }}
    >
      <div class="chart-and-legend">
        <Stack
          title={words.title}
          names={names}
          grain={grain}
          layers={parts}
          paint={paint}
          nameOf={name}
          currency={scope.currency}
          partialFrom={partialFrom}
          selected={grain === 'month' ? names.indexOf(scope.month) : undefined}
          onPick={(bucket, layer) =>
            go(
              drill(layer === undefined ? [] : filtersFor(dimension, layer, shown), {
                period: clip(bucketPeriod(names[bucket]!, grain)),
                by: layer === undefined ? dimension : '',
              }),
            )
          }
        />
        <ul class="legend">
          {[...parts.entries()].map(([rank, part]) => (
            <li>
              <Link to={drill(filtersFor(dimension, part.value, shown), { period: all })}>
                <Swatch paint={paint(part.value, rank)} />
                <span class="legend-name">{name(part.value)}</span>
                <span class="number">{moneyCompact(part.total, scope.currency)}</span>
                <span class="number soft">{percent(ratio(part.total, whole))}</span>
              </Link>
            </li>
          ))}
        </ul>
      </div>
    </Figure>
  );
}
