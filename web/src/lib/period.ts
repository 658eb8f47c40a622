// Calendar arithmetic on UTC dates as text. A period is half-open: [from, to).

export interface Period {
  from: string; // "2026-10-01"
  to: string; // "2026-11-01"
}
export type Grain = 'none' | 'hour' | 'day' | 'week' | 'month';

const DAY_MS = 86_400_000;
const pad = (n: number, width = 2) => String(n).padStart(width, '0');

export function toDate(day: string): Date {
  return new Date(`${day.length === 7 ? `${day}-01` : day.slice(0, 10)}T00:00:00Z`);
}
function text(date: Date): string {
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}
export const addDays = (day: string, days: number): string =>
  text(new Date(toDate(day).getTime() + days * DAY_MS));
export const daysBetween = (from: string, to: string): number =>
  Math.round((toDate(to).getTime() - toDate(from).getTime()) / DAY_MS);

/** "2026-10" moved by whole months. */
export function addMonths(month: string, months: number): string {
  const index = Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1 + months;
  return `${pad(Math.floor(index / 12), 4)}-${pad((((index % 12) + 12) % 12) + 1)}`;
}
export const monthStart = (month: string): string => `${month}-01`;
export const monthPeriod = (month: string): Period => ({
  from: monthStart(month),
  to: monthStart(addMonths(month, 1)),
});
export const isMonth = (value: string): boolean => /^\d{4}-(0[1-9]|1[0-2])$/.test(value);
export const isDay = (value: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(+toDate(value));
/** The month that a period covers exactly, if it does. */
export function wholeMonth(period: Period): string | undefined {
  const month = period.from.slice(0, 7);
  return period.from === monthStart(month) && period.to === monthStart(addMonths(month, 1))
    ? month
    : undefined;
}

/** The same days of another month: like is compared with like when a month is not over yet. */
export function shiftMonths(period: Period, months: number): Period {
  const month = period.from.slice(0, 7);
  const start = monthStart(month);
  const target = addMonths(month, months);
  if (wholeMonth(period)) return monthPeriod(target);
  const end = monthStart(addMonths(target, 1));
  const clamp = (day: string) => (day > end ? end : day);
  return {
    from: clamp(addDays(monthStart(target), daysBetween(start, period.from))),
    to: clamp(addDays(monthStart(target), daysBetween(start, period.to))),
  };
}

/** The days that a bucket of a grain covers; `value` is how the server names the bucket. */
export function bucketPeriod(value: string, grain: Grain): Period {
  const week = /^(\d{4})-W(\d{2})$/.exec(value);
  if (week) {
    const fourth = `${week[1]}-01-04`;
    const monday = addDays(
      fourth,
      -((toDate(fourth).getUTCDay() + 6) % 7) + (Number(week[2]) - 1) * 7,
    );
    return { from: monday, to: addDays(monday, 7) };
  }
  if (isMonth(value)) return monthPeriod(value);
  const day = value.slice(0, 10);
  if (grain === 'month') return monthPeriod(value.slice(0, 7));
  return { from: day, to: addDays(day, grain === 'week' ? 7 : 1) };
}

/** Every bucket name between two dates, so that a gap in the data shows as a gap. */
export function buckets(from: string, to: string, grain: Grain): string[] {
  const out: string[] = [];
  if (grain === 'month') {
    for (
      let month = from.slice(0, 7);
      monthStart(month) < to && out.length < 1200;
      month = addMonths(month, 1)
    ) {
      out.push(month);
    }
    return out;
  }
  const step = grain === 'week' ? 7 : 1;
  let day = grain === 'week' ? addDays(from, -((toDate(from).getUTCDay() + 6) % 7)) : from;
  for (; day < to && out.length < 4000; day = addDays(day, step)) out.push(day);
  return out;
}
