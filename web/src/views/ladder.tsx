// The way from each invoice of a month to what the ledger has of it, step by step, to the last digit.
import { useEffect, useState } from 'preact/hooks';
import { dayShort, exactDecimal, instantName, integer, money, moneyDigits, monthName, t } from '../i18n';
import { Bridge } from '../charts/bridge';
import { generation } from '../lib/data';
import {
  findingOf,
  getMonth,
  isEqual,
  isUnknownIssuer,
  wordKey,
  type Health,
  type Ladder,
  type LadderStep,
  type Month,
} from '../lib/health';
import { addMonths, isMonth } from '../lib/period';
import { drill, go, view, type View } from '../lib/state';
import type { Filter } from '../lib/where';
import { CopyButton, Problem, Waiting } from '../parts/figure';
import { Icon, Select } from '../parts/basics';

export function MonthLadders({ months }: { months: Health['months'] }) {
  const words = t.value.health;
  const chosen = view.value.period;
  const names = months.map((month) => month.period);
  const now = new Date().toISOString().slice(0, 7);
  // The month before this one is being reconciled; a running one has no invoices yet.
  const usual = names.find((name) => name < now) ?? names[0]!;
  const period = isMonth(chosen) && names.includes(chosen) ? chosen : usual;
  const step = (by: number) => {
    const next = names[names.indexOf(period) - by];
    if (next) go({ period: next }, true);
  };
  return (
    <section class="figure ladder" aria-labelledby="health-ladder">
      <header class="figure-head">
        <div class="figure-title">
          <h2 id="health-ladder">{words.ladder}</h2>
        </div>
        <div class="figure-controls period">
          <button
            type="button"
            class="icon-button"
            aria-label={t.value.period.previous}
            disabled={period === names.at(-1)}
            onClick={() => step(-1)}
          >
            <Icon name="left" />
          </button>
          <Select
            label={t.value.period.label}
            value={period}
            options={months.map((month) => ({
              value: month.period,
              label: `${monthName(month.period)}${month.close ? ` · ${words.closed}` : ''}`,
            }))}
            onChange={(next) => go({ period: next }, true)}
          />
          <button
            type="button"
            class="icon-button"
            aria-label={t.value.period.next}
            disabled={period === names[0]}
            onClick={() => step(1)}
          >
            <Icon name="right" />
          </button>
        </div>
      </header>
      <OneMonth key={period} period={period} />
    </section>
  );
}

function OneMonth({ period }: { period: string }) {
  const words = t.value.health;
  const [state, set] = useState<{ month?: Month; error?: unknown }>({});
  const [attempt, setAttempt] = useState(0);
  const at = generation.value;
  useEffect(() => {
    let open = true;
    getMonth(period).then(
      (month) => open && set({ month }),
      (error: unknown) => open && set({ error }),
    );
    return () => {
      open = false;
    };
  }, [period, at, attempt]);
  if (state.error !== undefined)
    return <Problem error={state.error} retry={() => setAttempt(attempt + 1)} />;
  const month = state.month;
  if (!month) return <Waiting height={240} />;
  return (
    <div class="ladder-month" data-equal={String(month.equal ?? '')}>
      <CloseState month={month} />
      {month.ladders.map((ladder) => (
        <OneLadder ladder={ladder} period={month.period} />
      ))}
      {month.without.length > 0 && <Without month={month} />}
      {month.daysWithout.map(([issuer, days]) => (
        <p class="soft">
          <Icon name="warn" />{' '}
          {words.daysWithout(issuer, integer(days.length), days.slice(0, 6).map(dayShort).join(', '))}
        </p>
      ))}
    </div>
  );
}

function CloseState({ month }: { month: Month }) {
  const words = t.value.health;
  const different = month.ladders.filter((ladder) => !isEqual(ladder)).length;
  return (
    <p class="ladder-state">
      {month.close ? (
        <span class="badge">
          {words.closedAt(instantName(month.close.time), month.close.commit.slice(0, 8))}
        </span>
      ) : (
        <span class="badge">{month.over ? words.openMonth : words.runningMonth}</span>
      )}
      <span>
        {month.equal === undefined
          ? words.noInvoices
          : different === 0
            ? month.equal
              ? words.allEqual
              : words.allEqualRounded
            : words.someDiffer(integer(different), integer(month.ladders.length), different)}
      </span>
      <span class="soft small">
        {words.readAt} <code>{month.commit.slice(0, 8)}</code>
      </span>
    </p>
  );
}

