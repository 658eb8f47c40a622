// The frame of every figure: what it says in words, the figure or its table, and how it was made.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n';
import { formatWhere } from '../lib/where';
import { ApiError, type Answer, type CostQuery } from '../lib/api';
import type { View } from '../lib/state';
import type { Fetched } from '../lib/data';
import { Icon, Link } from './basics';

export interface Cell {
  text: string;
  to?: Partial<View>;
}
export interface TableData {
  head: string[];
  rows: (string | Cell)[][];
  /** Columns before this one are words, the others numbers. */
  numbersFrom: number;
  foot?: string[];
}

export function DataTable({ data, caption }: { data: TableData; caption: string }) {
  const cell = (value: string | Cell) =>
    typeof value === 'string' ? (
      value
    ) : value.to ? (
      <Link to={value.to}>{value.text}</Link>
    ) : (
      value.text
    );
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="data pinned">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {data.head.map((text, i) => (
              <th scope="col" class={i >= data.numbersFrom ? 'number' : ''}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map((row) => (
            <tr>
              {row.map((value, i) =>
                i === 0 ? (
                  <th scope="row">{cell(value)}</th>
                ) : (
                  <td class={i >= data.numbersFrom ? 'number' : ''}>{cell(value)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        {data.foot && (
          <tfoot>
            <tr>
              {data.foot.map((text, i) =>
                i === 0 ? (
                  <th scope="row">{text}</th>
                ) : (
                  <td class={i >= data.numbersFrom ? 'number' : ''}>{text}</td>
                ),
              )}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}

export interface Made {
  command: string;
  hash?: string;
  commit?: string;
}
interface FigureProps {
  title: string;
  summary?: string | undefined;
  note?: ComponentChildren;
  controls?: ComponentChildren;
  asked: Fetched<unknown>[];
  queries?: (CostQuery | undefined)[];
  /** What asks for the same on the command line, where it is no cost query. */
  made?: Made[];
  table?: TableData | undefined;
  empty?: boolean;
  emptyText?: string;
  class?: string;
  minHeight?: number;
  /** Said while it takes long. */
  waitingText?: string;
  help?: ComponentChildren;
  children: ComponentChildren;
}

export function Figure(props: FigureProps) {
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const [made, setMade] = useState(false);
  const words = t.value.figure;
  const failed = props.asked.find((asked) => asked.error);
  const waiting = props.asked.some((asked) => !asked.answer && !asked.error);
  const stale = props.asked.some((asked) => asked.stale);
  // What an older answer said is not true of what was asked now.
  const summary = failed || waiting ? undefined : props.summary;
  return (
    <div
      class={`figure ${props.class ?? ''}`}
      role="figure"
      aria-labelledby={`${id}-t`}
      aria-describedby={summary ? `${id}-s` : undefined}
    >
      <header class="figure-head">
        <div class="figure-title">
          <h2 id={`${id}-t`}>{props.title}</h2>
          {props.help}
        </div>
        {props.controls && <div class="figure-controls">{props.controls}</div>}
        <div class="figure-tools">
          {props.table && !props.empty && !failed && (
            <button
              type="button"
              class="icon-button"
              aria-pressed={asTable}
              aria-label={asTable ? words.showChart : words.showTable}
              title={asTable ? words.showChart : words.showTable}
              onClick={() => setAsTable(!asTable)}
            >
              <Icon name={asTable ? 'chart' : 'table'} />
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-expanded={made}
            aria-label={words.made}
            title={words.made}
            onClick={() => setMade(!made)}
          >
            <Icon name="code" />
          </button>
        </div>
        {summary && (
          <p class="summary" id={`${id}-s`}>
            {summary}
          </p>
        )}
      </header>
      {made && <MadeOf {...props} />}
      {failed ? (
        <Problem error={failed.error} retry={failed.retry} />
      ) : waiting ? (
        <Waiting height={props.minHeight ?? 240} text={props.waitingText} />
      ) : props.empty ? (
        <p class="nothing">{props.emptyText ?? words.empty}</p>
      ) : (
        <div class={stale ? 'figure-body stale' : 'figure-body'} aria-busy={stale}>
          {asTable && props.table ? (
            <DataTable data={props.table} caption={props.title} />
          ) : (
            props.children
          )}
        </div>
      )}
      {!failed && props.note}
    </div>
  );
}

export function Waiting({ height, text }: { height: number; text?: string | undefined }) {
  return (
    <div class="waiting" style={{ minHeight: `${height}px` }} role="status">
      <span class={text ? 'waiting-text' : 'sr-only'}>{text ?? t.value.figure.loading}</span>
    </div>
  );
}

// The server's sentences are made for the command line, which puts a place before them.
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function problemText(error: unknown): { message: string; hint: string } {
  const words = t.value.error;
  if (!(error instanceof ApiError))
    return { message: words.title, hint: error instanceof Error ? error.message : '' };
  if (error.status === 0) return { message: words.title, hint: words.offline };
  if (error.status === 401) return { message: words.unauthorized, hint: error.message };
  if (error.code === 'DEADLINE_EXCEEDED') return { message: words.slow, hint: words.slowHint };
  return { message: sentence(error.message) || words.title, hint: sentence(error.hint) };
}
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { message, hint } = problemText(error);
  return (
    <div class="problem" role="alert">
      <Icon name="warn" />
      <div>
        <p class="strong">{message}</p>
        {hint && <p class="soft">{hint}</p>}
        {retry && (
          <button type="button" class="button" onClick={retry}>
            {t.value.error.retry}
          </button>
        )}
      </div>
    </div>
  );
}

/** The same question for a shell: what the page shows can be asked again, word for word. */
export function commandOf(query: CostQuery): string {
  const quote = (text: string) =>
    /^[\w.,:@/-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
  const parts = ['flyball query --measures', query.measures.join(',')];
  const option = (name: string, value: string | number | undefined) => {
    if (value) parts.push(`--${name}`, quote(String(value)));
  };
  option('by', query.by?.join(','));
  option('grain', query.grain === 'none' ? undefined : query.grain);
  option('from', query.from);
  option('to', query.to);
  option('where', formatWhere(query.where ?? []));
  option('top', query.top);
  option('basis', query.basis);
  option('in', query.currency);
  return parts.join(' ');
}

function MadeOf({ queries = [], asked, made = [] }: FigureProps) {
  const words = t.value.figure;
  return (
    <div class="made">
      <h3>{words.made}</h3>
      {queries.map((query, i) => {
        const answer = asked[i]?.answer as Answer | undefined;
        return (
          query && (
            <MadeOne
              command={commandOf(query)}
              {...(answer ? { hash: answer.query_hash, commit: answer.commit } : {})}
              readFrom={answer?.read_from}
            />
          )
        );
      })}
      {made.map((one) => (
        <MadeOne {...one} />
      ))}
    </div>
  );
}

function MadeOne(props: Made & { readFrom?: string | undefined }) {
  const words = t.value.figure;
  return (
    <div class="made-one">
      <div class="code-line">
        <code>{props.command}</code>
        <CopyButton text={props.command} />
      </div>
      {props.commit && (
        <p class="soft">
          {props.hash && (
            <>
              {words.hash} <code>{props.hash.slice(0, 12)}</code> ·{' '}
            </>
          )}
          {words.commit} <code>{props.commit.slice(0, 12)}</code>
          {props.readFrom && ` · ${words.readFrom[props.readFrom] ?? props.readFrom}`}
        </p>
      )}
    </div>
  );
}

export function CopyButton({ text }: { text: string }) {
  const [copied, set] = useState(false);
  const words = t.value.figure;
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => {
      set(true);
      setTimeout(() => set(false), 1600);
    });
  };
  return (
    <button type="button" class="button quiet" onClick={copy}>
      {copied ? words.copied : words.copy}
    </button>
  );
}
