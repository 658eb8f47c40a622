// Budgets as they are being spent: asked for again each second while the page is looked at.
import { useEffect, useRef, useState } from 'preact/hooks';
import { exactDecimal, instantName, integer, percent, t } from '../i18n';
import {
  barOf,
  getBudgets,
  hiddenOf,
  isNamed,
  isAmount,
  isOneOfEach,
  setFrozen,
  setLimit,
  type Bar,
  type Budget,
} from '../lib/budgets';
import { fixedText, parseFixed } from '../lib/fixed';
import { Icon } from '../parts/basics';
import { CopyButton, Problem, Waiting } from '../parts/figure';
import { useChanges, type Act } from '../parts/token-field';

const REFRESH_MS = 1000;
const SHOWN_MAX = 200;
const COMMAND = 'flyball budgets set --scope team=NAME --amount 100 --window month';

/** An amount of the budget's measure, to the last digit. */
function amount(budget: Budget, text: string): string {
  const units = parseFixed(text);
  return budget.currency
    ? `${exactDecimal(units)} ${budget.currency}`
    : t.value.budgets.tokens(integer(BigInt(fixedText(units).split('.')[0]!)));
}

function useBudgets() {
  const [state, set] = useState<{ rows?: Budget[]; error?: unknown }>({});
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let open = true;
    const ask = async () => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          const rows = await getBudgets();
          if (open) set({ rows });
        } catch (error) {
          // What was seen last stays, with a word on why it is old.
          if (open) set((old) => ({ ...old, error }));
        }
      }
      clearTimeout(timer);
      if (open) timer = setTimeout(() => void ask(), REFRESH_MS);
    };
    again.current = () => void ask();
    void ask();
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, []);
  return { ...state, again: again.current };
}

export function BudgetsView() {
  const words = t.value.budgets;
  const { rows, error, again } = useBudgets();
  const { act, refusal } = useChanges(words.tokenNeeded, again);
  return (
    <div class="budgets">
      <header>
        <h1>{words.title}</h1>
        <p class="soft">{words.lead}</p>
      </header>
      {error !== undefined && <Problem error={error} retry={again} />}
      {refusal}
      {!rows ? (
        error === undefined && <Waiting height={240} />
      ) : rows.length === 0 ? (
        <Nothing />
      ) : (
        <>
          <Legend />
          <ul class="budget-list">
            {rows.slice(0, SHOWN_MAX).map((budget) => (
              <BudgetItem
                key={`${budget.name}\n${budget.scope}`}
                budget={budget}
                act={isOneOfEach(budget, rows) ? undefined : act}
              />
            ))}
          </ul>
          {hiddenOf(rows, SHOWN_MAX) > 0 && (
            <p class="soft">{words.more(integer(hiddenOf(rows, SHOWN_MAX)))}</p>
          )}
        </>
      )}
    </div>
  );
}

function BudgetItem({ budget, act }: { budget: Budget; act: Act | undefined }) {
  const words = t.value.budgets;
  const [editing, setEditing] = useState(false);
  const bar = barOf(budget);
  return (
    <li class={`budget ${bar.state}`} data-budget={budget.name} data-state={bar.state}>
      <div class="budget-head">
        <h2>{scopeName(budget.scope)}</h2>
        <span class="soft">{windowName(budget)}</span>
        {isNamed(budget) && <span class="soft">{budget.name}</span>}
        {!budget.hard && <span class="tag-word">{words.soft}</span>}
        {bar.state !== 'calm' && (
          <strong class="budget-state" role="status">
            <Icon name="warn" />
            {words.state[bar.state]}
          </strong>
        )}
      </div>
      <Track budget={budget} bar={bar} />
      <dl class="budget-facts">
        <Fact name={words.settled} text={amount(budget, budget.settled)} />
        <Fact name={words.unseen} text={amount(budget, budget.unseen)} />
        <Fact name={words.held} text={amount(budget, budget.held)} />
        <Fact name={words.remaining} text={amount(budget, budget.remaining)} />
        <Fact name={words.limit} text={amount(budget, budget.limit)} />
        <Fact name={words.resets} text={budget.resetsAt ? instantName(budget.resetsAt) : '–'} />
        <Fact name={words.overspend} text={overspend(budget)} />
        <Fact name={words.refused} text={integer(budget.refused)} />
      </dl>
      {act && (
        <div class="budget-tools">
          <button
            type="button"
            class="button"
            onClick={() => void act((token) => setFrozen(budget.name, !budget.frozen, token))}
          >
            {budget.frozen ? words.unfreeze : words.freeze}
          </button>
          {editing ? (
            <Edit
              budget={budget}
              close={() => setEditing(false)}
              save={(text) => void act((token) => setLimit(budget, text, token))}
            />
          ) : (
            <button type="button" class="button quiet" onClick={() => setEditing(true)}>
              {words.edit}
            </button>
          )}
        </div>
      )}
    </li>
  );
}

