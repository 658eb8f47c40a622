// Answers of the ledger as state of the page: asked once, kept until the ledger changes.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import {
  ask,
  getCommits,
  getEstate,
  getExchange,
  getVersion,
  type Answer,
  type Commit,
  type CostQuery,
  type Estate,
  type ExchangeRates,
} from './api';

/** Counts the changes of the ledger that the page has heard of. */
export const generation = signal(0);
export const estate = signal<Estate | undefined>(undefined);
export const commits = signal<Commit[] | undefined>(undefined);
export const version = signal('');
export const exchange = signal<ExchangeRates | undefined>(undefined);

const CACHE_MAX = 300;
const cache = new Map<string, Answer>();
const inFlight = new Map<string, Promise<Answer>>();

function fetchAnswer(key: string, query: CostQuery): Promise<Answer> {
  let promise = inFlight.get(key);
  if (!promise) {
    promise = ask(query)
      .then((answer) => {
        if (cache.size >= CACHE_MAX) cache.delete(cache.keys().next().value!);
        cache.set(key, answer);
        return answer;
      })
      .finally(() => inFlight.delete(key));
    inFlight.set(key, promise);
  }
  return promise;
}

export interface Fetched<T> {
  answer?: T;
  error?: unknown;
  /** An older answer is shown while a newer one is on its way. */
  stale: boolean;
  retry: () => void;
}
export type Asked = Fetched<Answer>;

/** The answer to a cost query; `undefined` asks nothing. While another is asked, the one before stays on the screen. */
export function useAnswer(query: CostQuery | undefined): Asked {
  const [state, set] = useState<{ key: string; answer?: Answer; error?: unknown }>({ key: '' });
  const [attempt, setAttempt] = useState(0);
  const key = query ? `${generation.value}:${JSON.stringify(query)}` : '';
  const hit = cache.get(key);
  useLayoutEffect(() => {
    if (!query || cache.has(key)) return;
    let current = true;
    fetchAnswer(key, query).then(
      (answer) => current && set({ key, answer }),
      (error: unknown) => current && set((old) => ({ ...old, key, error })),
    );
    return () => {
      current = false;
    };
  }, [key, attempt]);
  const retry = () => {
    set({ key: '' });
    setAttempt(attempt + 1);
  };
  if (hit) return { answer: hit, stale: false, retry };
  if (!query) return { stale: false, retry };
  const fresh = state.key === key;
  return {
    ...(state.answer ? { answer: state.answer } : {}),
    ...(fresh && state.error ? { error: state.error } : {}),
    stale: !fresh,
    retry,
  };
}

/** A document of the server, asked anew when `key` or the ledger changes; what was seen last stays meanwhile. */
export function useFetched<T>(key: string, get: () => Promise<T>): Fetched<T> {
  const [state, set] = useState<{ key: string; answer?: T; error?: unknown }>({ key: '' });
  const [attempt, setAttempt] = useState(0);
  const now = `${generation.value}:${key}`;
  useEffect(() => {
    let open = true;
    get().then(
      (answer) => open && set({ key: now, answer }),
      (error: unknown) => open && set((old) => ({ ...old, key: now, error })),
    );
    return () => {
      open = false;
    };
  }, [now, attempt]);
  const { key: of, ...rest } = state;
  return { ...rest, stale: of !== now, retry: () => setAttempt(attempt + 1) };
}

export async function refreshFacts(): Promise<void> {
  const [facts, list, name, rates] = await Promise.allSettled([
    getEstate(),
    getCommits(),
    getVersion(),
    getExchange(),
  ]);
  if (facts.status === 'fulfilled') estate.value = facts.value;
  if (list.status === 'fulfilled') commits.value = list.value;
  if (name.status === 'fulfilled') version.value = name.value;
  if (rates.status === 'fulfilled') exchange.value = rates.value;
}

/** The ledger has a new commit: everything on the screen is asked for again, quietly. */
export function ledgerChanged(): void {
  cache.clear();
  generation.value++;
  void refreshFacts();
}
