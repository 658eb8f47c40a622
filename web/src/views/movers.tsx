// What moved most from the period before, and why.
import { dimensionName, money, percent, t } from '../i18n';
import { abs, max, ratio, size } from '../lib/fixed';
import { useAnswer } from '../lib/data';
import { periodText, query, reachesBack, useScope } from '../lib/scope';
import { drill } from '../lib/state';
import { movers, OTHER, reasonOf, UNALLOCATED, type Mover, type Reason } from '../lib/analysis';
import { valueName } from '../lib/names';
import { narrow, type Filter } from '../lib/where';
import { Delta, Help, Link } from '../parts/basics';
import { Figure } from '../parts/figure';
import { noComparison } from './hero';

const COLUMNS = ['team', 'service', 'model'];
const SHOWN = 10;
/** Lines that are compared; beyond them lies what is too small to be a top mover. */
const LINES = 2000;

export function Movers() {
  const scope = useScope();
  const words = t.value.movers;
  const q = [scope.before, scope.period].map((period) =>
    query(scope, period, { by: COLUMNS, top: LINES }),
  );
  const before = useAnswer(q[0]);
  const now = useAnswer(q[1]);
  const ready = before.answer && now.answer;
  const list = ready
    ? movers(before.answer!.rows, now.answer!.rows, COLUMNS, scope.measure, SHOWN)
    : [];

  // Usage is asked only for what is shown: by unit it has many more rows.
  const few: Filter[] = COLUMNS.map((dimension, i) => ({
    dimension,
    values: [...new Set(list.map((mover) => mover.key[i]!))],
  }));
  const usable = list.length > 0 && list.every((mover) => !mover.key.includes(OTHER));
  const detail = [scope.before, scope.period].map((period) =>
    usable
      ? query(scope, period, {
          measures: [scope.measure, 'usage'],
          by: [...COLUMNS, 'unit'],
          where: narrow(
            scope.where,
            few.filter((f) => !scope.where.some((w) => w.dimension === f.dimension)),
          ),
        })
      : undefined,
  );
  const usageBefore = useAnswer(detail[0]);
  const usageNow = useAnswer(detail[1]);
  const reasons = new Map<Mover, Reason>();
  if (usageBefore.answer && usageNow.answer) {
    for (const mover of list)
      reasons.set(
        mover,
        reasonOf(mover, usageBefore.answer.rows, usageNow.answer.rows, COLUMNS, scope.measure),
      );
  }

  const name = (mover: Mover) =>
    mover.key
      .map((value, i) => (value === UNALLOCATED && i === 2 ? '' : valueName(COLUMNS[i]!, value)))
      .filter(Boolean)
      .join(' · ');
  const link = (mover: Mover) =>
    drill(COLUMNS.flatMap((dimension, i) => [{ dimension, values: [mover.key[i]!] }]));
  const widest = list.reduce((m, mover) => max(m, abs(mover.delta)), 1n);
  const first = list[0];
  // With nothing before, everything would be “new”.
  const alone = !reachesBack(scope, scope.before) || before.answer?.rows.length === 0;
  return (
    <Figure
      title={words.title}
      class="movers"
      asked={[before, now]}
      queries={q}
      minHeight={380}
      empty={alone}
      emptyText={noComparison(scope, scope.before)}
      summary={
        alone
          ? undefined
          : first
            ? words.summary(list.length, name(first), money(first.delta, scope.currency, 'always'))
            : words.steady
      }
      help={<Help label={t.value.kpi.explain(words.reason)}>{words.reasonHelp}</Help>}
      table={{
        head: [...COLUMNS.map(dimensionName), words.before, words.now, words.change],
        numbersFrom: 3,
        rows: list.map((mover) => [
          ...mover.key.map((value, i) => valueName(COLUMNS[i]!, value)),
          money(mover.before, scope.currency),
          money(mover.now, scope.currency),
          { text: money(mover.delta, scope.currency, 'always'), to: link(mover) },
        ]),
      }}
    >
      <table class="data cards">
        <caption class="sr-only">{words.title}</caption>
        <thead>
          <tr>
            <th scope="col">{words.what}</th>
            <th scope="col" class="number">
              {words.before}
            </th>
            <th scope="col" class="number">
              {words.now}
            </th>
            <th scope="col" class="number">
              {words.change}
            </th>
            <th scope="col" class="bar-column">
              <span class="sr-only">{words.change}</span>
            </th>
            <th scope="col">{words.reason}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((mover) => (
            <tr>
              <th scope="row">
                <Link to={link(mover)} class="two-lines">
                  <strong>{valueName('service', mover.key[1]!)}</strong>
                  <span class="soft">
                    {valueName('team', mover.key[0]!)}
                    {mover.key[2] !== UNALLOCATED && ` · ${valueName('model', mover.key[2]!)}`}
                  </span>
                </Link>
              </th>
              <td class="number" data-label={words.before}>
                <Link to={{ ...link(mover), period: periodText(scope.before) }} class="figure-link">
                  {money(mover.before, scope.currency)}
                </Link>
              </td>
              <td class="number" data-label={words.now}>
                <Link to={link(mover)} class="figure-link">
                  {money(mover.now, scope.currency)}
                </Link>
              </td>
              <td class="number" data-label={words.change}>
                <Delta value={mover.delta} currency={scope.currency} base={mover.before} />
              </td>
              <td class="bar-column" aria-hidden="true">
                <DivergingBar value={mover.delta} widest={widest} />
              </td>
              <td data-label={words.reason}>
                <ReasonText reason={reasons.get(mover)} currency={scope.currency} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Figure>
  );
}

export function DivergingBar({ value, widest }: { value: bigint; widest: bigint }) {
  const part = (size(abs(value)) / (size(widest) || 1)) * 50;
  const side = value < 0n ? { right: '50%' } : { left: '50%' };
  return (
    <span class="diverging">
      <i class={value < 0n ? 'down' : 'up'} style={{ ...side, width: `max(1px, ${part}%)` }} />
    </span>
  );
}

function ReasonText({ reason, currency }: { reason: Reason | undefined; currency: string }) {
  const words = t.value.movers;
  if (!reason) return <span class="soft">…</span>;
  if (reason.kind === 'new') return <span class="tag-word new">{words.isNew}</span>;
  if (reason.kind === 'gone') return <span class="tag-word">{words.gone}</span>;
  if (reason.kind !== 'split') return <span class="soft">{words[reason.kind]}</span>;
  const parts: [bigint, string][] = [
    [
      reason.usage,
      words.usageUp(percent(reason.usageShare, 'always'), money(reason.usage, currency, 'always')),
    ],
    [
      reason.price,
      words.price(percent(reason.priceShare, 'always'), money(reason.price, currency, 'always')),
    ],
  ];
  const whole = abs(reason.usage) + abs(reason.price);
  const told = parts
    .filter(([amount]) => amount !== 0n && ratio(abs(amount), whole) >= 0.03)
    .sort((a, b) => (abs(a[0]) > abs(b[0]) ? -1 : 1));
  return (
    <span class="reason">
      {told.map(([, text]) => (
        <span>{text}</span>
      ))}
      <em>{words.estimate}</em>
    </span>
  );
}
