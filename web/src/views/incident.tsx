// One incident: what is at stake, who is behind it, what happened when, and what people say of it.
import { useEffect, useState } from 'preact/hooks';
import { decimal, estimate, instantName, money, percent, t } from '../i18n';
import { useFetched } from '../lib/data';
import { drill } from '../lib/state';
import {
  evidenceView,
  getAnomalies,
  isOver,
  narrowFirst,
  sayOfAnomaly,
  sayOfIncident,
  widestOf,
  withOne,
  type Anomaly,
  type Entry,
  type Incident,
  type IncidentWord,
} from '../lib/watch';
import { lastAnomaly, putIncident, refreshIncidents } from '../lib/watching';
import { CauseTree } from '../charts/cause-tree';
import { Link } from '../parts/basics';
import { commandOf, CopyButton, Problem, Waiting } from '../parts/figure';
import { useChanges, type Act } from '../parts/token-field';
import { actionText, atStake, duration, elementName, lossOf, titleOf } from './incident-words';
import { Fact, StateTag, when } from './incidents';

/** The anomalies of an incident: asked for when it gets another one, and kept true by the events. */
function useAnomalies(incident: Incident) {
  const asked = useFetched(`${incident.id} ${incident.anomalies.length}`, () =>
    getAnomalies(incident.id),
  );
  const [told, setTold] = useState<readonly Anomaly[]>([]);
  const last = lastAnomaly.value;
  useEffect(() => {
    if (last?.incident === incident.id) setTold((some) => withOne(some, last));
  }, [last]);
  const all = told.reduce(
    (some, one) => withOne(some, newer(some.find((each) => each.id === one.id), one)),
    asked.answer ?? [],
  );
  return { ...asked, all };
}
const newer = (known: Anomaly | undefined, told: Anomaly): Anomaly =>
  known && known.updated > told.updated ? known : told;

export function IncidentDetail({ incident }: { incident: Incident }) {
  const words = t.value.watch;
  const anomalies = useAnomalies(incident);
  const { act, refusal } = useChanges(words.tokenNeeded, anomalies.retry);
  const all = narrowFirst(anomalies.all);
  const widest = widestOf(all);
  return (
    <article class="incident-detail" data-incident={incident.id} data-state={incident.state}>
      <header>
        <StateTag incident={incident} />
        <h1>{titleOf(incident)}</h1>
      </header>
      <dl class="incident-facts large">
        <Fact name={words.atStake} mark={words.estimate} text={atStake(incident)} />
        <Fact
          name={words.lossPerHour}
          mark={words.estimate}
          text={incident.active ? lossOf(incident) : '–'}
        />
        <Fact name={words.began} text={instantName(incident.began, true)} more={when(incident.began)} />
        {incident.detectSeconds !== undefined && (
          <Fact name={words.detected} text={duration(incident.detectSeconds)} />
        )}
        {incident.resolveSeconds !== undefined && (
          <Fact name={words.resolvedAfter} text={duration(incident.resolveSeconds)} />
        )}
        <Fact name={words.owner} text={incident.owner || words.nobody} />
      </dl>
      <Words incident={incident} act={act} />
      {refusal}
      <div class="incident-parts">
        <section aria-labelledby="incident-causes">
          <h2 id="incident-causes">{words.causes}</h2>
          {widest ? (
            <>
              <CauseTree anomaly={widest} nameOf={elementName} />
              <p class="incident-action">
                <span class="soft small">{words.action}</span>
                {actionText(all[0]!)}
              </p>
            </>
          ) : (
            anomalies.error === undefined && <Waiting height={160} />
          )}
        </section>
        <section aria-labelledby="incident-timeline">
          <h2 id="incident-timeline">{words.timeline}</h2>
          <Timeline entries={incident.timeline} />
        </section>
      </div>
      <section aria-labelledby="incident-anomalies">
        <h2 id="incident-anomalies">{words.anomalies}</h2>
        {anomalies.error !== undefined && (
          <Problem error={anomalies.error} retry={anomalies.retry} />
        )}
        <ul class="anomaly-list">
          {all.map((anomaly) => (
            <AnomalyItem key={anomaly.id} anomaly={anomaly} act={act} />
          ))}
        </ul>
      </section>
    </article>
  );
}

