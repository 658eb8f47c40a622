// The incidents as state of the page: asked for once, then kept true by the server's events.
import { computed, signal } from '@preact/signals';
import { getIncidents, openOnes, readAnomaly, readIncident, withOne, type Anomaly, type Incident } from './watch';

/** undefined: not known yet, or this server does not watch. */
export const incidents = signal<Incident[] | undefined>(undefined);
/** Whether those that are over are among them. */
export const hasAll = signal(false);
export const watchError = signal<unknown>(undefined);
/** The anomaly that was told of last. */
export const lastAnomaly = signal<Anomaly | undefined>(undefined);
export const openIncidents = computed(() => openOnes(incidents.value ?? []));

let everything = false;
/** Asks for those that somebody should look at; once `all` was asked for, always for those that are over, too. */
export async function refreshIncidents(all = false): Promise<void> {
  everything ||= all;
  const asked = everything;
  try {
    const answer = await getIncidents(!asked);
    if (asked !== everything) return; // a wider question is on its way
    incidents.value = answer;
    hasAll.value = asked;
    watchError.value = undefined;
  } catch (error) {
    watchError.value = error;
  }
}

export function putIncident(incident: Incident): void {
  incidents.value = withOne(incidents.value ?? [], incident);
}

/** An event of the stream. Gives an incident that was not known before. */
export function heard(kind: 'anomaly' | 'incident', document: unknown): Incident | undefined {
  if (kind === 'anomaly') {
    lastAnomaly.value = readAnomaly(document);
    return undefined;
  }
  const incident = readIncident(document);
  const known = incidents.value?.some((each) => each.id === incident.id) ?? false;
  putIncident(incident);
  return known || incident.state !== 'open' ? undefined : incident;
}
