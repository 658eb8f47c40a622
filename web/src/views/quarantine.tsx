// The rows that an import could not read, to be worked through: where each stands, what is wrong, what to do.
import { useEffect, useState } from 'preact/hooks';
import { exactDecimal, instantName, integer, t } from '../i18n';
import { parseFixed } from '../lib/fixed';
import {
  getQuarantined,
  quarantineFile,
  type Quarantine,
  type QuarantinedRow,
  type QuarantineImport,
} from '../lib/health';
import { Problem, Waiting } from '../parts/figure';
import { Select } from '../parts/basics';

const PAGE_ROWS = 15;

export function QuarantinePanel({ quarantine, title }: { quarantine: Quarantine; title: string }) {
  const words = t.value.health;
  const [id, setId] = useState(quarantine.imports[0]?.id ?? '');
  const chosen = quarantine.imports.find((one) => one.id === id) ?? quarantine.imports[0];
  const cost = Object.entries(quarantine.cost);
  return (
    <section class="quarantine" aria-label={words.quarantineOf(title)}>
      <p>
        {words.quarantineLead}
        {cost.length > 0 && (
          <>
            {' '}
            {words.quarantineCost(
              cost.map(([currency, sum]) => amountName(sum, currency)).join(' + '),
            )}
          </>
        )}
      </p>
      <ul class="quarantine-reasons">
        {quarantine.reasons.map(([code, rows]) => (
          <li>
            <strong>{integer(rows)}</strong> {words.faults[code] ?? code}
            {words.remedies[code] && <span class="soft block small">{words.remedies[code]}</span>}
          </li>
        ))}
      </ul>
      {!quarantine.reasonsOfAll && <p class="soft small">{words.reasonsOfSome}</p>}
      {quarantine.imports.length > 1 && (
        <Select
          visible
          label={words.ofImport}
          value={chosen?.id ?? ''}
          options={quarantine.imports.map((one) => ({ value: one.id, label: importName(one) }))}
          onChange={setId}
        />
      )}
      {chosen && <Rows key={chosen.id} of={chosen} />}
    </section>
  );
}

const amountName = (sum: string, currency: string): string =>
  `${exactDecimal(parseFixed(sum))} ${currency === '(none)' ? t.value.health.noCurrency : currency}`;

const importName = (one: QuarantineImport): string =>
  `${instantName(one.time)} · ${one.files.join(', ')} · ${t.value.health.rows(integer(one.rows), one.rows)}`;

function Rows({ of }: { of: QuarantineImport }) {
  const words = t.value.health;
  const [offset, setOffset] = useState(0);
  const [state, set] = useState<{ rows?: QuarantinedRow[]; more?: boolean; error?: unknown }>({});
  useEffect(() => {
    let open = true;
    getQuarantined(of.id, offset, PAGE_ROWS).then(
      (page) => open && set(page),
      (error: unknown) => open && set({ error }),
    );
    return () => {
      open = false;
    };
  }, [of.id, offset]);
  if (state.error !== undefined) return <Problem error={state.error} />;
  if (!state.rows) return <Waiting height={120} />;
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.quarantine}>
        <table class="data cards quarantine-rows">
          <thead>
            <tr>
              <th scope="col">{words.place}</th>
              <th scope="col">{words.reason}</th>
              <th scope="col">{words.rawRow}</th>
            </tr>
          </thead>
          <tbody>
            {state.rows.map((row) => (
              <tr>
                <th scope="row">
                  {row.file}
                  <span class="soft block">{words.line(integer(row.line))}</span>
                </th>
                <td>
                  <span lang="en">{row.reason}</span>
                  {words.remedies[row.code] && (
                    <span class="soft block small">{words.remedies[row.code]}</span>
                  )}
                </td>
                <td>
                  <pre tabIndex={0} aria-label={words.rawRow}>
                    {row.raw}
                  </pre>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="quarantine-tools">
        <button
          type="button"
          class="button"
          disabled={offset === 0}
          onClick={() => setOffset(Math.max(0, offset - PAGE_ROWS))}
        >
          {words.earlier}
        </button>
        <span class="soft">
          {words.shown(
            integer(offset + 1),
            integer(offset + state.rows.length),
            integer(of.rows),
          )}
        </span>
        <button
          type="button"
          class="button"
          disabled={!state.more}
          onClick={() => setOffset(offset + PAGE_ROWS)}
        >
          {words.later}
        </button>
        <a class="button" href={quarantineFile(of.id)} download={`quarantine-${of.id}.jsonl`}>
          {words.download}
        </a>
      </div>
    </>
  );
}