const Fact = ({ name, text }: { name: string; text: string }) => (
  <div>
    <dt class="soft">{name}</dt>
    <dd>{text}</dd>
  </div>
);

function Track({ budget, bar }: { budget: Budget; bar: Bar }) {
  const words = t.value.budgets;
  const width = (share: number) => `${(share * 100).toFixed(3)}%`;
  const used = fixedText(bar.used);
  return (
    <div class="budget-row">
      <div
        class="budget-track"
        role="img"
        aria-label={words.bar(amount(budget, used), amount(budget, budget.limit))}
      >
        <i class="settled" style={{ width: width(bar.settled) }} />
        <i
          class="unseen"
          style={{ left: width(bar.settled - bar.unseen), width: width(bar.unseen) }}
        />
        <i class="held" style={{ left: width(bar.settled), width: width(bar.held) }} />
        {bar.warn.map((share) => (
          <b class="warn" style={{ left: width(share) }} />
        ))}
        <b class="limit" style={{ left: width(bar.limit) }} />
      </div>
      <span class="budget-share">{percent(bar.share)}</span>
    </div>
  );
}

function Legend() {
  const words = t.value.budgets;
  return (
    <p class="budget-legend soft small" aria-hidden="true">
      {(['settled', 'unseen', 'held', 'warn', 'limit'] as const).map((part) => (
        <span>
          <i class={part} /> {words[part]}
        </span>
      ))}
    </p>
  );
}

function Edit(props: { budget: Budget; close: () => void; save: (text: string) => void }) {
  const words = t.value.budgets;
  const [text, setText] = useState(props.budget.limit);
  return (
    <form
      class="budget-edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isAmount(text.trim())) return;
        props.save(text.trim());
        props.close();
      }}
    >
      <input
        type="text"
        inputMode="decimal"
        aria-label={words.newLimit}
        aria-invalid={!isAmount(text.trim())}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <span class="soft">{props.budget.currency}</span>
      <button type="submit" class="button primary" disabled={!isAmount(text.trim())}>
        {words.save}
      </button>
      <button type="button" class="button quiet" onClick={props.close}>
        {words.cancel}
      </button>
    </form>
  );
}

function Nothing() {
  const words = t.value.budgets;
  return (
    <div class="budget-none">
      <p>{words.none}</p>
      <div class="code-line">
        <code>{COMMAND}</code>
        <CopyButton text={COMMAND} />
      </div>
    </div>
  );
}

export function scopeName(scope: string): string {
  const words = t.value.budgets;
  const at = scope.indexOf('=');
  if (at < 0) return words.scopes[scope] ?? scope;
  const kind = scope.slice(0, at);
  const value = scope.slice(at + 1);
  const name = kind.startsWith('tag:') ? t.value.tag(kind.slice(4)) : (words.scopes[kind] ?? kind);
  return words.scope(name, value === '*' ? words.each : value);
}

export function windowName(budget: { window: string; zone?: string }): string {
  const words = t.value.budgets;
  const rolling = /^rolling (\d+) (minute|hour|day|week|month|quarter|year)s?$/.exec(budget.window);
  const window = rolling
    ? words.rolling(rolling[1]!, words.units[rolling[2]!] ?? rolling[2]!)
    : words.per(words.windows[budget.window] ?? budget.window);
  return budget.zone && budget.zone !== 'UTC' ? `${window} · ${budget.zone}` : window;
}

function overspend(budget: Budget): string {
  const words = t.value.budgets;
  const most = budget.bounded ? amount(budget, budget.overspend) : words.unbounded;
  return budget.why ? `${most} · ${words.why[budget.why] ?? budget.why}` : most;
}
