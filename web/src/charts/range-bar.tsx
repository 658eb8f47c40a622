// What is there already, and where it may end: a bar with the range around what is expected, and a limit where there is one.

interface Props {
  /** So far. */
  actual: number;
  mean: number;
  ranges: { level: number; lower: number; upper: number }[];
  limit?: number;
  /** The value at the right end; bars that stand together share it. */
  most: number;
  label: string;
}

/** Where the track of one bar must end: nothing of it is cut off. */
export const mostOf = ({ actual, mean, ranges, limit }: Omit<Props, 'most' | 'label'>): number =>
  Math.max(
    1e-12,
    ...[actual, mean, limit ?? 0, ...ranges.map((range) => range.upper)].filter(Number.isFinite),
  );

export function RangeBar({ actual, mean, ranges, limit, most, label }: Props) {
  const at = (value: number) =>
    Math.max(0, Math.min(100, (100 * (Number.isFinite(value) ? value : 0)) / most));
  const place = (from: number, to: number) => ({
    left: `${at(from).toFixed(2)}%`,
    width: `${(at(to) - at(from)).toFixed(2)}%`,
  });
  return (
    <div class="range-bar" role="img" aria-label={label}>
      {ranges.map((range) => (
        <i class={`band level-${range.level}`} style={place(range.lower, range.upper)} />
      ))}
      <i class="so-far" style={place(0, actual)} />
      {Number.isFinite(mean) && <b class="mean" style={{ left: `${at(mean).toFixed(2)}%` }} />}
      {limit !== undefined && <b class="limit" style={{ left: `${at(limit).toFixed(2)}%` }} />}
    </div>
  );
}
