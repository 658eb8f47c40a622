// One source of bills: a line to look at, and behind it what is known in words.
import { useId, useState } from 'preact/hooks';
import {
  ago,
  dayName,
  dayShort,
  exactDecimal,
  instantName,
  integer,
  money,
  monthName,
  t,
} from '../i18n';
import { parseFixed } from '../lib/fixed';
import {
  heightsOf,
  lowestScore,
  runsOf,
  stripCurrency,
  troublesOf,
  wordKey,
  type Conformance,
  type Day,
  type DayState,
  type SourceHealth,
} from '../lib/health';
import { Icon } from '../parts/basics';
import { QuarantinePanel } from './quarantine';

const RUNS_SHOWN = 6;
const PERIODS_SHOWN = 14;

export function SourceItem({ source }: { source: SourceHealth }) {
  const troubles = troublesOf(source);
  const words = t.value.health;
  const id = useId();
  const [open, setOpen] = useState<'' | 'facts' | 'quarantine'>('');
  const toggle = (part: 'facts' | 'quarantine') => setOpen(open === part ? '' : part);
  const rows = source.quarantine.rows;
  return (
    <li class="health-item" data-source={source.name} data-troubles={troubles.join(' ')}>
      <div class="health-row">
        <div class="health-name">
          <h3>{source.title}</h3>
          <p class="soft small">
            {words.kinds[source.kind] ?? source.kind}
            {source.lastImport && ` · ${words.imported(ago(source.lastImport.time, Date.now()))}`}
          </p>
          {troubles.length > 0 && (
            <p class="health-troubles small">
              <Icon name="warn" />
              <span>{troubles.map((trouble) => words.trouble[trouble]).join(' · ')}</span>
            </p>
          )}
        </div>
        <Strip source={source} />
        <p class="health-fresh" data-label={words.freshness}>
          <Freshness source={source} />
        </p>
        <div class="health-score" data-label={words.score}>
          <Ring conformance={source.conformance} />
        </div>
        <div class="health-bad" data-label={words.quarantine}>
          {rows > 0 ? (
            <button
              type="button"
              class="button"
              aria-expanded={open === 'quarantine'}
              aria-controls={`${id}-more`}
              aria-label={words.openQuarantine(integer(rows), source.title, rows)}
              onClick={() => toggle('quarantine')}
            >
              {words.rows(integer(rows), rows)}
            </button>
          ) : (
            <span class="soft">{words.noRows}</span>
          )}
        </div>
        <button
          type="button"
          class="icon-button"
          aria-expanded={open === 'facts'}
          aria-controls={`${id}-more`}
          aria-label={words.details(source.title)}
          title={words.details(source.title)}
          onClick={() => toggle('facts')}
        >
          <Icon name="down" />
        </button>
      </div>
      {open && (
        <div class="health-more" id={`${id}-more`}>
          {open === 'quarantine' ? (
            <QuarantinePanel quarantine={source.quarantine} title={source.title} />
          ) : (
            <Facts source={source} />
          )}
        </div>
      )}
    </li>
  );
}

function Freshness({ source }: { source: SourceHealth }) {
  const words = t.value.health;
  if (!source.reaches) return <span class="soft">{words.nothingYet}</span>;
  return (
    <>
      <span class="nowrap">{dayName(source.reaches)}</span>
      <span class="soft small">{behindText(source.hoursBehind ?? 0)}</span>
    </>
  );
}

function behindText(hours: number): string {
  const words = t.value.health;
  if (hours === 0) return words.upToDate;
  const days = Math.floor(hours / 24);
  return days >= 3 ? words.daysBehind(integer(days), days) : words.hoursBehind(integer(hours), hours);
}

