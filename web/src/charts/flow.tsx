// The flow of money through three dimensions: widths are amounts.
import { useMemo, useState } from 'preact/hooks';
import { sankey, sankeyLinkHorizontal, type SankeyLink, type SankeyNode } from 'd3-sankey';
import { money, moneyCompact, percent, t } from '../i18n';
import { ratio, size } from '../lib/fixed';
import type { Flow as FlowData } from '../lib/analysis';
import { useWidth } from '../parts/basics';
import { fillOf, type Paint } from './paint';

interface NodeFacts {
  id: string;
  column: number;
  value_: string;
  amount: bigint;
}
interface LinkFacts {
  amount: bigint;
  hue: number;
}
type Node = SankeyNode<NodeFacts, LinkFacts>;
type Edge = SankeyLink<NodeFacts, LinkFacts>;
type Item = { kind: 'node'; node: Node } | { kind: 'link'; link: Edge };

interface Props {
  title: string;
  data: FlowData;
  paint: (column: number, value: string, rank: number) => Paint;
  nameOf: (column: number, value: string) => string;
  heads: string[];
  currency: string;
  total: bigint;
  /** Values for each column that is fixed by what was picked. */
  onPick: (picked: { column: number; value: string }[]) => void;
}

const NARROW = 560; // pixels, below which only names stand beside the nodes
const NODE_ROOM = 64; // pixels of height for each node of the longest column, up to that of the whole
/** The most letters of a name for each column, where there is little room. */
const LETTERS = [11, 16, 22];

const end = (side: Edge['source']): Node => side as Node;

