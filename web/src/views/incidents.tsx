// What the live watch has found: the incidents, what is open first; one of them by its address.
import { useEffect } from 'preact/hooks';
import { ago, estimate, integer, instantName, money, t } from '../i18n';
import { useFetched } from '../lib/data';
import { ApiError } from '../lib/api';
import { fromNumber, sum } from '../lib/fixed';
import { view } from '../lib/state';
import { getWatch, isOver, openFirst, type Incident } from '../lib/watch';
import { hasAll, incidents, openIncidents, refreshIncidents, watchError } from '../lib/watching';
import { Icon, Link } from '../parts/basics';
import { Problem, Waiting } from '../parts/figure';
import { IncidentDetail } from './incident';
import { atStake, elementName, lossOf, titleOf } from './incident-words';
import { NotificationList } from './notifications';

export function IncidentsView() {
  const id = view.value.incident;
  useEffect(() => {
    if (!hasAll.value) void refreshIncidents(true);
  }, []);
  const one = id ? incidents.value?.find((incident) => incident.id === id) : undefined;
  return id ? (
    <div class="incidents">
      <p>
        <Link to={{ incident: '' }} class="back">
          <Icon name="left" /> {t.value.watch.all}
        </Link>
      </p>
      {one ? (
        <IncidentDetail key={id} incident={one} />
      ) : hasAll.value ? (
        <p class="nothing">{t.value.watch.gone}</p>
      ) : (
        <Missing />
      )}
    </div>
  ) : (
    <IncidentList />
  );
}

/** Nothing can be shown yet, or at all. */
function Missing() {
  const error = watchError.value;
  if (error === undefined) return <Waiting height={240} />;
  if (error instanceof ApiError && error.code === 'UNIMPLEMENTED')
    return <p class="nothing">{t.value.watch.notHere}</p>;
  return <Problem error={error} retry={() => void refreshIncidents(true)} />;
}

function IncidentList() {
  const words = t.value.watch;
  const all = incidents.value;
  const open = openIncidents.value;
  return (
    <div class="incidents">
      <header>
        <h1>{words.title}</h1>
        <p class="soft">{words.lead}</p>
      </header>
      {!all || !hasAll.value ? (
        <Missing />
      ) : (
        <section aria-label={words.title}>
          <p class="summary incidents-summary" role="status">
            <Icon name={open.length > 0 ? 'warn' : 'check'} />
            {words.summary(integer(open.length), open.length, losses(open))}
          </p>
          {all.length === 0 ? (
            <p class="nothing">{words.none}</p>
          ) : (
            <ul class="incident-list">
              {openFirst(all).map((incident) => (
                <IncidentItem key={incident.id} incident={incident} />
              ))}
            </ul>
          )}
          <Watching />
        </section>
      )}
      <NotificationList />
    </div>
  );
}

/** What open incidents lose an hour; currencies apart. */
function losses(open: readonly Incident[]): string {
  const by = new Map<string, bigint[]>();
  for (const { currency, lossPerHour } of open)
    if (lossPerHour > 0) by.set(currency, [...(by.get(currency) ?? []), fromNumber(lossPerHour)]);
  return [...by].map(([currency, some]) => money(sum(some), currency)).join(' + ');
}

function IncidentItem({ incident }: { incident: Incident }) {
  const words = t.value.watch;
  return (
    <li
      class={`incident ${incident.state}`}
      data-incident={incident.id}
      data-state={incident.state}
    >
      <div class="incident-head">
        <StateTag incident={incident} />
        <h2>
          <Link to={{ incident: incident.id }} class="figure-link">
            {titleOf(incident)}
          </Link>
        </h2>
        <span class="soft small">{incident.id}</span>
      </div>
      <dl class="incident-facts">
        <Fact name={words.atStake} mark={words.estimate} text={atStake(incident)} />
        <Fact
          name={words.lossPerHour}
          mark={words.estimate}
          text={incident.active ? lossOf(incident) : '–'}
        />
        <Fact name={words.began} text={instantName(incident.began)} more={when(incident.began)} />
        <Fact name={words.suspect} text={elementName(incident.suspect)} />
        <Fact name={words.owner} text={incident.owner || words.nobody} />
      </dl>
    </li>
  );
}

export const when = (instant: string): string => ago(instant, Date.now());

export function StateTag({ incident }: { incident: Incident }) {
  const words = t.value.watch;
  return (
    <span class={`incident-state ${incident.state}`}>
      <Icon name={isOver(incident) ? 'check' : 'warn'} />
      {words.state[incident.state] ?? incident.state}
      <span class="soft">{incident.active ? words.active : words.calm}</span>
    </span>
  );
}

export const Fact = (props: {
  name: string;
  text: string;
  mark?: string;
  more?: string | undefined;
}) => (
  <div>
    <dt class="soft">
      {props.name}
      {props.mark && <i class="estimate-mark">{props.mark}</i>}
    </dt>
    <dd>
      {props.text}
      {props.more && <span class="soft small told">{props.more}</span>}
    </dd>
  </div>
);

/** How much is looked at, and what is not told. */
function Watching() {
  const words = t.value.watch;
  const { answer } = useFetched('watch', getWatch);
  if (!answer) return null;
  const kinds = answer.off.map((kind) => words.kinds[kind] ?? kind).join(', ');
  return (
    <p class="soft small">
      {answer.enabled
        ? words.watching(integer(answer.series), answer.series, answer.minAmount) +
          (answer.silenced > 0 ? words.silenced(integer(answer.silenced), answer.silenced) : '') +
          (kinds ? words.off(kinds) : '')
        : words.disabled}
    </p>
  );
}

/** On the overview: that somebody should look. Nothing, when nobody has to. */
export function OpenIncident() {
  const words = t.value.watch;
  const [newest] = openFirst(openIncidents.value);
  if (!newest) return null;
  return (
    <aside class="open-incident" aria-label={words.badge(integer(openIncidents.value.length), openIncidents.value.length)}>
      <Icon name="warn" />
      <p>
        <Link to={{ page: 'incidents', incident: newest.id }} class="figure-link">
          <strong>{titleOf(newest)}</strong>
        </Link>
        <span class="soft">
          {words.atStake} ({words.estimate}) {atStake(newest)}
          {newest.active && ` · ${words.perHour(estimate(newest.lossPerHour, newest.currency))}`} ·{' '}
          {when(newest.began)}
        </span>
      </p>
      {openIncidents.value.length > 1 && (
        <Link to={{ page: 'incidents', incident: '' }} class="button">
          {words.badge(integer(openIncidents.value.length), openIncidents.value.length)}
        </Link>
      )}
    </aside>
  );
}
