// Data health: how far each source can be trusted, and how each month's invoices lead to the ledger.
import { integer, monthShort, t } from '../i18n';
import { useFetched } from '../lib/data';
import { getHealth, troublesOf, worstFirst, type Health } from '../lib/health';
import { CopyButton, Problem, Waiting } from '../parts/figure';
import { Icon } from '../parts/basics';
import { SourceItem } from './health-source';
import { MonthLadders } from './ladder';

export function HealthView() {
  const words = t.value.health;
  const { answer: health, error, retry } = useFetched('', getHealth);
  return (
    <div class="health">
      <header>
        <h1>{words.title}</h1>
        <p class="soft">{words.lead}</p>
      </header>
      {error !== undefined && <Problem error={error} retry={retry} />}
      {!health ? (
        error === undefined && <Waiting height={480} />
      ) : health.sources.length === 0 ? (
        <NoSources />
      ) : (
        <>
          <Sources health={health} />
          {health.months.length > 0 && <MonthLadders months={health.months} />}
        </>
      )}
    </div>
  );
}

function NoSources() {
  const words = t.value.health;
  const command = 'flyball import BILL.csv';
  return (
    <div class="health-none">
      <p>{words.noSources}</p>
      <div class="code-line">
        <code>{command}</code>
        <CopyButton text={command} />
      </div>
    </div>
  );
}

function Sources({ health }: { health: Health }) {
  const words = t.value.health;
  const sorted = worstFirst(health.sources);
  const wrong = sorted.filter((source) => troublesOf(source).length > 0).length;
  return (
    <section class="figure" aria-labelledby="health-sources">
      <header class="figure-head">
        <div class="figure-title">
          <h2 id="health-sources">{words.sources}</h2>
        </div>
        <p class={wrong > 0 ? 'summary health-wrong' : 'summary'}>
          <Icon name={wrong > 0 ? 'warn' : 'check'} />
          {wrong > 0
            ? words.someWrong(integer(wrong), integer(health.sources.length), wrong)
            : words.allWell(integer(health.sources.length), health.sources.length)}
        </p>
      </header>
      <Legend />
      <div class="health-head" aria-hidden="true">
        <span>{words.source}</span>
        <Months days={sorted[0]!.days.map((day) => day.day)} />
        <span>{words.freshness}</span>
        <span>{words.score}</span>
        <span>{words.quarantine}</span>
        <span />
      </div>
      <ul class="health-list">
        {sorted.map((source) => (
          <SourceItem key={source.name} source={source} />
        ))}
      </ul>
      {health.leftOff > 0 && <p class="soft">{words.leftOff(integer(health.leftOff))}</p>}
    </section>
  );
}

/** Where each month begins above the strips. */
function Months({ days }: { days: string[] }) {
  const starts = days
    .map((day, i) => ({ month: day.slice(0, 7), i }))
    .filter(({ month, i }) => i === 0 || month !== days[i - 1]!.slice(0, 7))
    // A month of which only a few days are shown has no room for its name.
    .filter(({ i }, n, all) => (all[n + 1]?.i ?? days.length) - i >= 6);
  return (
    <span class="strip-months">
      {starts.map(({ month, i }) => (
        <b style={{ left: `${(i / days.length) * 100}%` }}>{monthShort(month)}</b>
      ))}
    </span>
  );
}

function Legend() {
  const words = t.value.health;
  return (
    <p class="strip-legend soft small" aria-hidden="true">
      {(['full', 'thin', 'gap', 'none', 'after'] as const).map((state) => (
        <span>
          <i class={`day ${state}`}>{state === 'full' || state === 'thin' ? <b /> : null}</i>
          {words.dayState[state]}
        </span>
      ))}
    </p>
  );
}
