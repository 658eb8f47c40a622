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

/** Those that somebody should look at; with `everything` those that are over, too. */
export async function refreshIncidents(everything = hasAll.value): Promise<void> {
  try {
    incidents.value = await getIncidents(!everything);
    hasAll.value = everything;
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
