// A word-sized line: the last months of a key figure. A month that is not over is drawn open.
import { useWidth } from '../parts/basics';

export function Spark({
  points,
  label,
  partial,
}: {
  points: number[];
  label: string;
  partial?: boolean;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const height = 36;
  const known = points.filter(Number.isFinite);
  const high = Math.max(...known, 0);
  const low = Math.min(...known, 0);
  const x = (i: number) => 3 + (i * (width - 6)) / Math.max(1, points.length - 1);
  const y = (v: number) => 3 + (1 - (v - low) / (high - low || 1)) * (height - 6);
  const line = (values: number[], from = 0) => {
    let path = '';
    values.forEach((v, i) => {
      if (i < from || !Number.isFinite(v)) return;
      path += `${path && Number.isFinite(values[i - 1]!) ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    });
    return path;
  };
  const last = points.length - 1;
  return (
    <div class="spark" ref={ref} role="img" aria-label={label}>
      {width > 0 && known.length > 1 && (
        <svg width={width} height={height} aria-hidden="true">
          <line x1="0" x2={width} y1={y(0)} y2={y(0)} class="rule" />
          <path d={line(points.slice(0, partial ? last : points.length))} class="spark-line" />
          {partial && <path d={line(points, last - 1)} class="spark-line open" />}
          {Number.isFinite(points[last]!) && (
            <circle
              cx={x(last)}
              cy={y(points[last]!)}
              r="2.8"
              class={partial ? 'spark-dot open' : 'spark-dot'}
            />
          )}
        </svg>
      )}
    </div>
  );
}
