// Geometry only: numbers here are pixels and tick marks, never amounts that are shown as they are.

/** Round tick values that cover [low, high]; zero is always among them. */
export function ticks(low: number, high: number, about: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [0];
  const raw = span / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999)!;
  const out: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && out.length < 50; i++)
    out.push(i * step || 0);
  return out;
}

/** About how wide a label of the axes is, in pixels: Chinese characters are as wide as they are high. */
export const labelWidth = (text: string): number =>
  [...text].reduce(
    (width, sign) => width + (sign > '\u2e7f' ? 12 : /[A-Z]/.test(sign) ? 10 : 7.6),
    0,
  );
