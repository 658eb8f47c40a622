// Rows by columns as a shaded table: every cell is a figure and a link. The amount stands in the cell, so that the shade
// only helps to find it; where there is no room, the cell that has the focus is read out below.
import { useState } from 'preact/hooks';
import { amountCompact, money, moneyCompact, percent } from '../i18n';
import { abs, ratio, size } from '../lib/fixed';
import type { View } from '../lib/state';
import { Link, useWidth } from '../parts/basics';

interface Props {
  corner: string;
  rows: string[];
  columns: string[];
  valueAt: (row: string, column: string) => bigint;
  rowTotal: (row: string) => bigint;
  columnTotal: (column: string) => bigint;
  total: bigint;
  rowName: (row: string) => string;
  columnName: (column: string) => string;
  linkOf: (row: string | undefined, column: string | undefined) => Partial<View>;
  currency: string;
  totalName: string;
}

export function Heat(props: Props) {
  const { rows, columns, currency } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  // Room for an amount in a cell: its name takes a quarter or a third of the width, the total a tenth.
  const tight = width > 0 && (width * (width < 640 ? 0.69 : 0.62)) / columns.length < 40;
  const [focus, setFocus] = useState<{ row: string; column: string } | undefined>(undefined);
  const top = Math.max(
    1e-12,
    ...rows.flatMap((row) => columns.map((column) => size(abs(props.valueAt(row, column))))),
  );
  // One cell is a stop of the Tab key; arrow keys go on from there.
  const keys = rows.flatMap((row) =>
    columns
      .filter((column) => props.valueAt(row, column) !== 0n)
      .map((column) => `${row}\u0000${column}`),
  );
  const [visited, setVisited] = useState('');
  const stop = keys.includes(visited) ? visited : keys[0];
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    };
    const by = steps[event.key];
    const cell = (event.target as Element).closest('td');
    if (!by || !cell) return;
    event.preventDefault();
    const row = cell.parentElement as HTMLTableRowElement;
    const body = row.parentElement as HTMLTableSectionElement;
    let r = row.sectionRowIndex + by[0];
    let c = cell.cellIndex + by[1];
    // Empty cells are passed over.
    for (
      ;
      r >= 0 && r < body.rows.length && c > 0 && c < row.cells.length;
      r += by[0], c += by[1]
    ) {
      const link = body.rows[r]!.cells[c]!.querySelector('a');
      if (link) {
        link.focus();
        return;
      }
    }
  };
  const text = focus
    ? `${props.rowName(focus.row)} · ${props.columnName(focus.column)}: ${money(props.valueAt(focus.row, focus.column), currency)} (${percent(
        ratio(props.valueAt(focus.row, focus.column), props.total),
      )})`
    : '\u00a0';
  return (
    <div class={tight ? 'heat tight' : 'heat'} ref={ref}>
      <table onKeyDown={move} onPointerLeave={() => setFocus(undefined)}>
        <thead>
          <tr>
            <th scope="col">
              {props.corner} {!tight && <span class="unit nowrap">{currency}</span>}
            </th>
            {columns.map((column) => (
              <th scope="col">
                <span>{props.columnName(column)}</span>
              </th>
            ))}
            <th scope="col" class="heat-total">
              {props.totalName}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <th scope="row">
                <Link to={props.linkOf(row, undefined)}>{props.rowName(row)}</Link>
              </th>
              {columns.map((column) => {
                const value = props.valueAt(row, column);
                if (value === 0n) return <td class="void">·</td>;
                // The eye reads areas and shades by their root.
                const shade = Math.max(0.05, Math.sqrt(size(abs(value)) / top));
                return (
                  <td>
                    <Link
                      to={props.linkOf(row, column)}
                      tabIndex={stop === `${row}\u0000${column}` ? 0 : -1}
                      onFocus={() => {
                        setVisited(`${row}\u0000${column}`);
                        setFocus({ row, column });
                      }}
                      class={`heat-cell ${shade > 0.76 ? 'strong' : ''} ${value < 0n ? 'credit' : ''}`}
                      label={`${props.rowName(row)}, ${props.columnName(column)}: ${money(value, currency)}`}
                    >
                      <i style={{ opacity: String(shade) }} />
                      <span onPointerEnter={() => setFocus({ row, column })} aria-hidden="true">
                        {amountCompact(value)}
                      </span>
                    </Link>
                  </td>
                );
              })}
              <td class="heat-total">
                <Link to={props.linkOf(row, undefined)} tabIndex={-1}>
                  {moneyCompact(props.rowTotal(row), currency)}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{props.totalName}</th>
            {columns.map((column) => (
              <td>
                <Link to={props.linkOf(undefined, column)}>
                  {amountCompact(props.columnTotal(column))}
                </Link>
              </td>
            ))}
            <td class="heat-total">
              <Link to={props.linkOf(undefined, undefined)}>
                {moneyCompact(props.total, currency)}
              </Link>
            </td>
          </tr>
        </tfoot>
      </table>
      <p class="heat-read soft small" aria-hidden="true">
        {text}
      </p>
    </div>
  );
}
