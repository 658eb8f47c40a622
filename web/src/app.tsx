import { useEffect, useRef, useState } from 'preact/hooks';
import { integer, locale, t } from './i18n';
import { listen, type CostQuery } from './lib/api';
import { estate, ledgerChanged, refreshFacts, useAnswer, version } from './lib/data';
import { months as monthsOf } from './lib/analysis';
import { resolveScope, ScopeContext } from './lib/scope';
import { view } from './lib/state';
import { heard as heardOfWatch, refreshIncidents } from './lib/watching';
import { valueName } from './lib/names';
import { CopyButton, Problem, Waiting } from './parts/figure';
import { Icon } from './parts/basics';
import { Textures } from './charts/paint';
import { Header, live, Mark } from './views/header';
import { Toolbar } from './views/toolbar';
import { Overview } from './views/overview';
import { Explore } from './views/explore';
import { BudgetsView } from './views/budgets';
import { HealthView } from './views/health';
import { IncidentsView } from './views/incidents';
import { titleOf } from './views/incident-words';
import { OutlookView } from './views/outlook';
import { ImportView } from './views/import';

// Which months and currencies there are, and the last day with charges: what everything else is asked within.
const MONTHS: CostQuery = { measures: ['charges'], grain: 'month' };
const DAYS: CostQuery = { measures: ['charges'], grain: 'day' };

export function App() {
  const months = useAnswer(MONTHS);
  const days = useAnswer(DAYS);
  const words = t.value;
  const [notice, setNotice] = useState<{ text: string; warn?: boolean } | undefined>(undefined);
  const heard = useRef(''); // the newest commit that the stream has told of
  useEffect(() => {
    void refreshFacts();
    return listen(
      (event) => {
        setNotice({ text: noticeText(event) });
        heard.current = String(event['id'] ?? '');
        ledgerChanged();
      },
      (commit) => {
        if (heard.current && commit && heard.current !== commit) ledgerChanged();
        heard.current = commit;
        void refreshIncidents();
      },
      (open) => (live.value = open),
      (kind, document) => {
        const incident = heardOfWatch(kind, document);
        if (incident) setNotice({ text: t.value.watch.opened(titleOf(incident)), warn: true });
      },
    );
  }, []);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => setNotice(undefined), 12_000);
    return () => clearTimeout(timer);
  }, [notice]);
  useEffect(() => {
    document.documentElement.lang = locale.value;
    document.title =
      estate.value && estate.value.name !== 'Flyball'
        ? `Flyball · ${estate.value.name}`
        : 'Flyball';
  });

  const error = months.error ?? days.error;
  const ready = months.answer && days.answer;
  const list = ready ? monthsOf(months.answer!.rows) : { names: [], latest: '' };
  const lastDay = days.answer?.rows.reduce((last, row) => {
    const day = row['period'] ?? '';
    // A few charges may lie ahead of the newest month; they do not say how fresh it is.
    return day > last && day.slice(0, 7) <= list.latest ? day : last;
  }, '');
  const currencies = Object.keys(months.answer?.totals_by_currency ?? {}).sort();
  const scope =
    ready && list.names.length > 0
      ? resolveScope(view.value, list, lastDay ?? '', currencies, estate.value?.currency ?? 'USD')
      : undefined;
  const page = view.value.page;
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        {words.skip}
      </a>
      <Textures />
      <Header currencies={scope?.reporting ? [] : currencies} currency={scope?.currency ?? ''} />
      <ScopeContext.Provider value={scope}>
        {scope && (page === 'overview' || page === 'explore') && <Toolbar />}
        <main id="main" tabIndex={-1}>
          {page === 'import' ? (
            <div class="wrap narrow">
              <ImportView />
            </div>
          ) : page === 'budgets' ? (
            <div class="wrap">
              <BudgetsView />
            </div>
          ) : page === 'outlook' ? (
            <div class="wrap">
              <OutlookView />
            </div>
          ) : page === 'incidents' ? (
            <div class="wrap">
              <IncidentsView />
            </div>
          ) : page === 'health' ? (
            <div class="wrap">
              <HealthView />
            </div>
          ) : error ? (
            <div class="wrap">
              <Problem
                error={error}
                retry={() => {
                  months.retry();
                  days.retry();
                  void refreshFacts();
                }}
              />
            </div>
          ) : !ready ? (
            <div class="wrap">
              <Waiting height={600} />
            </div>
          ) : !scope ? (
            <Empty />
          ) : page === 'explore' ? (
            <Explore />
          ) : (
            <Overview />
          )}
        </main>
      </ScopeContext.Provider>
      <Footer commit={months.answer?.commit ?? ''} />
      <div class="notices" aria-live="polite">
        {notice && (
          <p class="notice">
            <Icon name={notice.warn ? 'warn' : 'check'} />
            <span>{notice.text}</span>
            <button
              type="button"
              class="icon-button small"
              aria-label={words.live.dismiss}
              onClick={() => setNotice(undefined)}
            >
              <Icon name="close" />
            </button>
          </p>
        )}
      </div>
    </>
  );
}

function noticeText(event: Record<string, unknown>): string {
  const words = t.value.live;
  if (event['kind'] === 'classify') return words.newRules;
  const facts =
    typeof event['facts'] === 'object' && event['facts']
      ? (event['facts'] as Record<string, unknown>)
      : {};
  const rows = Number(event['rows'] ?? facts['rows_in_slices'] ?? NaN);
  const source = String(event['source'] ?? '');
  return source && Number.isFinite(rows)
    ? words.newData(valueName('source', source), integer(rows), rows)
    : words.changed;
}

function Empty() {
  const words = t.value.empty;
  const commands = [
    [words.command, 'flyball import BILL.csv'],
    [words.demo, 'flyball demo'],
  ] as const;
  return (
    <div class="wrap narrow empty">
      <Mark />
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <ImportView first />
      {commands.map(([text, command]) => (
        <div>
          <p class="soft">{text}</p>
          <div class="code-line">
            <code>{command}</code>
            <CopyButton text={command} />
          </div>
        </div>
      ))}
    </div>
  );
}

function Footer({ commit }: { commit: string }) {
  const words = t.value.footer;
  return (
    <footer class="wrap foot">
      <span>{words.local}</span>
      <span>{words.utc}</span>
      {commit && <span>{words.readAt(commit.slice(0, 12))}</span>}
      {version.value && <span>{words.version(version.value)}</span>}
    </footer>
  );
}
