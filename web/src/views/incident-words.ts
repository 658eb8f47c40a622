// How elements, titles and times of the watch are said.
import { decimal, dimensionName, estimate, money, t } from '../i18n';
import { valueName } from '../lib/names';
import type { Anomaly, Element, Incident } from '../lib/watch';

/** "Team Search"; the id of a key says that it is one. */
export function elementName({ dimension, value }: Element): string {
  const words = t.value.watch;
  if (dimension === 'total') return words.total;
  if (dimension === 'key' && value.startsWith('key-')) return value;
  return words.element(
    words.dimensions[dimension] ?? dimensionName(dimension),
    valueName(dimension, value),
  );
}

/** The server's title in the language of the page; its own words where they are of another kind. */
export function titleOf(incident: Incident): string {
  const words = t.value.watch;
  const what = elementName(incident.suspect);
  const endings: [string, (what: string) => string][] = [
    [' spends more than expected', words.spends],
    [' is silent', words.silent],
    [' is stuck at one value', words.stuck],
    [' has a higher unit price', words.price],
  ];
  return endings.find(([ending]) => incident.title.endsWith(ending))?.[1](what) ?? incident.title;
}

export function duration(seconds: number): string {
  const words = t.value.watch;
  if (seconds < 90) return words.seconds(decimal(seconds, seconds < 10 ? 1 : 0));
  if (seconds < 5400) return words.minutes(decimal(seconds / 60, 0));
  return words.hours(decimal(seconds / 3600, 1));
}

export const atStake = (of: Pick<Incident, 'amount' | 'currency'>): string =>
  money(of.amount, of.currency);
export const lossOf = (of: Pick<Incident, 'lossPerHour' | 'currency'>): string =>
  estimate(of.lossPerHour, of.currency);

export function actionText({ action, suspect }: Anomaly): string {
  const words = t.value.watch.actions;
  if (action.kind === 'review_price') return words.review_price(elementName(suspect));
  if (action.kind === 'check_meter')
    return words.check_meter(elementName(action.of.dimension ? action.of : suspect));
  if (action.kind === 'review_spend') return words.review_spend(elementName(suspect));
  return words.freeze_budget(elementName(suspect));
}
