// Fixed point on BigInt. Money arrives as decimal text and stays exact: sums and differences that are shown never pass
// through a floating-point number. Numbers come out only for geometry (how long a bar is) and for ratios.

/** Count of 1e-12 of the currency unit, as the ledger holds money. */
export const MONEY_SCALE = 12;
/** Count of 1e-15 of a unit, as the ledger holds quantities. */
export const USAGE_SCALE = 15;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Decimal text to a count of 10^-scale. Digits beyond the scale are cut: the server never sends them. */
export function parseFixed(
  text: string | number | null | undefined,
  scale: number = MONEY_SCALE,
): bigint {
  if (text === null || text === undefined || text === '') return 0n;
  const match = DECIMAL.exec(String(text).trim());
  if (!match || (!match[2] && !match[3])) throw new RangeError(`not a decimal: ${text}`);
  const [, sign, whole = '', fraction = '', exponent] = match;
  const shift = scale + Number(exponent ?? 0) - fraction.length;
  const digits = BigInt(whole + fraction || '0');
  const units = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === '-' ? -units : units;
}

/** Exact text, without trailing zeros beyond `digits`. */
export function fixedText(units: bigint, scale: number = MONEY_SCALE, digits: number = 0): string {
  const negative = units < 0n;
  const text = (negative ? -units : units).toString().padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  let fraction = scale ? text.slice(text.length - scale) : '';
  while (fraction.length > digits && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
  return (negative ? '-' : '') + whole + (fraction ? `.${fraction}` : '');
}

/** Rounded half to even at `digits` decimals, as text. */
export function roundedText(units: bigint, digits: number, scale: number = MONEY_SCALE): string {
  if (digits >= scale) return fixedText(units, scale, digits);
  const step = 10n ** BigInt(scale - digits);
  return fixedText(divideHalfEven(units, step), digits, digits);
}

export function divideHalfEven(value: bigint, divisor: bigint): bigint {
  let quotient = value / divisor;
  const rest = abs(value % divisor) * 2n;
  const size = abs(divisor);
  const away = rest > size || (rest === size && quotient % 2n !== 0n);
  if (away) quotient += value < 0n !== divisor < 0n ? -1n : 1n;
  return quotient;
}

export const abs = (x: bigint): bigint => (x < 0n ? -x : x);
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
export const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

export function sum(values: Iterable<bigint>): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}

/** a / b for display and geometry, to eight decimals; NaN when b is zero. */
export function ratio(a: bigint, b: bigint): number {
  return b === 0n ? NaN : Number((a * 100_000_000n) / b) / 1e8;
}

/** Size for geometry only. */
export function size(units: bigint, scale: number = MONEY_SCALE): number {
  return Number(units) / 10 ** scale;
}

/** A number as an amount to be written: the label of a tick, or an estimate. Six decimals are kept. */
export const fromNumber = (value: number): bigint => BigInt(Math.round(value * 1e6)) * 1_000_000n;
