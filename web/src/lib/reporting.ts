// In which currencies figures can be reported.
import type { ExchangeRates } from './api';

/** Those with a rate and the euro; what the estate and its bills use comes first. None: no rates were imported. */
export function reportable(rates: ExchangeRates | undefined, first: readonly string[]): string[] {
  if (!rates || rates.currencies.length === 0) return [];
  const all = [rates.base, ...rates.currencies.map((each) => each.currency)];
  const place = (currency: string) =>
    first.includes(currency) ? first.indexOf(currency) : first.length;
  return all.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}
