// In which currencies figures can be reported.
import type { ExchangeRates } from './api';
import { addDays } from './period';

/** How far back a day without rates is looked for; what is older than that has ended, as the mark has. */
const CARRY_DAYS = 10;

/** When a file of rates was imported, and the beginning of its hash: "exchange/20261007T080000Z-ecb-4f1c….csv". */
export function sourceParts(source: string): { imported: string; id: string } {
  const [, y, mo, d, h, mi, id] =
    /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)\d\dZ-.*-([0-9a-f]{12})/.exec(source) ?? [];
  return id ? { imported: `${y}-${mo}-${d}T${h}:${mi}:00Z`, id } : { imported: '', id: '' };
}

/** Those with a rate of today and the euro; what the estate and its bills use comes first. None: no rates were imported. */
export function reportable(rates: ExchangeRates | undefined, first: readonly string[]): string[] {
  if (!rates || rates.currencies.length === 0) return [];
  const newest = rates.currencies.reduce((day, each) => (each.day > day ? each.day : day), '');
  const oldest = addDays(newest, -CARRY_DAYS);
  const all = [
    rates.base,
    ...rates.currencies.filter((each) => each.day >= oldest).map((each) => each.currency),
  ];
  const place = (currency: string) =>
    first.includes(currency) ? first.indexOf(currency) : first.length;
  return all.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}
