// The register of AI initiatives, each with what it costs against what it may cost.
import { useState } from 'preact/hooks';
import { money, percent, t } from '../i18n';
import { compare, parseFixed, ratio } from '../lib/fixed';
import { estate, useAnswer } from '../lib/data';
import { isMonthly, query, useScope } from '../lib/scope';
import { drill } from '../lib/state';
import { sumBy } from '../lib/analysis';
import { valueName } from '../lib/names';
import type { UseCase } from '../lib/api';
import { Link } from '../parts/basics';
import { Figure } from '../parts/figure';

const SHOWN = 10;

export function UseCases() {
  const scope = useScope();
  const words = t.value.useCases;
  const [all, setAll] = useState(false);
  const q = query(scope, scope.period, { by: ['use_case'] });
  const asked = useAnswer(q);
  const register = estate.value?.use_cases ?? [];
  const cost = sumBy(asked.answer?.rows ?? [], 'use_case', scope.measure);
  // Targets are stated in the currency of the estate: against another one there is nothing to compare.
  const comparable = scope.currency === estate.value?.currency;
  const target = (useCase: UseCase) =>
    comparable && useCase.target_cost ? parseFixed(useCase.target_cost) : undefined;
  const rows = register
    .map((useCase) => ({ useCase, cost: cost.get(useCase.id) ?? 0n, target: target(useCase) }))
    .sort((a, b) => compare(b.cost, a.cost));
  const monthly = isMonthly(scope);
  const over = rows.filter((row) => row.target !== undefined && row.cost > row.target).length;
  const shown = all ? rows : rows.slice(0, SHOWN);
  const costHead = monthly ? words.cost : t.value.explore.column.cost;
  const link = (id: string) => drill([{ dimension: 'use_case', values: [id] }]);
  return (
    <Figure
      title={words.title}
      class="use-cases"
      asked={[asked]}
      queries={[q]}
      minHeight={200}
      summary={rows.length ? words.summary(rows.length, monthly ? over : undefined) : words.empty}
      note={scope.partial && rows.length > 0 && <p class="soft small">{words.prorated}</p>}
      table={
        rows.length
          ? {
              head: [words.name, words.owner, words.stage, words.status, costHead, words.target],
              numbersFrom: 4,
              rows: rows.map(({ useCase, cost, target }) => [
                { text: useCase.name, to: link(useCase.id) },
                `${useCase.owner} · ${valueName('team', useCase.team)}`,
                valueName('stage', useCase.stage),
                valueName('status', useCase.status),
                money(cost, scope.currency),
                target === undefined ? '–' : words.monthly(money(target, scope.currency)),
              ]),
            }
          : undefined
      }
    >
      {rows.length > 0 && (
        <>
          <table class="data cards">
            <caption class="sr-only">{words.title}</caption>
            <thead>
              <tr>
                <th scope="col">{words.name}</th>
                <th scope="col">{words.owner}</th>
                <th scope="col">{words.stage}</th>
                <th scope="col">{words.status}</th>
                <th scope="col" class="number">
                  {costHead}
                </th>
                <th scope="col" class="bullet-column">
                  {monthly ? words.against : words.target}
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ useCase, cost, target }) => (
                <tr>
                  <th scope="row">
                    <Link to={link(useCase.id)} class="two-lines">
                      <strong>{useCase.name}</strong>
                      {useCase.objective && <span class="soft">{useCase.objective}</span>}
                    </Link>
                  </th>
                  <td data-label={words.owner}>
                    <span class="two-lines">
                      <span>{useCase.owner || '–'}</span>
                      <span class="soft">{useCase.team && valueName('team', useCase.team)}</span>
                    </span>
                  </td>
                  <td data-label={words.stage}>
                    {useCase.stage ? valueName('stage', useCase.stage) : '–'}
                  </td>
                  <td data-label={words.status}>
                    <Status useCase={useCase} />
                  </td>
                  <td class="number" data-label={costHead}>
                    <Link to={link(useCase.id)} class="figure-link">
                      {money(cost, scope.currency)}
                    </Link>
                  </td>
                  <td class="bullet-column" data-label={words.against}>
                    {monthly || target === undefined ? (
                      <Bullet cost={cost} target={target} currency={scope.currency} />
                    ) : (
                      words.monthly(money(target, scope.currency))
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {rows.length > SHOWN && (
            <button type="button" class="button quiet" onClick={() => setAll(!all)}>
              {all ? words.showLess : words.showAll(rows.length)}
            </button>
          )}
        </>
      )}
    </Figure>
  );
}

/** A status as a word with a shape of its own. */
function Status({ useCase }: { useCase: UseCase }) {
  const shapes: Record<string, string> = {
    proposed: 'M5 1.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7Z',
    running: 'M2.500 1.200 9 5 2.500 8.800Z',
    paused: 'M2 1.500h2v7H2ZM6 1.500h2v7H6Z',
    stopped: 'M1.500 1.500h7v7h-7Z',
  };
  const shape = shapes[useCase.status];
  return (
    <span class="two-lines">
      <span class={`status ${useCase.status}`}>
        {shape && (
          <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
            <path
              d={shape}
              fill={useCase.status === 'proposed' ? 'none' : 'currentColor'}
              stroke={useCase.status === 'proposed' ? 'currentColor' : 'none'}
              stroke-width="1.400"
            />
          </svg>
        )}
        {useCase.status ? valueName('status', useCase.status) : '–'}
      </span>
      {useCase.status_reason && <span class="soft">{useCase.status_reason}</span>}
    </span>
  );
}

/** Cost as a bar against a mark that is the target; twice the target is the end of the track. */
function Bullet({
  cost,
  target,
  currency,
}: {
  cost: bigint;
  target: bigint | undefined;
  currency: string;
}) {
  const words = t.value.useCases;
  if (target === undefined || target <= 0n) return <span class="soft">{words.noTarget}</span>;
  const part = ratio(cost, target);
  const over = cost > target;
  return (
    <span class={over ? 'bullet over' : 'bullet'}>
      <span class="bullet-track" aria-hidden="true">
        <i style={{ width: `${Math.max(0, Math.min(1, part / 1.5)) * 100}%` }} />
        <b />
      </span>
      <span class="bullet-text">
        {words.used(percent(part))}
        <span class="soft">
          {' '}
          {over ? words.over(money(cost - target, currency)) : `/ ${money(target, currency)}`}
        </span>
      </span>
    </span>
  );
}
