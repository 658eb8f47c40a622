// Stacked bars over time. Costs stack up from zero, credits down from it.
import { useMemo, useState } from 'preact/hooks';
import {
  bucketName,
  dayShort,
  money,
  monthAndYear,
  moneyTick,
  monthShort,
  percent,
  t,
} from '../i18n';
import { fromNumber, ratio, size, sum } from '../lib/fixed';
import type { Grain } from '../lib/period';
import type { Layer } from '../lib/analysis';
import { useWidth } from '../parts/basics';
import { fillOf, Swatch, type Paint } from './paint';
import { labelWidth, ticks } from './scale';

interface Props {
  title: string;
  names: string[];
  grain: Grain;
  layers: Layer[];
  paint: (value: string, rank: number) => Paint;
  nameOf: (value: string) => string;
  currency: string;
  /** Buckets from this one on are not complete. */
  partialFrom?: number | undefined;
  selected?: number | undefined;
  height?: number;
  onPick: (bucket: number, layer: string | undefined) => void;
}
interface Cursor {
  bucket: number;
  layer: number; // -1: the whole bucket
  keyboard: boolean;
}

const AIR = 10; // between a label and what stands beside it
const BOTTOM = 26;
const TOP = 10;

export function Stack(props: Props) {
  const { names, layers, grain, currency } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<Cursor | undefined>(undefined);
  const height = props.height ?? (width < 560 ? 240 : 320);
  const boxes = useMemo(() => stackBoxes(names.length, layers), [names, layers]);
  const marks = ticks(boxes.low, boxes.high, width < 560 ? 3 : 4);
  const tickStep = marks.length > 1 ? marks[1]! - marks[0]! : 1;
  const tickText = (mark: number) =>
    mark === 0 ? '0' : moneyTick(fromNumber(mark), tickStep, currency);
  const left = Math.ceil(Math.max(...marks.map((mark) => labelWidth(tickText(mark))))) + AIR;
  const plot = { width: Math.max(0, width - left), height: height - TOP - BOTTOM };
  const high = Math.max(boxes.high, marks.at(-1) ?? 0) || 1;
  const low = Math.min(boxes.low, marks[0] ?? 0);
  const y = (v: number) => TOP + (1 - (v - low) / (high - low)) * plot.height;
  const step = plot.width / Math.max(1, names.length);
  const gap = step > 24 ? Math.min(14, step * 0.22) : step > 6 ? 1 : 0;
  const x = (i: number) => left + i * step + gap / 2;
  const barWidth = Math.max(1, Math.min(step - gap, 72));
  const inset = (step - gap - barWidth) / 2;

  const layerAt = (bucket: number, py: number): number =>
    boxes.columns[bucket]!.findIndex(
      (box) => py >= y(Math.max(box.from, box.to)) && py <= y(Math.min(box.from, box.to)),
    );
  const point = (event: PointerEvent | MouseEvent): Cursor | undefined => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const bucket = Math.floor((event.clientX - box.left - left) / step);
    if (bucket < 0 || bucket >= names.length) return undefined;
    return { bucket, layer: layerAt(bucket, event.clientY - box.top), keyboard: false };
  };
  const pick = (at: Cursor | undefined) => at && props.onPick(at.bucket, layers[at.layer]?.value);
  const onKey = (event: KeyboardEvent) => {
    const now = cursor ?? { bucket: names.length, layer: -1, keyboard: true };
    const to = (bucket: number, layer: number) => {
      event.preventDefault();
      setCursor({
        bucket: Math.max(0, Math.min(names.length - 1, bucket)),
        layer: Math.max(-1, Math.min(layers.length - 1, layer)),
        keyboard: true,
      });
    };
    if (event.key === 'ArrowLeft') to(now.bucket - 1, now.layer);
    else if (event.key === 'ArrowRight') to(now.bucket + 1, now.layer);
    else if (event.key === 'ArrowUp') to(Math.min(now.bucket, names.length - 1), now.layer + 1);
    else if (event.key === 'ArrowDown') to(Math.min(now.bucket, names.length - 1), now.layer - 1);
    else if (event.key === 'Home') to(0, now.layer);
    else if (event.key === 'End') to(names.length - 1, now.layer);
    else if (event.key === 'Escape') setCursor(undefined);
    else if (event.key === 'Enter' && cursor) pick(cursor);
  };

  // The last bucket is always named; a name wider than its bucket ends with the plot, and needs room for it.
  const widest = Math.max(
    0,
    ...names.map((name) => labelWidth(grain === 'month' ? monthAndYear(name) : dayShort(name))),
  );
  const room = step < widest ? 1.5 * widest : widest;
  const every = Math.max(1, Math.ceil((room + AIR) / Math.max(1, step)));
  const named = names.flatMap((name, i) =>
    (names.length - 1 - i) % every === 0 ? [{ name, i }] : [],
  );
  return (
    <div class="chart" ref={ref}>
      <div
        class="plot"
        tabIndex={0}
        role="application"
        aria-label={`${props.title}. ${t.value.figure.keys}`}
        style={{ height: `${height}px` }}
        onKeyDown={onKey}
        onPointerMove={(event) => setCursor(point(event))}
        onPointerLeave={() => setCursor(undefined)}
        onBlur={() => setCursor(undefined)}
        onClick={(event) => pick(point(event))}
      >
        {width > 0 && (
          <svg width={width} height={height} aria-hidden="true">
            {marks.map((mark) => (
              <g class={mark === 0 ? 'tick zero' : 'tick'}>
                <line x1={left} x2={width} y1={y(mark)} y2={y(mark)} />
                <text x={left - AIR} y={y(mark) + 4} text-anchor="end">
                  {tickText(mark)}
                </text>
              </g>
            ))}
            {cursor && (
              <rect
                class="column-mark"
                x={left + cursor.bucket * step}
                y={TOP}
                width={step}
                height={plot.height}
              />
            )}
            {layers.map((layer, l) => (
              <path
                fill={fillOf(props.paint(layer.value, l))}
                class={cursor && cursor.layer >= 0 && cursor.layer !== l ? 'layer dim' : 'layer'}
                d={names
                  .map((_, i) => {
                    const box = boxes.columns[i]![l]!;
                    const top = y(Math.max(box.from, box.to));
                    const tall = y(Math.min(box.from, box.to)) - top;
                    if (tall <= 0) return '';
                    const air = tall > 3 && step > 6 ? 1 : 0;
                    return `M${(x(i) + inset).toFixed(1)} ${(top + air).toFixed(1)}h${barWidth.toFixed(1)}v${(tall - air).toFixed(1)}h-${barWidth.toFixed(1)}z`;
                  })
                  .join('')}
              />
            ))}
            {props.partialFrom !== undefined && props.partialFrom < names.length && (
              <rect
                class="partial"
                x={left + props.partialFrom * step}
                y={TOP}
                width={step * (names.length - props.partialFrom)}
                height={plot.height}
              />
            )}
            {named.map(({ name, i }, n) => {
              const text = axisName(name, grain, named[n - 1]?.name);
              const last = i === names.length - 1 && step < labelWidth(text);
              return (
                <text
                  class={i === props.selected ? 'axis selected' : 'axis'}
                  x={last ? width : left + (i + 0.5) * step}
                  y={height - 8}
                  text-anchor={last ? 'end' : 'middle'}
                >
                  {text}
                </text>
              );
            })}
          </svg>
        )}
        {cursor && width > 0 && (
          <Readout
            {...props}
            cursor={cursor}
            x={left + (cursor.bucket + 0.5) * step}
            width={width}
          />
        )}
      </div>
      <p class="sr-only" aria-live="polite">
        {cursor?.keyboard ? spoken(props, cursor) : ''}
      </p>
    </div>
  );
}