function Words({ incident, act }: { incident: Incident; act: Act }) {
  const words = t.value.watch;
  const [owner, setOwner] = useState(incident.owner);
  const [note, setNote] = useState('');
  const say = (word: IncidentWord) =>
    void act(async (token) => {
      const said: IncidentWord = {
        ...word,
        ...(owner.trim() !== incident.owner ? { owner: owner.trim() } : {}),
        ...(note.trim() ? { note: note.trim() } : {}),
      };
      putIncident(await sayOfIncident(incident.id, said, token));
      setNote('');
    });
  const over = isOver(incident);
  const changed = owner.trim() !== incident.owner || note.trim() !== '';
  return (
    <form
      class="incident-words"
      aria-label={words.say}
      onSubmit={(event) => {
        event.preventDefault();
        if (changed) say({});
      }}
    >
      <label>
        <span class="small soft">{words.ownerField}</span>
        <input
          type="text"
          maxLength={200}
          value={owner}
          onInput={(event) => setOwner(event.currentTarget.value)}
        />
      </label>
      <label class="grow">
        <span class="small soft">{words.noteField}</span>
        <input
          type="text"
          maxLength={1000}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      <div class="incident-buttons">
        {incident.state === 'open' && (
          <button
            type="button"
            class="button primary"
            onClick={() => say({ state: 'acknowledged' })}
          >
            {words.acknowledge}
          </button>
        )}
        {!over && (
          <>
            <button type="button" class="button" onClick={() => say({ state: 'resolved' })}>
              {words.resolve}
            </button>
            <button type="button" class="button" onClick={() => say({ state: 'expected' })}>
              {words.expect}
            </button>
          </>
        )}
        {over && (
          <button type="button" class="button" onClick={() => say({ state: 'open' })}>
            {words.reopen}
          </button>
        )}
        <button type="submit" class="button quiet" disabled={!changed}>
          {words.saveWords}
        </button>
      </div>
    </form>
  );
}

function Timeline({ entries }: { entries: Entry[] }) {
  const words = t.value.watch;
  return (
    <ol class="incident-timeline">
      {entries.map((entry) => (
        <li class={entry.what}>
          <time class="soft small" dateTime={entry.at}>
            {instantName(entry.at, true)}
          </time>
          <p>
            <strong>{words.what[entry.what] ?? entry.what}</strong>
            {entry.by && <span class="soft"> {words.by(entry.by)}</span>}
            {entry.text && <span class="told small">{entry.text}</span>}
          </p>
        </li>
      ))}
    </ol>
  );
}

function AnomalyItem({ anomaly, act }: { anomaly: Anomaly; act: Act }) {
  const words = t.value.watch;
  const expected = anomaly.feedback === 'expected';
  const charges = evidenceView(anomaly, new Date().toISOString().slice(0, 10));
  const command = commandOf(anomaly.evidence);
  const ofMoney = anomaly.currency !== '' && !['missing', 'stuck'].includes(anomaly.kind);
  return (
    <li class="anomaly" data-anomaly={anomaly.id} data-feedback={anomaly.feedback}>
      <div class="incident-head">
        <h3>
          {words.kinds[anomaly.kind] ?? anomaly.kind} · {elementName(anomaly.series)}
        </h3>
        <span class="soft small">{anomaly.id}</span>
      </div>
      <dl class="incident-facts">
        {ofMoney && (
          <>
            <Fact name={words.observed} text={money(anomaly.observed, anomaly.currency)} />
            <Fact
              name={words.expected}
              mark={words.estimate}
              text={money(anomaly.expected, anomaly.currency)}
            />
            <Fact
              name={words.beyond}
              mark={words.estimate}
              text={money(anomaly.amount, anomaly.currency)}
            />
            <Fact
              name={words.lossPerHour}
              mark={words.estimate}
              text={anomaly.active ? estimate(anomaly.lossPerHour, anomaly.currency) : '–'}
            />
          </>
        )}
        {anomaly.ratio > 0 && <Fact name={words.ratio} text={`× ${decimal(anomaly.ratio)}`} />}
        {anomaly.confidence > 0 && (
          <Fact name={words.confidence} mark={words.estimate} text={percent(anomaly.confidence)} />
        )}
        <Fact name={words.rule} text={anomaly.rule || '–'} />
        {anomaly.against && <Fact name={words.against} text={anomaly.against} />}
        <Fact name={words.began} text={instantName(anomaly.began, true)} />
        <Fact
          name={words.ended}
          text={anomaly.ended ? instantName(anomaly.ended, true) : words.goesOn}
        />
      </dl>
      {anomaly.note && <p class="soft small">{anomaly.note}</p>}
      <div class="incident-buttons">
        {charges && (
          <Link to={drill([], charges)} class="button">
            {words.seeCharges}
          </Link>
        )}
        <button
          type="button"
          class="button"
          title={expected ? '' : words.expectedHelp}
          onClick={() => {
            void act((token) => sayOfAnomaly(anomaly.id, !expected, token)).then(
              (done) => done && void refreshIncidents(),
            );
          }}
        >
          {expected ? words.unmarkExpected : words.markExpected}
        </button>
      </div>
      <details>
        <summary class="soft small">{words.evidence}</summary>
        <div class="code-line">
          <code>{command}</code>
          <CopyButton text={command} />
        </div>
      </details>
    </li>
  );
}
