// The language in force, and everything that depends on it: words, numbers, money, dates.
import { computed, signal } from '@preact/signals';
import { en, type Catalogue } from './en';
import { zhCN } from './zh-CN';
import { MONEY_SCALE, abs, fixedText, fromNumber, roundedText, size } from '../lib/fixed';
import { addDays, toDate, wholeMonth, type Grain, type Period, bucketPeriod } from '../lib/period';
import { load, store } from '../lib/local';

export type Locale = 'en' | 'zh-CN';
export const CATALOGUES: Record<Locale, Catalogue> = { en, 'zh-CN': zhCN };

function preferred(): Locale {
  const stored = load('locale');
  if (stored === 'en' || stored === 'zh-CN') return stored;
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages;
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return 'zh-CN';
    if (/^en\b/i.test(language)) return 'en';
  }
  return 'en';
}

export const locale = signal<Locale>(preferred());
export const t = computed<Catalogue>(() => CATALOGUES[locale.value]);
export function setLocale(next: Locale): void {
  store('locale', next);
  locale.value = next;
}

const formats = new Map<string, Intl.NumberFormat>();
function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale.value + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(locale.value, options)));
  return found;
}

/** Writes decimal text, already rounded, without losing a digit. */
function exact(f: Intl.NumberFormat, decimal: string): string {
  const compact = f.resolvedOptions().notation === 'compact';
  if (compact || decimal.replace(/\D/g, '').length <= 15) return minus(f.format(Number(decimal)));
  // A double would round it: the whole goes through as a BigInt, the fraction is put in as it is.
  const [whole = '0', fraction = ''] = decimal.split('.');
  const parts = f.formatToParts(BigInt(whole));
  return minus(parts.map((part) => (part.type === 'fraction' ? fraction : part.value)).join(''));
}
// A hyphen is no minus: the sign is as wide as the plus above it.
const minus = (text: string): string => text.replace('-', '−');

function currencyFormat(
  currency: string,
  options: Intl.NumberFormatOptions,
): (decimal: string) => string {
  if (/^[A-Za-z]{3}$/.test(currency)) {
    const f = format({ ...options, style: 'currency', currency: currency.toUpperCase() });
    return (decimal) => exact(f, decimal);
  }
  // Virtual currencies such as credits are no ISO code.
  const f = format(options);
  return (decimal) => `${exact(f, decimal)} ${currency}`.trim();
}

type Sign = 'auto' | 'always';
const signOf = (sign: Sign) =>
  (sign === 'always' ? 'exceptZero' : 'auto') as NonNullable<
    Intl.NumberFormatOptions['signDisplay']
  >;

/** An amount to read: whole units from 100 on, cents below, four digits of what is smaller than a cent. */
export function money(units: bigint, currency: string, sign: Sign = 'auto'): string {
  const amount = size(abs(units));
  const digits =
    amount >= 100 || units === 0n
      ? 0
      : amount >= 0.01
        ? 2
        : Math.min(MONEY_SCALE, 3 - Math.floor(Math.log10(amount)));
  return moneyDigits(units, currency, digits, sign);
}
/** An estimate, as an amount to read. */
export const estimate = (value: number, currency: string): string =>
  Number.isFinite(value) ? money(fromNumber(value), currency) : '–';
export function moneyDigits(
  units: bigint,
  currency: string,
  digits: number,
  sign: Sign = 'auto',
): string {
  const options = {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: signOf(sign),
  };
  return currencyFormat(currency, options)(roundedText(units, digits));
}
/** Three digits in the way of the language: 1.30M stands below 1.28M without looking coarser. */
const COMPACT: Intl.NumberFormatOptions = {
  notation: 'compact',
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
};
/** 1.28M or 128万: for narrow places. The exact amount stands beside or behind it. */
export function moneyCompact(
  units: bigint,
  currency: string,
  options: Intl.NumberFormatOptions = COMPACT,
): string {
  const small = abs(units) < 10n ** BigInt(MONEY_SCALE + 3);
  if (small) return money(units, currency);
  return currencyFormat(currency, options)(roundedText(units, 0));
}
/** The label of a tick: as many decimals as the steps between ticks need. */
export function moneyTick(units: bigint, step: number, currency: string): string {
  if (step >= 1000 || (units !== 0n && abs(units) >= 10n ** BigInt(MONEY_SCALE + 3))) {
    return moneyCompact(units, currency, { ...COMPACT, minimumSignificantDigits: 1 });
  }
  const digits = Number.isInteger(step)
    ? 0
    : Math.min(MONEY_SCALE, 1 + Math.ceil(-Math.log10(step)));
  return moneyDigits(units, currency, digits);
}
/** The same without its currency, where that stands beside. */
export function amountCompact(units: bigint): string {
  const small = abs(units) < 10n ** BigInt(MONEY_SCALE + 3);
  if (small) return exact(format({ maximumSignificantDigits: 3 }), roundedText(units, 6));
  return exact(format(COMPACT), roundedText(units, 0));
}
/** Exact, with at least cents, and no zeros behind. */
export const exactDecimal = (units: bigint): string =>
  exact(
    format({ minimumFractionDigits: 2, maximumFractionDigits: MONEY_SCALE }),
    fixedText(units, MONEY_SCALE, 2),
  );