/** Months say their year where it is another than that of the label before. */
const axisName = (name: string, grain: Grain, before: string | undefined): string =>
  grain !== 'month'
    ? dayShort(name)
    : before?.slice(0, 4) === name.slice(0, 4)
      ? monthShort(name)
      : monthAndYear(name);

interface Box {
  from: number;
  to: number;
}
function stackBoxes(
  count: number,
  layers: readonly Layer[],
): { columns: Box[][]; low: number; high: number } {
  let low = 0;
  let high = 0;
  const columns = Array.from({ length: count }, (_, i) => {
    let up = 0n;
    let down = 0n;
    return layers.map((layer): Box => {
      const amount = layer.points[i]!;
      const from = amount < 0n ? down : up;
      if (amount < 0n) down += amount;
      else up += amount;
      high = Math.max(high, size(up));
      low = Math.min(low, size(down));
      return { from: size(from), to: size(from + amount) };
    });
  });
  return { columns, low, high };
}

const bucketTotal = (layers: readonly Layer[], bucket: number): bigint =>
  sum(layers.map((layer) => layer.points[bucket]!));

function spoken(props: Props, cursor: Cursor): string {
  const whole = bucketTotal(props.layers, cursor.bucket);
  const name = bucketName(props.names[cursor.bucket]!, props.grain);
  const layer = props.layers[cursor.layer];
  const text = t.value.spend.point(name, money(whole, props.currency));
  if (!layer) return text;
  const amount = layer.points[cursor.bucket]!;
  return `${name}. ${t.value.spend.layer(props.nameOf(layer.value), money(amount, props.currency), percent(ratio(amount, whole)))}`;
}

function Readout(props: Props & { cursor: Cursor; x: number; width: number }) {
  const { cursor, layers, currency } = props;
  const whole = bucketTotal(layers, cursor.bucket);
  const flip = props.x > props.width / 2;
  const incomplete = props.partialFrom !== undefined && cursor.bucket >= props.partialFrom;
  return (
    <div class={flip ? 'readout flip' : 'readout'} style={{ left: `${props.x}px` }}>
      <p class="readout-head">
        <span>{bucketName(props.names[cursor.bucket]!, props.grain)}</span>
        <strong>{money(whole, currency)}</strong>
      </p>
      {incomplete && <p class="soft small">{t.value.spend.partial}</p>}
      <table>
        <tbody>
          {layers
            .map((layer, l) => ({ layer, l }))
            .filter(({ layer }) => layer.points[cursor.bucket] !== 0n)
            .reverse()
            .map(({ layer, l }) => (
              <tr class={l === cursor.layer ? 'current' : ''}>
                <td>
                  <Swatch paint={props.paint(layer.value, l)} />
                </td>
                <td>{props.nameOf(layer.value)}</td>
                <td class="number">{money(layer.points[cursor.bucket]!, currency)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
