// Documents of the server, read with nothing taken for granted: what is missing is empty.
export type Facts = Record<string, unknown>;
export const facts = (value: unknown): Facts =>
  value && typeof value === 'object' && !Array.isArray(value) ? (value as Facts) : {};
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const texts = (value: unknown): string[] => list(value).map(text);
export const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
/** Numbers; what is none is NaN, of which nothing is drawn. */
export const numbers = (value: unknown): number[] =>
  list(value).map((one) => (typeof one === 'number' ? one : NaN));
export const maybe = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;
