// Each budget to the end of its window: what is spent, where it will end, and whether and when that is too much.
import { dayName, dayShort, estimate, integer, percent, percentDigits, t } from '../i18n';
import { useFetched } from '../lib/data';
import {
  getBudgetsAhead,
  LEVELS,
  likeliestFirst,
  prospectOf,
  rangeOfLevel,
  type BudgetAhead,
} from '../lib/outlook';
import { Icon } from '../parts/basics';
import { Figure, type TableData } from '../parts/figure';
import { mostOf, RangeBar } from '../charts/range-bar';
import { scopeName, windowName } from './budgets';
import { Told } from './outlook';

const LEVEL = 80;

export function BudgetsOutlook() {
  const words = t.value.outlook;
  const asked = useFetched('budgets', getBudgetsAhead);
  const budgets = likeliestFirst(asked.answer?.budgets ?? []);
  const of = (prospect: string) => budgets.filter((one) => prospectOf(one) === prospect).length;
  return (
    <Figure
      title={words.budgets}
      class="budgets-ahead"
      help={<span class="estimate-mark">{words.estimate}</span>}
      asked={[asked]}
      made={[
        {
          command: `flyball forecast outlook --levels ${LEVELS}`,
          ...(asked.answer ? { commit: asked.answer.commit } : {}),
        },
      ]}
      minHeight={160}
      waitingText={words.making}
      empty={budgets.length === 0}
      emptyText={words.budgetsNone}
      summary={
        budgets.length > of('unknown')
          ? words.budgetsSummary(
              integer(of('breaks')),
              integer(of('risk')),
              integer(budgets.length - of('unknown')),
              of('breaks') + of('risk'),
            )
          : undefined
      }
      table={budgets.length > 0 ? tableOf(budgets) : undefined}
    >
      {budgets.length > of('unknown') && <Legend />}
      <ul class="ahead-list">
        {budgets.map((budget) => (
          <BudgetItem key={`${budget.name}\n${budget.scope}`} budget={budget} />
        ))}
      </ul>
      {(asked.answer?.leftOff.length ?? 0) > 0 && (
        <p class="soft small">
          {words.leftOut}: <Told lines={asked.answer!.leftOff} none="" />
        </p>
      )}
    </Figure>
  );
}

const say = (value: number, budget: BudgetAhead) => estimate(value, budget.currency);
function breaksOn({ overrunAt, overrunFrom, overrunTo, knownTo }: BudgetAhead): string {
  const words = t.value.outlook;
  if (!overrunAt) return words.never;
  if (overrunAt <= knownTo) return words.broke(dayName(overrunAt));
  return words.breaksBetween(dayName(overrunAt), dayShort(overrunFrom), dayShort(overrunTo));
}

function Legend() {
  const words = t.value.outlook;
  return (
    <p class="fan-legend ahead-legend soft small" aria-hidden="true">
      <span>
        <i class="so-far" /> {words.spent}
      </span>
      <span>
        <i class="mean" /> {words.atEnd}
      </span>
      {[50, 80, 95].map((level) => (
        <span>
          <i class={`band level-${level}`} /> {words.range(percentDigits(level / 100, 0))}
        </span>
      ))}
      <span>
        <i class="limit" /> {words.limit}
      </span>
    </p>
  );
}

function BudgetItem({ budget }: { budget: BudgetAhead }) {
  const words = t.value.outlook;
  const prospect = prospectOf(budget);
  const range = rangeOfLevel(
    [...budget.ranges].sort((a, b) => b.level - a.level),
    LEVEL,
  );
  return (
    <li class={`ahead ${prospect}`} data-budget={budget.name} data-prospect={prospect}>
      <div class="budget-head">
        <h3>{scopeName(budget.scope)}</h3>
        <span class="soft">{windowName(budget)}</span>
        {!budget.hard && <span class="tag-word">{words.soft}</span>}
        <strong class="budget-state">
          {prospect !== 'holds' && <Icon name="warn" />}
          {prospect === 'holds' && <Icon name="check" />}
          {words.prospect[prospect]}
        </strong>
      </div>
      {budget.refusal ? (
        <p class="soft small" lang="en">
          {budget.refusal}
        </p>
      ) : (
        <>
          <RangeBar
            actual={budget.spent}
            mean={budget.mean}
            ranges={[...budget.ranges].sort((a, b) => b.level - a.level)}
            limit={budget.limit}
            most={mostOf({ ...budget, actual: budget.spent }) * 1.04}
            label={words.budgetBar(
              say(budget.spent, budget),
              say(budget.mean, budget),
              say(range?.lower ?? NaN, budget),
              say(range?.upper ?? NaN, budget),
              say(budget.limit, budget),
            )}
          />
          <dl class="budget-facts">
            <Fact name={words.spent} text={say(budget.spent, budget)} />
            <Fact
              name={words.atEnd}
              text={say(budget.mean, budget)}
              more={
                range &&
                words.between(
                  percentDigits(range.level / 100, 0),
                  say(range.lower, budget),
                  say(range.upper, budget),
                )
              }
            />
            <Fact name={words.limit} text={say(budget.limit, budget)} />
            <Fact name={words.probability} text={percent(budget.overrun)} />
            <Fact name={words.breaksOn} text={breaksOn(budget)} />
            <Fact name={words.ends} text={dayName(budget.endsAt.slice(0, 10))} />
          </dl>
          {budget.notes.length > 0 && (
            <p class="soft small">
              <Told lines={budget.notes} none="" />
            </p>
          )}
        </>
      )}
    </li>
  );
}

const Fact = (props: { name: string; text: string; more?: string | undefined }) => (
  <div>
    <dt class="soft">{props.name}</dt>
    <dd>
      {props.text}
      {props.more && <span class="soft small told">{props.more}</span>}
    </dd>
  </div>
);

function tableOf(budgets: BudgetAhead[]): TableData {
  const words = t.value.outlook;
  return {
    head: [words.budgets, words.spent, words.atEnd, words.limit, words.probability, words.breaksOn],
    numbersFrom: 1,
    rows: budgets.map((budget) => [
      `${scopeName(budget.scope)} ${windowName(budget)}`,
      say(budget.spent, budget),
      say(budget.mean, budget),
      say(budget.limit, budget),
      percent(budget.overrun),
      budget.refusal ? '–' : breaksOn(budget),
    ]),
  };
}
