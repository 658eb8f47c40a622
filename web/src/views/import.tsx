// Bringing in a bill: choose or drop, check or import, and read what became of every row.
import { useRef, useState } from 'preact/hooks';
import { integer, monthName, percentDigits, t } from '../i18n';
import { sendImport, ApiError, type ImportReport, type SumCheck } from '../lib/api';
import { loadSecret, storeSecret } from '../lib/local';
import { go } from '../lib/state';
import { ledgerChanged } from '../lib/data';
import { valueName } from '../lib/names';
import { Icon } from '../parts/basics';
import { Problem } from '../parts/figure';
import { TokenField } from '../parts/token-field';

type State =
  | { kind: 'idle' }
  | { kind: 'sending'; share: number }
  | { kind: 'failed'; error: unknown }
  | { kind: 'done'; report: ImportReport; dry: boolean };

const ACCEPT = '.csv,.gz,.zst,.parquet,.jsonl,.ndjson';
const QUARANTINE_SHOWN = 50;

export function ImportView({ first }: { first?: boolean }) {
  const words = t.value.imports;
  const [files, setFiles] = useState<File[]>([]);
  const [source, setSource] = useState('');
  const [token, setToken] = useState(loadSecret('token'));
  const [state, set] = useState<State>({ kind: 'idle' });
  const input = useRef<HTMLInputElement>(null);
  const busy = state.kind === 'sending';
  const send = (dry: boolean) => {
    storeSecret('token', token);
    set({ kind: 'sending', share: 0 });
    sendImport(files, source.trim(), token.trim(), dry, (done, total) =>
      set({ kind: 'sending', share: total ? done / total : 0 }),
    ).then(
      (report) => {
        set({ kind: 'done', report, dry });
        if (!dry && !report.unchanged) ledgerChanged();
      },
      (error: unknown) =>
        set({
          kind: 'failed',
          error:
            error instanceof ApiError && (error.status === 401 || error.status === 403)
              ? new ApiError(words.token401, 400, words.tokenHelp)
              : error,
        }),
    );
  };
  return (
    <div class="import">
      <header>
        {first ? <h2>{words.title}</h2> : <h1>{words.title}</h1>}
        <p class="soft">{words.lead}</p>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (files.length) send(false);
        }}
      >
        <DropZone onFiles={(more) => setFiles([...files, ...more])}>
          <Icon name="upload" />
          <p>
            <strong>{first ? t.value.empty.drop : words.drop}</strong> {words.or}{' '}
            <button type="button" class="as-link" onClick={() => input.current?.click()}>
              {words.choose}
            </button>
          </p>
          <input
            ref={input}
            class="sr-only"
            tabIndex={-1}
            type="file"
            multiple
            accept={ACCEPT}
            aria-label={words.choose}
            onChange={(event) => {
              setFiles([...files, ...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
          {files.length > 0 && (
            <ul class="file-list">
              {files.map((file, i) => (
                <li>
                  <span>{file.name}</span>
                  <span class="soft number">{bytesText(file.size)}</span>
                  <button
                    type="button"
                    class="icon-button small"
                    aria-label={words.remove(file.name)}
                    onClick={() => setFiles(files.filter((_, j) => j !== i))}
                  >
                    <Icon name="close" />
                  </button>
                </li>
              ))}
            </ul>
          )}
        </DropZone>
        <div class="fields">
          <label>
            <span>{words.source}</span>
            <input
              type="text"
              value={source}
              placeholder={words.sourcePlaceholder}
              autocomplete="off"
              onInput={(e) => setSource(e.currentTarget.value)}
            />
            <small class="soft">{words.sourceHelp}</small>
          </label>
          <TokenField name={words.token} value={token} onInput={setToken} />
        </div>
        <div class="actions">
          <button type="submit" class="button primary" disabled={!files.length || busy}>
            {words.send}
          </button>
          <button
            type="button"
            class="button"
            disabled={!files.length || busy}
            onClick={() => send(true)}
          >
            {words.check}
          </button>
          <span class="soft" role="status">
            {state.kind === 'sending' &&
              (state.share < 1 ? words.sending(percentDigits(state.share, 0)) : words.working)}
          </span>
        </div>
      </form>
      {state.kind === 'failed' && <Problem error={state.error} />}
      {state.kind === 'done' && <Report report={state.report} dry={state.dry} />}
      {state.kind === 'done' && !state.dry && (
        <div class="actions">
          <button
            type="button"
            class="button primary"
            onClick={() => go({ page: 'overview', period: '', where: [], offset: 0 })}
          >
            {words.see}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => {
              setFiles([]);
              set({ kind: 'idle' });
            }}
          >
            {words.another}
          </button>
        </div>
      )}
    </div>
  );
}

function DropZone({
  onFiles,
  children,
}: {
  onFiles: (files: File[]) => void;
  children: preact.ComponentChildren;
}) {
  const [over, setOver] = useState(false);
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {children}
    </div>
  );
}

