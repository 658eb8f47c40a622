// A word-sized line: the last months of a key figure.
import { useWidth } from '../parts/basics';

export function Spark({ points, label, zero = true }: { points: number[]; label: string; zero?: boolean }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const height = 36;
  const known = points.filter(Number.isFinite);
  const high = Math.max(...known, zero ? 0 : -Infinity);
  const low = Math.min(...known, zero ? 0 : Infinity);
  const x = (i: number) => 3 + (i * (width - 6)) / Math.max(1, points.length - 1);
  const y = (v: number) => 3 + (1 - (v - low) / (high - low || 1)) * (height - 6);
  let path = '';
  points.forEach((v, i) => {
    if (Number.isFinite(v)) path += `${path && Number.isFinite(points[i - 1]!) ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
  });
  const last = points.length - 1;
  return (
    <div class="spark" ref={ref} role="img" aria-label={label}>
      {width > 0 && known.length > 1 && (
        <svg width={width} height={height} aria-hidden="true">
          {zero && <line x1="0" x2={width} y1={y(0)} y2={y(0)} class="rule" />}
          <path d={path} class="spark-line" />
          {Number.isFinite(points[last]!) && <circle cx={x(last)} cy={y(points[last]!)} r="2.800" class="spark-dot" />}
        </svg>
      )}
    </div>
  );
}
