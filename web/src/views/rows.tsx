// Charges as the ledger holds them, each with where it came from.
import { useEffect, useState } from 'preact/hooks';
import { dayName, dimensionName, exactDecimal, instantName, quantity, t } from '../i18n';
import { parseFixed, USAGE_SCALE } from '../lib/fixed';
import { valueName } from '../lib/names';
import { explain, type Explanation, type RowsPage } from '../lib/api';
import { Icon } from '../parts/basics';

type Lineage = 'observed' | 'derived' | 'assumed' | 'missing';

/** "ListCost=assumed;HostProviderName=derived" */
export function parseLineage(text: string | null | undefined): Map<string, Lineage> {
  const marks = new Map<string, Lineage>();
  for (const part of (text ?? '').split(';')) {
    const [column, mark] = part.split('=');
    if (
      column &&
      (mark === 'derived' || mark === 'assumed' || mark === 'missing' || mark === 'observed')
    )
      marks.set(column.trim(), mark);
  }
  return marks;
}

const MARKS: Record<Lineage, string> = { observed: '', derived: '◇', assumed: '△', missing: '○' };

export function RowsTable({ page, offset }: { page: RowsPage; offset: number }) {
  const words = t.value.explore;
  const at = new Map(page.columns.map((column, i) => [column, i]));
  const [open, setOpen] = useState<number | undefined>(undefined);
  const used = new Set<Lineage>();
  const rows = page.rows.map((row) => {
    const get = (column: string): string => row[at.get(column) ?? -1] ?? '';
    const marks = parseLineage(get('x_Lineage'));
    return { row, get, marks };
  });
  for (const { marks } of rows)
    for (const column of ['ListCost', 'EffectiveCost', 'BilledCost', 'ContractedCost'])
      used.add(marks.get(column) ?? 'observed');
  // Charges stand in the currency that they were billed in, whatever the figures are reported in.
  const billed = new Set(rows.map(({ get }) => get('BillingCurrency')));
  const currency = billed.size === 1 ? [...billed][0] : '';
  // Points stand below points: what has fewer decimals ends further to the left.
  const decimals = (text: string): number => text.split('.')[1]?.length ?? 0;
  const finest = (column: string): number =>
    Math.max(...rows.map(({ get }) => decimals(exactAmount(get(column)))));
  const most = new Map(['ListCost', 'EffectiveCost', 'BilledCost'].map((c) => [c, finest(c)]));
  const amount = (get: (c: string) => string, marks: Map<string, Lineage>, column: string) => {
    const mark = marks.get(column);
    const value = get(column);
    const text = value === '' ? '–' : exactAmount(value);
    return (
      <span
        class="exact"
        style={{ paddingRight: value === '' ? '0' : `${most.get(column)! - decimals(text)}ch` }}
      >
        {mark && mark !== 'observed' && (
          <span class="mark-sign" title={words.lineage[mark]}>
            <span aria-hidden="true">{MARKS[mark]}</span>
            <span class="sr-only">({words.lineage[mark]})</span>
          </span>
        )}
        {text}
        {!currency && value !== '' && <span class="unit"> {get('BillingCurrency')}</span>}
      </span>
    );
  };
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.rows}>
        <table class="data rows">
          <caption class="sr-only">{words.rows}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="sr-only">{words.rowNumber}</span>
              </th>
              <th scope="col">{words.when}</th>
              <th scope="col">{words.what}</th>
              <th scope="col">{words.who}</th>
              <th scope="col" class="number">
                {words.usage}
              </th>
              <th scope="col" class="number">
                {words.list} <span class="unit">{currency}</span>
              </th>
              <th scope="col" class="number">
                {words.effective} <span class="unit">{currency}</span>
              </th>
              <th scope="col" class="number">
                {words.billed} <span class="unit">{currency}</span>
              </th>
              <th scope="col">{words.origin}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ row, get, marks }, i) => {
              const expanded = open === i;
              const number = offset + i + 1;
              return (
                <>
                  <tr class={expanded ? 'expanded' : ''}>
                    <td>
                      <button
                        type="button"
                        class={expanded ? 'icon-button small turned' : 'icon-button small'}
                        aria-expanded={expanded}
                        aria-label={expanded ? words.hideRow(number) : words.showRow(number)}
                        onClick={() => setOpen(expanded ? undefined : i)}
                      >
                        <Icon name="right" />
                      </button>
                    </td>
                    <td
                      class="nowrap"
                      title={`${get('ChargePeriodStart')} – ${get('ChargePeriodEnd')}`}
                    >
                      {whenText(get('ChargePeriodStart'))}
                    </td>
                    <td>
                      <span class="two-lines">
                        <span>
                          {get('ServiceName') || '–'}{' '}
                          <span class="soft">{get('ServiceProviderName')}</span>
                        </span>
                        <span class="soft clip" title={get('ResourceId')}>
                          {get('ResourceName') ||
                            get('ResourceId') ||
                            get('SkuId') ||
                            get('ChargeDescription')}
                        </span>
                      </span>
                    </td>
                    <td>
                      <span class="two-lines">
                        <span>{valueName('team', get('team') || '(unallocated)')}</span>
                        <span class="soft">
                          {[
                            valueName('driver', get('driver')),
                            get('model') && valueName('model', get('model')),
                          ]
                            .filter(Boolean)
                            .join(' · ')}
                        </span>
                      </span>
                    </td>
                    <td class="number">
                      {get('ConsumedQuantity') ? (
                        <span class="two-lines">
                          <span>
                            {quantity(
                              parseFixed(get('ConsumedQuantity'), USAGE_SCALE),
                              USAGE_SCALE,
                            )}
                          </span>
                          <span class="soft">{get('ConsumedUnit')}</span>
                        </span>
                      ) : (
                        '–'
                      )}
                    </td>
                    <td class="number">{amount(get, marks, 'ListCost')}</td>
                    <td class="number strong">
                      <span class="two-lines">
                        {amount(get, marks, 'EffectiveCost')}
                        {get('x_Confidence') === 'estimate' && (
                          <span class="soft">{words.estimate}</span>
                        )}
                      </span>
                    </td>
                    <td class="number">{amount(get, marks, 'BilledCost')}</td>
                    <td class="soft small nowrap">
                      <span class="two-lines">
                        <span class="clip" title={get('x_SourceFile')}>
                          {get('x_SourceFile') || '–'}
                        </span>
                        {get('x_SourceLine') && <span>{words.line(get('x_SourceLine'))}</span>}
                      </span>
                    </td>
                  </tr>
                  {expanded && (
                    <tr class="details">
                      <td colSpan={9}>
                        <div class="details-body">
                          <Why columns={page.columns} row={row} />
                          <dl>
                            {page.columns.map((column, c) => {
                              const value = row[c];
                              if (
                                (value === null || value === undefined || value === '') &&
                                !marks.has(column)
                              )
                                return null;
                              const mark = marks.get(column);
                              return (
                                <div>
                                  <dt>
                                    {column}
                                    {mark && mark !== 'observed' && (
                                      <span class="mark-sign" title={words.lineage[mark]}>
                                        {' '}
                                        {MARKS[mark]} {words.lineage[mark]}
                                      </span>
                                    )}
                                  </dt>
                                  <dd>{value || '–'}</dd>
                                </div>
                              );
                            })}
                          </dl>
                        </div>
                      </td>
                    </tr>
                  )}
                </>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="soft small mark-key">
        {(['derived', 'assumed', 'missing'] as const)
          .filter((mark) => used.has(mark))
          .map((mark) => (
            <span>
              <span aria-hidden="true">{MARKS[mark]}</span> {words.lineage[mark]}
            </span>
          ))}
      </p>
    </>
  );
}