/** The whole and the fraction apart, for type of two sizes. */
export function moneyParts(units: bigint, currency: string): { main: string; minor: string } {
  const text = moneyDigits(units, currency, 2);
  const at = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
  return at < 0 ? { main: text, minor: '' } : { main: text.slice(0, at), minor: text.slice(at) };
}

export const integer = (n: number | bigint): string =>
  format({ maximumFractionDigits: 0 }).format(n);
export const decimal = (n: number, digits = 1): string =>
  format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
export function quantity(units: bigint, scale: number): string {
  // Whole units are never rounded away; small quantities keep six digits that say something.
  const large = abs(units) >= 10n ** BigInt(scale + 5);
  const f = format(large ? { maximumFractionDigits: 1 } : { maximumSignificantDigits: 6 });
  return exact(f, roundedText(units, large ? 1 : Math.min(scale, 12), scale));
}
/** 0.4 to "40 %", with a decimal where it says something; shares below 0.1 % are not shown as nothing. */
export function percent(value: number, sign: Sign = 'auto'): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0 || value === 1) return percentDigits(value, 0, sign);
  const size = Math.abs(value);
  if (sign === 'auto' && size > 0 && size < 0.001)
    return (value < 0 ? '−' : '<') + percentDigits(0.001, 1, 'auto');
  return percentDigits(value, size < 0.0995 || (size < 1 && size > 0.995) ? 1 : 0, sign);
}
export const percentDigits = (value: number, digits: number, sign: Sign = 'auto'): string =>
  minus(
    format({
      style: 'percent',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay: signOf(sign),
    }).format(value),
  );

const dates = new Map<string, Intl.DateTimeFormat>();
function date(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale.value + JSON.stringify(options);
  let found = dates.get(key);
  if (!found)
    dates.set(
      key,
      (found = new Intl.DateTimeFormat(locale.value, { timeZone: 'UTC', ...options })),
    );
  return found;
}
export const monthName = (month: string): string =>
  date({ year: 'numeric', month: 'long' }).format(toDate(month));
export const monthShort = (month: string): string => date({ month: 'short' }).format(toDate(month));
/** A month with its year, as short as it can be without its year looking like a day. */
export const monthAndYear = (month: string): string =>
  date({ year: locale.value === 'zh-CN' ? '2-digit' : 'numeric', month: 'short' }).format(
    toDate(month),
  );
export const dayName = (day: string): string =>
  date({ year: 'numeric', month: 'short', day: 'numeric' }).format(toDate(day));
export const dayShort = (day: string): string =>
  date({ month: 'short', day: 'numeric' }).format(toDate(day));
export const yearName = (day: string): string => day.slice(0, 4);

/** "October 2026", or "Oct 5 – 11, 2026": the last day shown is the last one in it. */
export function periodName(period: Period): string {
  const month = wholeMonth(period);
  if (month) return monthName(month);
  const last = addDays(period.to, -1);
  if (last === period.from) return dayName(last);
  return date({ year: 'numeric', month: 'short', day: 'numeric' }).formatRange(
    toDate(period.from),
    toDate(last),
  );
}
export const bucketName = (value: string, grain: Grain): string =>
  periodName(bucketPeriod(value, grain));

/** "2 hours ago", for how fresh data is. */
export function ago(instant: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(instant)) / 1000);
  const f = new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto', style: 'long' });
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, 'second'],
    [3600, 'minute'],
    [86_400, 'hour'],
    [86_400 * 30, 'day'],
    [86_400 * 365, 'month'],
    [Infinity, 'year'],
  ];
  let unitSeconds = 1;
  for (const [limit, unit] of steps) {
    if (seconds < limit) return f.format(-Math.floor(seconds / unitSeconds), unit);
    unitSeconds = limit;
  }
  return instant;
}
export const instantName = (instant: string, seconds = false): string =>
  date({
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
  }).format(new Date(instant));

const names = new Map<string, Intl.DisplayNames>();
/** "US Dollar" for USD; the code itself where it has no name. */
export function currencyName(code: string): string {
  let found = names.get(locale.value);
  if (!found)
    names.set(locale.value, (found = new Intl.DisplayNames(locale.value, { type: 'currency' })));
  return found.of(code) ?? code;
}

export function dimensionName(dimension: string): string {
  if (dimension.startsWith('tag:')) return t.value.tag(dimension.slice(4));
  return t.value.dimensions[dimension] ?? dimension;
}
