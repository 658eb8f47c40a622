// What was, day by day, and what is expected, with its ranges: the farther ahead, the wider they are.
import { useState } from 'preact/hooks';
import { dayName, estimate, monthAndYear, monthShort, moneyTick, percentDigits, t } from '../i18n';
import { fromNumber } from '../lib/fixed';
import { daysBetween } from '../lib/period';
import type { FanPoint } from '../lib/outlook';
import { useWidth } from '../parts/basics';
import { labelWidth, ticks } from './scale';

interface Props {
  title: string;
  points: FanPoint[];
  currency: string;
}

const AIR = 10; // between a label and what stands beside it
const BOTTOM = 26;
const TOP = 26; // the words on where the past ends stand here

export function Fan({ title, points, currency }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<{ i: number; keyboard: boolean } | undefined>(undefined);
  const words = t.value.outlook;
  const height = width < 560 ? 260 : 340;
  const reach = extent(points);
  const marks = ticks(reach.low, reach.high, width < 560 ? 3 : 4);
  const step = marks.length > 1 ? marks[1]! - marks[0]! : 1;
  const tickText = (mark: number) => (mark === 0 ? '0' : moneyTick(fromNumber(mark), step, currency));
  const left = Math.ceil(Math.max(...marks.map((mark) => labelWidth(tickText(mark))))) + AIR;
  const plot = { width: Math.max(0, width - left), height: height - TOP - BOTTOM };
  const high = Math.max(reach.high, marks.at(-1) ?? 0) || 1;
  const low = Math.min(reach.low, marks[0] ?? 0);
  const y = (value: number) => TOP + (1 - (value - low) / (high - low)) * plot.height;
  const dx = plot.width / Math.max(1, points.length);
  const x = (i: number) => left + (i + 0.5) * dx;
  const split = points.findIndex((point) => Number.isFinite(point.mean));
  const now = split < 0 ? undefined : left + split * dx;
  const to = (i: number, keyboard: boolean) =>
    setAt({ i: Math.max(0, Math.min(points.length - 1, i)), keyboard });
  const onKey = (event: KeyboardEvent) => {
    const here = at?.i ?? Math.max(0, split - 1);
    const next: Record<string, number> = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - 7,
      PageDown: here + 7,
      Home: 0,
      End: points.length - 1,
    };
    if (event.key === 'Escape') setAt(undefined);
    else if (event.key in next) {
      event.preventDefault();
      to(next[event.key]!, true);
    }
  };
  const point = at && points[at.i];
  return (
    <div class="chart" ref={ref}>
      <div
        class="plot fan"
        tabIndex={0}
        role="application"
        aria-label={`${title}. ${words.keys}`}
        style={{ height: `${height}px` }}
        onKeyDown={onKey}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          to(Math.floor((event.clientX - box.left - left) / dx), false);
        }}
        onPointerLeave={() => setAt(undefined)}
        onBlur={() => setAt(undefined)}
      >
        {width > 0 && points.length > 0 && (
          <svg width={width} height={height} aria-hidden="true">
            {marks.map((mark) => (
              <g class={mark === 0 ? 'tick zero' : 'tick'}>
                <line x1={left} x2={width} y1={y(mark)} y2={y(mark)} />
                <text x={left - AIR} y={y(mark) + 4} text-anchor="end">
                  {tickText(mark)}
                </text>
              </g>
            ))}
            <Months points={points} left={left} dx={dx} width={width} height={height} />
            {levelsOf(points).map((level) => (
              <path class={`band level-${level}`} d={band(points, level, x, y)} />
            ))}
            <path class="fan-past" d={line(points, (p) => p.actual, x, y)} />
            <path class="fan-mean" d={line(points, (p) => p.mean, x, y)} />
            {now !== undefined && (
              <PastEnds x={now} width={width} height={height} left={left} />
            )}
            {at && point && (
              <g class="fan-cursor">
                <line x1={x(at.i)} x2={x(at.i)} y1={TOP} y2={height - BOTTOM} />
                <Dot x={x(at.i)} y={y(Number.isFinite(point.mean) ? point.mean : point.actual)} />
              </g>
            )}
          </svg>
        )}
        {at && point && width > 0 && (
          <Readout point={point} currency={currency} x={x(at.i)} width={width} />
        )}
      </div>
      <p class="sr-only" aria-live="polite">
        {at?.keyboard && point ? spoken(point, currency) : ''}
      </p>
      <Legend levels={levelsOf(points)} />
    </div>
  );
}

const Dot = ({ x, y }: { x: number; y: number }) =>
  Number.isFinite(y) ? <circle cx={x} cy={y} r="3.5" /> : null;

function PastEnds(props: { x: number; left: number; width: number; height: number }) {
  const words = t.value.outlook;
  const { x, left, width, height } = props;
  const roomLeft = x - left > labelWidth(words.past) + AIR;
  const roomRight = width - x > labelWidth(words.ahead) + AIR;
  return (
    <g class="fan-now">
      <line x1={x} x2={x} y1={8} y2={height - BOTTOM} />
      {roomLeft && (
        <text x={x - 8} y={17} text-anchor="end">
          {words.past}
        </text>
      )}
      {roomRight && (
        <text x={x + 8} y={17}>
          {words.ahead}
        </text>
      )}
    </g>
  );
}