export function Flow(props: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<{ index: number; keyboard: boolean } | undefined>(undefined);
  const narrow = width < NARROW;
  const longest = Math.max(...props.data.columns.map((column) => column.length));
  const height = Math.min(narrow ? 440 : 560, Math.max(200, longest * NODE_ROOM));
  const graph = useMemo(
    () => (width > 0 ? layout(props, width, height) : undefined),
    [props.data, width, height],
  );
  const items: Item[] = graph
    ? [
        ...graph.nodes.map((node): Item => ({ kind: 'node', node })),
        ...graph.links.map((link): Item => ({ kind: 'link', link })),
      ]
    : [];
  const current = cursor ? items[cursor.index] : undefined;
  const pick = (item: Item | undefined) => {
    if (!item) return;
    const part = (node: Node) => ({ column: node.column, value: node.value_ });
    props.onPick(
      item.kind === 'node'
        ? [part(item.node)]
        : [part(end(item.link.source)), part(end(item.link.target))],
    );
  };
  const onKey = (event: KeyboardEvent) => {
    const forward = event.key === 'ArrowRight' || event.key === 'ArrowDown';
    if (forward || event.key === 'ArrowLeft' || event.key === 'ArrowUp') {
      event.preventDefault();
      const from = cursor?.index ?? (forward ? -1 : items.length);
      setCursor({
        index: Math.max(0, Math.min(items.length - 1, from + (forward ? 1 : -1))),
        keyboard: true,
      });
    } else if (event.key === 'Enter') pick(current);
    else if (event.key === 'Escape') setCursor(undefined);
  };
  const name = (node: Node) => props.nameOf(node.column, node.value_);
  const describe = (item: Item): string => {
    const amount = item.kind === 'node' ? item.node.amount : item.link.amount;
    const what =
      item.kind === 'node'
        ? name(item.node)
        : t.value.flow.link(name(end(item.link.source)), name(end(item.link.target)));
    return `${what}: ${money(amount, props.currency)} (${percent(ratio(amount, props.total))})`;
  };
  const lit = (link: Edge): boolean =>
    !current ||
    (current.kind === 'link'
      ? current.link === link
      : end(link.source) === current.node || end(link.target) === current.node);
  const path = sankeyLinkHorizontal<NodeFacts, LinkFacts>();
  const over = (index: number) => () => setCursor({ index, keyboard: false });
  const last = props.data.columns.length - 1;

  return (
    <div class="chart flow">
      <p class="flow-heads" aria-hidden="true">
        {props.heads.map((head) => (
          <span>{head}</span>
        ))}
      </p>
      <div
        class="plot"
        ref={ref}
        tabIndex={0}
        role="application"
        aria-label={`${props.title}. ${t.value.figure.keys}`}
        style={{ height: `${height}px` }}
        onKeyDown={onKey}
        onPointerLeave={() => setCursor(undefined)}
        onBlur={() => setCursor(undefined)}
      >
        {graph && (
          <svg width={width} height={height} aria-hidden="true">
            <g class="flow-links">
              {graph.links.map((link, i) => (
                <path
                  d={path(link) ?? ''}
                  stroke={`var(--hue-${link.hue})`}
                  stroke-width={Math.max(1, link.width ?? 1)}
                  class={current ? (lit(link) ? 'lit' : 'dim') : ''}
                  onPointerEnter={over(graph.nodes.length + i)}
                  onClick={() => pick({ kind: 'link', link })}
                />
              ))}
            </g>
            {graph.nodes.map((node, i) => {
              const rank = props.data.columns[node.column]!.indexOf(node.value_);
              const fill =
                node.column === 1 ? fillOf(props.paint(1, node.value_, rank)) : 'var(--ink-soft)';
              // Where it is narrow the last column has the whole right half for its names.
              const before = node.column === last || (narrow && node.column > 0);
              return (
                <g
                  class={`flow-node ${current?.kind === 'node' && current.node === node ? 'lit' : ''}`}
                  onPointerEnter={over(i)}
                  onClick={() => pick({ kind: 'node', node })}
                >
                  <rect
                    x={node.x0!}
                    y={node.y0!}
                    width={node.x1! - node.x0!}
                    height={Math.max(1, node.y1! - node.y0!)}
                    fill={fill}
                  />
                  <text
                    x={before ? node.x0! - 7 : node.x1! + 7}
                    y={(node.y0! + node.y1!) / 2}
                    dy="0.35em"
                    text-anchor={before ? 'end' : 'start'}
                  >
                    {clip(name(node), narrow ? (LETTERS[node.column] ?? 11) : 26)}
                    {!narrow && (
                      <tspan class="soft"> {moneyCompact(node.amount, props.currency)}</tspan>
                    )}
                  </text>
                </g>
              );
            })}
          </svg>
        )}
      </div>
      <p class="flow-read soft small" aria-hidden="true">
        {current ? describe(current) : '\u00a0'}
      </p>
      <p class="sr-only" aria-live="polite">
        {cursor?.keyboard && current ? describe(current) : ''}
      </p>
    </div>
  );
}

const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function layout(props: Props, width: number, height: number) {
  const { data } = props;
  const id = (column: number, value: string) => `${column}:${value}`;
  const nodes: NodeFacts[] = data.columns.flatMap((values, column) =>
    values.map((value) => ({
      id: id(column, value),
      column,
      value_: value,
      amount: data.totals[column]!.get(value)!,
    })),
  );
  const links = data.links.flatMap((list, i) =>
    list.map((link) => {
      const driver = i === 0 ? link.to : link.from;
      const rank = data.columns[1]!.indexOf(driver);
      return {
        source: id(i, link.from),
        target: id(i + 1, link.to),
        value: size(link.value),
        amount: link.value,
        hue: props.paint(1, driver, rank).hue,
      };
    }),
  );
  const most = Math.max(...data.columns.map((c) => c.length));
  return sankey<NodeFacts, LinkFacts>()
    .nodeId((node) => node.id)
    .nodeWidth(9)
    .nodePadding(Math.max(8, Math.min(22, 150 / most)))
    .iterations(32)
    .extent([
      [0, 6],
      [width, height - 6],
    ])({ nodes, links });
}