/** Each day a bar, which grows with the root of its cost, so that a dear day hides no others. What is missing is hollow, what is thin is hatched. */
function Strip({ source }: { source: SourceHealth }) {
  const words = t.value.health;
  const [at, setAt] = useState<number | undefined>(undefined);
  const currency = stripCurrency(source.days);
  const heights = heightsOf(source.days, currency);
  if (heights.every((height) => height === 0) && source.charges === 0)
    return <p class="strip-box soft small">{words.noDays}</p>;
  const shown = at === undefined ? undefined : source.days[at];
  const move = (event: KeyboardEvent) => {
    const last = source.days.length - 1;
    const steps: Record<string, number> = {
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      ArrowRight: Math.min(last, (at ?? -1) + 1),
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
  };
  return (
    <div class="strip-box">
      <div
        class="strip"
        role="slider"
        tabIndex={0}
        aria-label={words.strip(source.title)}
        aria-valuemin={0}
        aria-valuemax={source.days.length - 1}
        aria-valuenow={at ?? source.days.length - 1}
        aria-valuetext={shown ? dayText(shown) : stripText(source.days)}
        onKeyDown={move}
        onBlur={() => setAt(undefined)}
        onPointerLeave={() => setAt(undefined)}
      >
        {source.days.map((day, i) => (
          <i
            class={`day ${day.state}${i === at ? ' at' : ''}`}
            onPointerEnter={() => setAt(i)}
          >
            {(day.state === 'full' || day.state === 'thin') && (
              <b style={{ height: `${12 + Math.sqrt(heights[i]!) * 88}%` }} />
            )}
          </i>
        ))}
      </div>
      <p class="strip-read soft small" aria-hidden="true">
        {shown ? dayText(shown) : stripText(source.days)}
      </p>
    </div>
  );
}

function dayText(day: Day): string {
  const words = t.value.health;
  const parts = [dayName(day.day), words.dayState[day.state]];
  if (day.charges > 0) {
    parts.push(words.charges(integer(day.charges), day.charges));
    for (const [currency, sum] of Object.entries(day.billed))
      parts.push(money(parseFixed(sum), currency));
  }
  return parts.join(' · ');
}

function stripText(days: readonly Day[]): string {
  const words = t.value.health;
  const number = (state: DayState) => days.filter((day) => day.state === state).length;
  const full = number('full') + number('thin');
  if (full === 0) return words.noDays;
  const parts = [words.daysFull(integer(full), full)];
  if (number('gap') > 0) parts.push(words.daysGap(integer(number('gap')), number('gap')));
  if (number('thin') > 0) parts.push(words.daysThin(integer(number('thin')), number('thin')));
  return parts.join(' · ');
}

function Ring({ conformance }: { conformance: Conformance }) {
  const words = t.value.health;
  const score = lowestScore(conformance);
  if (!score) {
    return (
      <span class="soft small">{words.checkState[wordKey(conformance.state)] ?? conformance.state}</span>
    );
  }
  const share = Number(score.percent);
  const round = 2 * Math.PI * 13;
  return (
    <>
      <svg class="ring" width="34" height="34" viewBox="0 0 34 34" aria-hidden="true">
        <circle class="ring-track" cx="17" cy="17" r="13" />
        <circle
          class="ring-value"
          cx="17"
          cy="17"
          r="13"
          stroke-dasharray={`${(share / 100) * round} ${round}`}
        />
      </svg>
      <span class="ring-text">
        <strong>{scoreText(score.percent)}</strong>
        <span class="soft small">
          {conformance.scores.length > 1
            ? words.lowestOf(integer(conformance.scores.length))
            : words.focus(conformance.focus)}
        </span>
      </span>
    </>
  );
}

/** Cut, not rounded: what is not whole is never shown as 100 %. */
function scoreText(percent: string): string {
  const [whole = '0', fraction = ''] = percent.split('.');
  const tenth = fraction.slice(0, 1);
  return `${whole}${tenth && tenth !== '0' ? `.${tenth}` : Number(fraction) > 0 ? '.0' : ''} %`;
}

function Facts({ source }: { source: SourceHealth }) {
  const words = t.value.health;
  return (
    <div class="health-facts">
      <div>
        {source.sync && <Sync source={source} />}
        <h4>{words.lastImport}</h4>
        {source.lastImport ? (
          <p>
            <time dateTime={source.lastImport.time}>{instantName(source.lastImport.time)}</time>
            {source.lastImport.author && ` · ${source.lastImport.author}`}
            {' · '}
            {words.commit} <code>{source.lastImport.commit.slice(0, 8)}</code>
            {source.lastImport.files.length > 0 && (
              <span class="soft block">{source.lastImport.files.slice(0, 5).join(', ')}</span>
            )}
          </p>
        ) : (
          <p class="soft">{words.neverImported}</p>
        )}
        <h4>{words.inTheLedger}</h4>
        <p>
          {words.charges(integer(source.charges), source.charges)}
          {Object.entries(source.billed).map(([currency, sum]) => (
            <span class="block">
              {exactDecimal(parseFixed(sum))} {currency}
            </span>
          ))}
          {source.parts.length > 1 && (
            <span class="soft block">{words.parts(integer(source.parts.length))}</span>
          )}
        </p>
        <Missing days={source.days} state="gap" title={words.gapTitle} />
        <Missing days={source.days} state="thin" title={words.thinTitle} note={words.thinNote} />
      </div>
      <Periods source={source} />
      <Check conformance={source.conformance} />
    </div>
  );
}

function Sync({ source }: { source: SourceHealth }) {
  const words = t.value.health;
  const sync = source.sync!;
  return (
    <>
      <h4>{words.sync}</h4>
      {sync.state === 'never' ? (
        <p class="soft">
          {words.neverSynced} <code>flyball sync {source.name}</code>
        </p>
      ) : (
        <p>
          <span class={sync.state === 'failed' ? 'health-wrong' : ''}>
            {sync.state === 'failed' ? words.syncFailed : words.syncOk}
          </span>
          {' · '}
          <time dateTime={sync.time}>{instantName(sync.time)}</time>
          {sync.state === 'failed' && (
            <span class="soft block">
              {sync.succeeded ? words.lastSuccess(instantName(sync.succeeded)) : words.noSuccess}
            </span>
          )}
        </p>
      )}
      {sync.errors.length > 0 && (
        <ul class="health-errors">
          {sync.errors.map((error) => (
            <li lang="en">
              {error.message}
              {error.hint && <span class="soft block">{error.hint}</span>}
            </li>
          ))}
          {sync.errorsMore > 0 && <li class="soft">{words.moreErrors(integer(sync.errorsMore))}</li>}
        </ul>
      )}
    </>
  );
}

function Missing(props: { days: readonly Day[]; state: DayState; title: string; note?: string }) {
  const runs = runsOf(props.days, props.state);
  if (runs.length === 0) return null;
  const text = runs
    .slice(-RUNS_SHOWN)
    .map(([first, last]) =>
      first === last ? dayShort(first) : t.value.period.range(dayShort(first), dayShort(last)),
    );
  const more = runs.length - text.length;
  return (
    <>
      <h4>{props.title}</h4>
      <p>
        {more > 0 && '… '}
        {text.join(', ')}
        {props.note && <span class="soft block">{props.note}</span>}
      </p>
    </>
  );
}

function Periods({ source }: { source: SourceHealth }) {
  const words = t.value.health;
  return (
    <div>
      <h4>{words.periods}</h4>
      {source.periods.length === 0 ? (
        <p class="soft">{words.nothingYet}</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={words.periods}>
          <table class="data">
            <thead>
              <tr>
                <th scope="col">{words.period}</th>
                <th scope="col" class="number">
                  {words.billed}
                </th>
                <th scope="col">{words.status}</th>
              </tr>
            </thead>
            <tbody>
              {source.periods.slice(0, PERIODS_SHOWN).map((period) => (
                <tr>
                  <th scope="row">{monthName(period.period)}</th>
                  <td class="number">
                    {Object.entries(period.billed)
                      .map(([currency, sum]) => money(parseFixed(sum), currency))
                      .join(' + ')}
                  </td>
                  <td>{period.closed ? words.closed : words.open}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Check({ conformance }: { conformance: Conformance }) {
  const words = t.value.health;
  return (
    <div>
      <h4>{words.conformance}</h4>
      {conformance.state !== 'checked' ? (
        <p class="soft">
          {words.checkHelp[wordKey(conformance.state)] ?? ''}
          {conformance.reason && <span class="block">{conformance.reason}</span>}
        </p>
      ) : (
        <>
          <p class="soft">{words.executed(integer(conformance.executed), conformance.focus)}</p>
          <ul class="health-scores">
            {conformance.scores.map((score) => (
              <li>
                <span>{score.provider || words.noProvider}</span>
                <span class="number">{scoreText(score.percent)}</span>
              </li>
            ))}
          </ul>
          {conformance.broken.length > 0 && <Broken conformance={conformance} />}
        </>
      )}
    </div>
  );
}

function Broken({ conformance }: { conformance: Conformance }) {
  const words = t.value.health;
  const [all, setAll] = useState(false);
  const few = 4;
  const rules = all ? conformance.broken : conformance.broken.slice(0, few);
  return (
    <>
      <ul class="health-errors">
        {rules.map((rule) => (
          <li>
            <code>{rule.id}</code> <span class="soft">{words.rows(integer(rule.rows), rule.rows)}</span>
            <span class="block" lang="en">
              {rule.text}
            </span>
            {rule.remedy && <span class="soft block">{words.remedy(rule.remedy)}</span>}
          </li>
        ))}
      </ul>
      {conformance.broken.length > few && (
        <button type="button" class="button quiet" onClick={() => setAll(!all)}>
          {all ? words.fewer : words.allRules(integer(conformance.broken.length))}
        </button>
      )}
      {all && conformance.brokenMore > 0 && (
        <p class="soft">{words.moreRules(integer(conformance.brokenMore))}</p>
      )}
    </>
  );
}