/** Where each month begins, named where it has room. */
function Months(props: {
  points: FanPoint[];
  left: number;
  dx: number;
  width: number;
  height: number;
}) {
  const { points, left, dx, width, height } = props;
  const starts = points.flatMap(({ day }, i) => (day.endsWith('-01') ? [{ day, i }] : []));
  let free = left;
  return (
    <>
      {starts.map(({ day, i }, n) => {
        const month = day.slice(0, 7);
        const text = n === 0 || month.endsWith('-01') ? monthAndYear(month) : monthShort(month);
        const from = left + i * dx;
        const named = from >= free && from + labelWidth(text) <= width;
        if (named) free = from + labelWidth(text) + AIR;
        return (
          <g class="tick">
            <line x1={from} x2={from} y1={TOP} y2={height - BOTTOM + (named ? 6 : 0)} />
            {named && (
              <text class="axis" x={from} y={height - 8}>
                {text}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

function Legend({ levels }: { levels: number[] }) {
  const words = t.value.outlook;
  return (
    <p class="fan-legend soft small" aria-hidden="true">
      <span>
        <i class="past" /> {words.actual}
      </span>
      <span>
        <i class="mean" /> {words.expected}
      </span>
      {[...levels].reverse().map((level) => (
        <span>
          <i class={`band level-${level}`} /> {words.range(percentDigits(level / 100, 0))}
        </span>
      ))}
    </p>
  );
}

/** The widest first: the narrower lie on top of it. */
const levelsOf = (points: readonly FanPoint[]): number[] =>
  (points.find((point) => point.ranges.length > 0)?.ranges ?? []).map((range) => range.level);

/** From the least to the most that is drawn; a fan that opens over all bounds is cut at nothing. */
export function extent(points: readonly FanPoint[]): { low: number; high: number } {
  let low = 0;
  let high = 0;
  for (const { actual, mean, ranges } of points)
    for (const value of [actual, mean, ...ranges.flatMap((r) => [r.lower, r.upper])])
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
  return { low, high };
}

type Place = (value: number) => number;
function line(points: readonly FanPoint[], of: (p: FanPoint) => number, x: Place, y: Place): string {
  let path = '';
  let pen = false;
  points.forEach((point, i) => {
    const value = of(point);
    const drawn = Number.isFinite(value);
    if (drawn) path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = drawn;
  });
  return path;
}

function band(points: readonly FanPoint[], level: number, x: Place, y: Place): string {
  const steps = points.flatMap((point, i) => {
    const range = point.ranges.find((each) => each.level === level);
    return range ? [{ i, range }] : [];
  });
  if (steps.length === 0) return '';
  const place = (i: number, value: number) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
  const up = steps.map(({ i, range }) => place(i, range.upper));
  const down = steps.reverse().map(({ i, range }) => place(i, range.lower));
  return `M${[...up, ...down].join('L')}z`;
}

function spoken(point: FanPoint, currency: string): string {
  const words = t.value.outlook;
  if (!Number.isFinite(point.mean))
    return Number.isFinite(point.actual)
      ? words.saidActual(dayName(point.day), estimate(point.actual, currency))
      : words.saidNothing(dayName(point.day));
  const range = point.ranges.find((each) => each.level === 80) ?? point.ranges[0];
  return words.saidExpected(
    dayName(point.day),
    estimate(point.mean, currency),
    range ? percentDigits(range.level / 100, 0) : '',
    range ? estimate(range.lower, currency) : '',
    range ? estimate(range.upper, currency) : '',
  );
}

function Readout(props: { point: FanPoint; currency: string; x: number; width: number }) {
  const { point, currency, x, width } = props;
  const words = t.value.outlook;
  const ahead = Number.isFinite(point.mean);
  const value = ahead ? point.mean : point.actual;
  return (
    <div class={x > width / 2 ? 'readout flip' : 'readout'} style={{ left: `${x}px` }}>
      <p class="readout-head">
        <span>{dayName(point.day)}</span>
        <strong>{estimate(value, currency)}</strong>
      </p>
      <p class="soft small">{ahead ? words.expected : words.actual}</p>
      {ahead && (
        <table>
          <tbody>
            {[...point.ranges].reverse().map((range) => (
              <tr>
                <td>
                  <i class={`band-key band level-${range.level}`} />
                </td>
                <td>{words.range(percentDigits(range.level / 100, 0))}</td>
                <td class="number">
                  {estimate(range.lower, currency)} – {estimate(range.upper, currency)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** A word-sized fan: the last days, what is expected, and four of five outcomes. */
export function FanSpark({ points, level = 80 }: { points: FanPoint[]; level?: number }) {
  const width = 96;
  const height = 28;
  const { low, high } = extent(
    points.map((point) => ({ ...point, ranges: point.ranges.filter((r) => r.level === level) })),
  );
  const x = (i: number) => 1 + (i * (width - 2)) / Math.max(1, points.length - 1);
  const y = (value: number) => 1 + (1 - (value - low) / (high - low || 1)) * (height - 2);
  return (
    <svg class="fan fan-spark" width={width} height={height} aria-hidden="true">
      <path class={`band level-${level}`} d={band(points, level, x, y)} />
      <path class="fan-past" d={line(points, (p) => p.actual, x, y)} />
      <path class="fan-mean" d={line(points, (p) => p.mean, x, y)} />
    </svg>
  );
}

/** How many days of the past a spark shows beside what is ahead. */
export const sparkOf = (points: readonly FanPoint[]): FanPoint[] => {
  const split = points.findIndex((point) => Number.isFinite(point.mean));
  const from = Math.max(0, split - 45);
  const end = points.findIndex(({ day }) => daysBetween(points[split]?.day ?? day, day) >= 45);
  return points.slice(from, end < 0 ? undefined : end);
};