function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(unit && value < 10 ? 1 : 0)} ${units[unit]}`;
}

function Report({ report, dry }: { report: ImportReport; dry: boolean }) {
  const words = t.value.imports;
  const rows = (n: number) => integer(n);
  const kept = report.rows_in ? report.rows_kept / report.rows_in : 0;
  const sorted = (counts: Record<string, number> | undefined) =>
    Object.entries(counts ?? {}).sort((a, b) => b[1] - a[1]);
  const repairs = sorted(report.repairs);
  const findings = sorted(report.findings);
  // Rows that could not be read have no currency, and nothing to add up in it.
  const byCurrency = Object.entries(report.billed_cost_by_currency ?? {}).filter(([, check]) =>
    [check.in, check.kept, check.quarantined, check.residue].some((text) => /[1-9]/.test(text)),
  );
  const sums: [string, SumCheck][] = byCurrency.length ? byCurrency : [['', report.billed_cost]];
  const heads = [words.sumIn, words.sumKept, words.sumQuarantined, words.sumResidue];
  const message = report.unchanged
    ? words.unchanged
    : dry
      ? words.checked
      : words.done(report.source);
  return (
    <section class="report" aria-live="polite" aria-label={message}>
      <p class="report-head">
        <Icon name="check" /> <strong>{message}</strong>
        <span class="soft">
          {report.focus_version && words.format(report.focus_version)}
          {report.commit && !dry && (
            <>
              {' · '}
              <code>{report.commit.slice(0, 12)}</code>
            </>
          )}
        </span>
      </p>
      <div class="report-rows">
        <div>
          <span class="soft">{words.rowsIn}</span>
          <strong>{rows(report.rows_in)}</strong>
        </div>
        <span class="sign" aria-hidden="true">
          =
        </span>
        <div>
          <span class="soft">{words.rowsKept}</span>
          <strong>{rows(report.rows_kept)}</strong>
        </div>
        <span class="sign" aria-hidden="true">
          +
        </span>
        <div>
          <span class="soft">{words.rowsQuarantined}</span>
          <strong>{rows(report.rows_quarantined)}</strong>
        </div>
      </div>
      <div class="report-bar" aria-hidden="true">
        <i style={{ width: `${kept * 100}%` }} />
      </div>
      <h3>{words.sums}</h3>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.sums}>
        <table class="data sums cards">
          <thead>
            <tr>
              {byCurrency.length > 0 && <th scope="col">{t.value.settings.currency}</th>}
              {heads.map((head) => (
                <th scope="col" class="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sums.map(([currency, check]) => (
              <tr>
                {currency && <th scope="row">{valueName('currency', currency)}</th>}
                {[check.in, check.kept, check.quarantined, check.residue].map((value, i) => (
                  <td class="number" data-label={heads[i]}>
                    {grouped(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="soft small">
        {sums.every(([, check]) => sumHolds(check)) ? words.sumHolds : words.sumFails}
      </p>
      {!!report.overlaps?.length && (
        <>
          <h3>{words.overlaps}</h3>
          <p class="soft small">{words.overlapsRemedy}</p>
          <ul>
            {report.overlaps.map((each) => (
              <li>
                {words.overlap(
                  each.source,
                  monthName(each.period),
                  each.billing_account,
                  `${grouped(each.billed_cost_standing)} ${each.currency}`,
                  `${grouped(each.billed_cost)} ${each.currency}`,
                )}
                {each.same_bill && <strong> {words.sameBill}</strong>}
                {each.refused && <strong> {words.overlapRefused}</strong>}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{words.repairs}</h3>
      {repairs.length === 0 ? <p class="soft">{words.repairsNone}</p> : <Counts counts={repairs} />}
      {findings.length > 0 && (
        <>
          <h3>{words.findings}</h3>
          <Counts counts={findings} />
        </>
      )}
      {report.quarantine.length > 0 && (
        <>
          <h3>{words.quarantine}</h3>
          <div class="table-scroll" tabIndex={0} role="region" aria-label={words.quarantine}>
            <table class="data">
              <thead>
                <tr>
                  <th scope="col" class="number">
                    {words.line}
                  </th>
                  <th scope="col">{words.reason}</th>
                </tr>
              </thead>
              <tbody>
                {report.quarantine.slice(0, QUARANTINE_SHOWN).map((row) => (
                  <tr>
                    <td class="number">{row.line}</td>
                    <td>{row.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function Counts({ counts }: { counts: [string, number][] }) {
  const most = Math.max(1, ...counts.map(([, n]) => n));
  return (
    <ul class="repairs">
      {counts.map(([kind, n]) => (
        <li>
          <span>{t.value.defects[kind] ?? kind}</span>
          <span class="simple-bar" aria-hidden="true">
            <i style={{ width: `${(n / most) * 100}%` }} />
          </span>
          <span class="number">{integer(n)}</span>
        </li>
      ))}
    </ul>
  );
}

/** "10498.7821335" as "10,498.7821335": every digit that the server wrote. */
function grouped(text: string): string {
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(text) ?? [];
  return whole ? `${sign ? '−' : ''}${integer(BigInt(whole))}${rest}` : text;
}

/** in = kept + quarantined + residue, on as many digits as the texts have. */
export function sumHolds(check: SumCheck): boolean {
  const texts = [check.in, check.kept, check.quarantined, check.residue];
  const plain = /^-?\d+(\.\d+)?$/;
  if (!texts.every((text) => plain.test(text))) return true;
  const digits = Math.max(...texts.map((text) => (text.split('.')[1] ?? '').length));
  const [all, kept, quarantined, residue] = texts.map((text) => {
    const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
    const units = BigInt(whole + fraction.padEnd(digits, '0'));
    return text.startsWith('-') ? -units : units;
  }) as [bigint, bigint, bigint, bigint];
  return all === kept + quarantined + residue;
}