function exactAmount(value: string): string {
  try {
    return exactDecimal(parseFixed(value));
  } catch {
    return value;
  }
}

const DIMENSION_OF_RULES = [
  'driver',
  'stage',
  'ai_class',
  'team',
  'project',
  'use_case',
  'model',
  'environment',
  'workload',
];

/** Which rule, tag or column gave the charge its dimensions. */
function Why({ columns, row }: { columns: string[]; row: (string | null)[] }) {
  const words = t.value.explore;
  const [reasons, set] = useState<Explanation[] | undefined>(undefined);
  useEffect(() => {
    let current = true;
    explain(Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null]))).then(
      (answer) => current && set(answer),
      () => undefined, // The charge itself is shown all the same.
    );
    return () => {
      current = false;
    };
  }, [row]);
  if (!reasons) return null;
  return (
    <>
      <h3>{words.why}</h3>
      <dl>
        {reasons
          .filter((reason) => reason.value !== null)
          .sort(
            (a, b) =>
              DIMENSION_OF_RULES.indexOf(a.dimension) - DIMENSION_OF_RULES.indexOf(b.dimension),
          )
          .map((reason) => (
            <div>
              <dt>{dimensionName(reason.dimension)}</dt>
              <dd>
                {valueName(reason.dimension, reason.value!)}{' '}
                <span class="soft">{reason.setBy && words.setBy(reason.setBy)}</span>
              </dd>
            </div>
          ))}
      </dl>
    </>
  );
}
function whenText(instant: string): string {
  if (!instant || Number.isNaN(Date.parse(instant))) return instant || '–';
  return /T00:00:00/.test(instant) || instant.length === 10
    ? dayName(instant)
    : instantName(instant);
}