function OneLadder({ ladder, period }: { ladder: Ladder; period: string }) {
  const words = t.value.health;
  const link = chargesOf(ladder, period);
  const exact = (units: bigint) => `${exactDecimal(units)} ${ladder.currency}`;
  const calm = isEqual(ladder);
  const name = ladder.invoice ? `${ladder.issuer} · ${ladder.invoice}` : ladder.issuer;
  return (
    <article class="ladder-one" data-issuer={ladder.issuer}>
      <header>
        <h3>{name}</h3>
        {ladder.status && <span class="badge">{words.issuerSays(ladder.status)}</span>}
        <span class={calm ? 'ladder-equal' : 'ladder-diff'}>
          <Icon name={calm ? 'check' : 'warn'} />
          {calm
            ? ladder.steps.length > 0
              ? words.equalRounded(exact(ladder.ledger), exact(ladder.ledger - ladder.invoiced))
              : words.equal(exact(ladder.ledger))
            : words.difference(exact(ladder.ledger - ladder.invoiced))}
        </span>
      </header>
      {!calm && (
        <>
          <Bridge
            before={{ name: words.invoice, value: ladder.invoiced, to: link }}
            now={{ name: words.ledger, value: ladder.ledger, to: link }}
            steps={ladder.steps.map((step, i) => ({
              value: String(i),
              before: 0n,
              now: step.amount,
              delta: step.amount,
            }))}
            nameOf={(i) => {
              const step = ladder.steps[Number(i)]!;
              return words.reasons[wordKey(step.reason)] ?? step.reason;
            }}
            linkOf={() => link}
            currency={ladder.currency}
            amountOf={(units) => moneyDigits(units, ladder.currency, 2)}
          />
          <ol class="ladder-steps">
            {ladder.steps.map((step) => (
              <li>
                <strong>{words.reasons[wordKey(step.reason)] ?? step.reason}</strong>{' '}
                <span class="nowrap">
                  {exact(step.amount)}
                </span>
                {step.where && <span class="soft"> · {step.where}</span>}
                <span class="block">{findingText(step, exact)}</span>
                <span class="soft block small">
                  {!step.since
                    ? words.newStep
                    : step.ageDays === 0
                      ? words.sinceToday(instantName(step.since))
                      : words.since(integer(step.ageDays), instantName(step.since), step.ageDays)}
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      {isUnknownIssuer(ladder) && <p class="soft small">{words.unknownIssuer}</p>}
      {ladder.estimate !== 0n && (
        <p class="soft small">{words.estimate(money(ladder.estimate, ladder.currency))}</p>
      )}
    </article>
  );
}

function findingText(step: LadderStep, exact: (units: bigint) => string): string {
  const words = t.value.health.findings;
  const finding = findingOf(step);
  switch (finding) {
    case 'timing':
      return words.timing(monthName(step.otherPeriod), step.line);
    case 'correction':
    case 'correctedLater':
      return words[finding](monthName(step.otherPeriod));
    case 'estimate':
      return words.estimate(exact(step.estimate));
    case 'onlyInvoice':
      return words.onlyInvoice(step.line);
    case 'both':
      return words.both(exact(step.ledger), exact(step.invoiced));
    default:
      return words[finding];
  }
}

/** What the ledger has of an issuer in a month, and a month around it: charges may be billed beside their month. */
function chargesOf({ issuer, currency }: Ladder, period: string): Partial<View> {
  const filters: Filter[] = [
    { dimension: 'invoice_issuer', values: [issuer] },
    { dimension: 'billing_period', values: [period] },
  ];
  return drill(filters, {
    period: `${addMonths(period, -1)}-01..${addMonths(period, 2)}-01`,
    measure: 'billed_cost',
    currency,
    in: '', // in the invoice's own
  });
}

function Without({ month }: { month: Month }) {
  const words = t.value.health;
  const first = month.without[0]!;
  // Pasted into a shell: a quote in a name must not end the text.
  const issuer = (first.issuer || 'ISSUER').replace(/'/g, `'\\''`);
  const command = `flyball reconcile --period ${month.period} --invoice '${issuer}=TOTAL ${first.currency}'`;
  return (
    <div class="ladder-without">
      <h3>{words.withoutInvoice}</h3>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.withoutInvoice}>
        <table class="data">
          <thead>
            <tr>
              <th scope="col">{words.issuer}</th>
              <th scope="col" class="number">
                {words.ledger}
              </th>
              <th scope="col" class="number">
                {words.ofItEstimate}
              </th>
            </tr>
          </thead>
          <tbody>
            {month.without.map((one) => (
              <tr>
                <th scope="row">
                  {one.issuer || t.value.special['(none)']}
                  {one.invoices && <span class="soft block small">{one.invoices}</span>}
                </th>
                <td class="number">{money(one.ledger, one.currency)}</td>
                <td class="number">{one.estimate === 0n ? '–' : money(one.estimate, one.currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="soft">{words.tellInvoice}</p>
      <div class="code-line">
        <code>{command}</code>
        <CopyButton text={command} />
      </div>
    </div>
  );
}
