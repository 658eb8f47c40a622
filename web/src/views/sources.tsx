// Where the charges come from, how fresh they are, and the last commits.
import { ago, dayName, instantName, integer, money, monthName, t } from '../i18n';
import { compare } from '../lib/fixed';
import { commits, estate, useAnswer } from '../lib/data';
import { query, useScope } from '../lib/scope';
import { addMonths, monthStart } from '../lib/period';
import { drill } from '../lib/state';
import { sumBy } from '../lib/analysis';
import { valueName } from '../lib/names';
import type { Commit } from '../lib/api';
import { Link } from '../parts/basics';
import { Figure } from '../parts/figure';

const COMMITS_SHOWN = 8;

export function Sources() {
  const scope = useScope();
  const words = t.value.sources;
  const q = query(scope, scope.period, { by: ['source'] });
  const asked = useAnswer(q);
  // The newest charge of each source, over the last three months of the ledger: older than that is not fresh.
  const freshQuery = query(scope, undefined, {
    measures: ['charges'],
    by: ['source'],
    grain: 'day',
    from: monthStart(addMonths(scope.lastDay.slice(0, 7), -2)),
  });
  const fresh = useAnswer(freshQuery);
  const cost = sumBy(asked.answer?.rows ?? [], 'source', scope.measure);
  const until = new Map<string, string>();
  for (const row of fresh.answer?.rows ?? []) {
    const source = row['source'] ?? '';
    if ((row['period'] ?? '') > (until.get(source) ?? '')) until.set(source, row['period']!);
  }
  const last = new Map<string, Commit>();
  for (const commit of commits.value ?? [])
    if (commit.source && !last.has(commit.source)) last.set(commit.source, commit);
  const names = [
    ...new Set([
      ...cost.keys(),
      ...until.keys(),
      ...(estate.value?.sources.map((s) => s.name) ?? []),
      ...last.keys(),
    ]),
  ]
    .filter((name) => name && name !== '(none)')
    .sort((a, b) => compare(cost.get(b) ?? 0n, cost.get(a) ?? 0n) || (a < b ? -1 : 1));
  const now = Date.now();
  const newest = [...until.values()].sort().at(-1);
  const link = (name: string) => drill([{ dimension: 'source', values: [name] }]);
  const imported = (name: string) => {
    const commit = last.get(name);
    return commit ? ago(commit.time, now) : words.never;
  };
  return (
    <div class="pair uneven">
      <Figure
        title={words.title}
        asked={[asked, fresh]}
        queries={[q, freshQuery]}
        minHeight={220}
        empty={names.length === 0}
        summary={newest ? words.summary(names.length, dayName(newest)) : undefined}
      >
        <table class="data cards">
          <caption class="sr-only">{words.title}</caption>
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col" class="number">
                {words.cost}
              </th>
              <th scope="col">{words.dataUntil}</th>
              <th scope="col">{words.lastImport}</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr>
                <th scope="row">
                  <Link to={link(name)}>{valueName('source', name)}</Link>
                </th>
                <td class="number" data-label={words.cost}>
                  <Link to={link(name)} class="figure-link">
                    {money(cost.get(name) ?? 0n, scope.currency)}
                  </Link>
                </td>
                <td data-label={words.dataUntil}>
                  {until.has(name) ? dayName(until.get(name)!) : words.never}
                </td>
                <td data-label={words.lastImport} class="soft">
                  {imported(name)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Figure>
      <Commits now={now} />
    </div>
  );
}

function Commits({ now }: { now: number }) {
  const words = t.value.commits;
  const title = (commit: Commit) =>
    commit.kind === 'import'
      ? words.import(valueName('source', commit.source))
      : commit.kind === 'classify'
        ? words.classify
        : words.compact;
  return (
    <section class="figure commits" aria-labelledby="commits-title">
      <header class="figure-head">
        <div class="figure-title">
          <h2 id="commits-title">{words.title}</h2>
        </div>
        <p class="summary">{words.asOf}</p>
      </header>
      <ol class="timeline">
        {(commits.value ?? []).slice(0, COMMITS_SHOWN).map((commit) => (
          <li>
            <span class={`dot ${commit.kind}`} aria-hidden="true" />
            <div>
              <strong>{title(commit)}</strong>
              {commit.kind === 'import' && commit.periods.length > 0 && (
                <span class="soft"> · {monthsText(commit.periods)}</span>
              )}
              <p class="soft small">
                <code>{commit.id.slice(0, 8)}</code>
                {commit.rows !== undefined &&
                  commit.kind === 'import' &&
                  ` · ${words.rows(integer(commit.rows), commit.rows)}`}
                {commit.kind === 'import' && commit.replaces && ` · ${words.replaces}`}
                {commit.author && ` · ${words.by(commit.author)}`}
                {' · '}
                <time dateTime={commit.time} title={instantName(commit.time)}>
                  {ago(commit.time, now)}
                </time>
              </p>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

const monthsText = (months: string[]): string =>
  months.length === 1
    ? monthName(months[0]!)
    : t.value.period.range(monthName(months[0]!), monthName(months.at(-1)!));
