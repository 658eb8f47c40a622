// Who was told of incidents, and what did not reach them.
import { useEffect, useState } from 'preact/hooks';
import { instantName, integer, t } from '../i18n';
import { useFetched } from '../lib/data';
import { failedFirst, getNotifications, type Delivery } from '../lib/watch';
import { incidents } from '../lib/watching';
import { Icon } from '../parts/basics';
import { Problem } from '../parts/figure';

const SHOWN = 12;
/** A message goes out soon after its incident changed; what waits is looked at again. */
const SOON_MS = 1500;
const WAITING_MS = 5000;

export function NotificationList() {
  const words = t.value.watch;
  const [look, setLook] = useState(0);
  const asked = useFetched(`sent ${look}`, getNotifications);
  const { answer } = asked;
  const all = incidents.value;
  const waits = (answer?.waiting ?? 0) > 0;
  useEffect(() => {
    const timer = setTimeout(() => setLook(look + 1), SOON_MS);
    return () => clearTimeout(timer);
  }, [all]);
  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => setLook(look + 1), WAITING_MS);
    return () => clearTimeout(timer);
  }, [answer]);
  if (asked.error !== undefined && !answer) return <Problem error={asked.error} />;
  if (!answer) return null;
  const shown = failedFirst(answer.deliveries);
  const count = (state: string) => shown.filter((one) => one.state === state).length;
  return (
    <section class="figure sent" aria-labelledby="sent">
      <header class="figure-head">
        <div class="figure-title">
          <h2 id="sent">{words.sent}</h2>
        </div>
        <p class="summary">
          {answer.receivers.length === 0 && shown.length === 0
            ? words.sentNone
            : shown.length === 0
              ? words.sentNothing
              : words.sentSummary(
                  integer(count('sent')),
                  integer(answer.waiting),
                  integer(count('given up')),
                  count('given up'),
                )}
        </p>
      </header>
      <ul class="sent-list">
        {shown.slice(0, SHOWN).map((delivery) => (
          <DeliveryItem key={delivery.id} delivery={delivery} />
        ))}
      </ul>
      {shown.length > SHOWN && (
        <p class="soft small">{words.more(integer(shown.length - SHOWN))}</p>
      )}
    </section>
  );
}

function DeliveryItem({ delivery }: { delivery: Delivery }) {
  const words = t.value.watch;
  const [first, ...rest] = delivery.notices;
  const failed = delivery.state === 'given up' || delivery.fault !== '';
  return (
    <li class={failed ? 'failed' : ''} data-delivery={delivery.state}>
      <span class="sent-state">
        <Icon name={failed ? 'warn' : 'check'} />
        {words.deliveries[delivery.state] ?? delivery.state}
      </span>
      <span>{delivery.receiver}</span>
      <span class="sent-title">
        {first && `${first.title} · ${words.state[first.state] ?? first.state}`}
        {rest.length > 0 && <span class="soft"> {words.more(integer(rest.length))}</span>}
        {delivery.fault && (
          <span class="soft small told" lang="en">
            {words.fault}: {delivery.fault} ({words.attempts}: {integer(delivery.attempts)})
          </span>
        )}
      </span>
      <span class="soft small">
        {delivery.escalated && `${words.escalated} · `}
        {delivery.due && instantName(delivery.due)}
      </span>
    </li>
  );
}
