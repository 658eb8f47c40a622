// What is looked at: the period, the measure, the filters.
import { useState } from 'preact/hooks';
import { dimensionName, integer, monthName, money, periodName, t, dayName } from '../i18n';
import { filterText, valueName } from '../lib/names';
import { COST_MEASURES, go, view } from '../lib/state';
import { narrow, sameFilter, type Filter } from '../lib/where';
import { isMonth, addDays, wholeMonth } from '../lib/period';
import { query, useScope } from '../lib/scope';
import { useAnswer } from '../lib/data';
import { ranked, sumBy, OTHER } from '../lib/analysis';
import { Help, Icon, Popover, Select } from '../parts/basics';
import { CurrencyPicker } from './currency';

export function Toolbar() {
  const scope = useScope();
  const words = t.value;
  const { where, measure } = view.value;
  return (
    <section class="toolbar" aria-label={words.filter.scope}>
      <div class="wrap toolbar-row">
        <PeriodPicker />
        <span class="with-help">
          <Select
            label={words.measure.label}
            value={measure}
            options={COST_MEASURES.map((m) => ({ value: m, label: words.measure[m] }))}
            onChange={(next) => go({ measure: next })}
          />
          <Help label={words.kpi.explain(words.measure[scope.measure])}>
            {words.measure.help[scope.measure]}
          </Help>
        </span>
        <CurrencyPicker />
        <div class="filters" role="group" aria-label={words.filter.label}>
          {where.map((filter) => {
            const text = filterText(filter, dimensionName(filter.dimension));
            return (
              <button
                type="button"
                class={filter.not ? 'chip not' : 'chip'}
                aria-label={words.filter.remove(text)}
                onClick={() =>
                  go({ where: where.filter((other) => !sameFilter(other, filter)), offset: 0 })
                }
              >
                <span class="chip-text">{text}</span>
                <Icon name="close" />
              </button>
            );
          })}
          <Popover
            button={
              <>
                <Icon name="plus" />
                {words.filter.add}
              </>
            }
            class="button quiet"
            panelClass="filter-panel"
          >
            {(close) => <FilterForm close={close} />}
          </Popover>
          {where.length > 1 && (
            <button type="button" class="button quiet" onClick={() => go({ where: [], offset: 0 })}>
              {words.filter.clear}
            </button>
          )}
        </div>
      </div>
    </section>
  );
}

function PeriodPicker() {
  const scope = useScope();
  const words = t.value.period;
  const { names, latest } = scope.months;
  const chosen = view.value.period;
  const month = chosen === '' ? latest : isMonth(chosen) ? chosen : undefined;
  const at = month ? names.indexOf(month) : -1;
  const turn = (to: string) => go({ period: to === latest ? '' : to, offset: 0 });
  const options = [...names].reverse().map((name) => ({ value: name, label: monthName(name) }));
  if (chosen === 'all' || view.value.page === 'explore')
    options.push({ value: 'all', label: words.all });
  if (!month && chosen !== 'all')
    options.unshift({ value: chosen, label: periodName(scope.period) });
  return (
    <div class="period">
      <button
        type="button"
        class="icon-button"
        aria-label={words.previous}
        disabled={at <= 0}
        onClick={() => turn(names[at - 1]!)}
      >
        <Icon name="left" />
      </button>
      <Select label={words.label} value={month ?? chosen} options={options} onChange={turn} />
      <button
        type="button"
        class="icon-button"
        aria-label={words.next}
        disabled={at < 0 || at >= names.length - 1}
        onClick={() => turn(names[at + 1]!)}
      >
        <Icon name="right" />
      </button>
      {scope.partial && (
        <span class="badge" title={words.partialHelp}>
          {words.partial(dayName(addDays(scope.period.to, -1)))}
        </span>
      )}
    </div>
  );
}

const FILTER_DIMENSIONS = [
  'team',
  'driver',
  'stage',
  'ai_class',
  'use_case',
  'project',
  'model',
  'environment',
  'provider',
  'service',
  'service_category',
  'account',
  'region',
  'charge_category',
  'pricing_category',
  'commitment_status',
  'sku',
  'resource',
  'workload',
  'unit',
  'confidence',
  'source',
];

function FilterForm({ close }: { close: () => void }) {
  const scope = useScope();
  const words = t.value.filter;
  const [dimension, setDimension] = useState('team');
  const [tag, setTag] = useState('');
  const [search, setSearch] = useState('');
  const [not, setNot] = useState(false);
  const [chosen, setChosen] = useState<string[]>([]);
  const name = dimension === 'tag' ? (tag ? `tag:${tag}` : '') : dimension;
  // Values to choose from: of the period, under the other filters.
  const others = scope.where.filter((filter) => filter.dimension !== name);
  const asked = useAnswer(
    name ? query(scope, scope.period, { by: [name], where: others, top: 500 }) : undefined,
  );
  const values = ranked(sumBy(asked.answer?.rows ?? [], name, scope.measure)).filter(
    ([value]) => value !== OTHER,
  );
  const wanted = search.trim().toLowerCase();
  const shown = values
    .filter(
      ([value]) => !wanted || `${value} ${valueName(name, value)}`.toLowerCase().includes(wanted),
    )
    .slice(0, 60);
  const apply = () => {
    const picked = chosen.length ? chosen : wanted && shown.length === 1 ? [shown[0]![0]] : [];
    if (!picked.length || !name) return;
    const filter: Filter = not
      ? { dimension: name, not, values: picked }
      : { dimension: name, values: picked };
    close();
    go({ where: narrow(view.value.where, [filter]), offset: 0 });
  };
  return (
    <form
      class="filter-form"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <Select
        label={words.dimension}
        value={dimension}
        options={[
          ...FILTER_DIMENSIONS.map((d) => ({ value: d, label: dimensionName(d) })),
          { value: 'tag', label: words.toTag },
        ]}
        onChange={(next) => {
          setDimension(next);
          setChosen([]);
          setSearch('');
        }}
      />
      {dimension === 'tag' && (
        <input
          type="text"
          aria-label={words.tagKey}
          placeholder={words.tagKey}
          value={tag}
          onChange={(e) => setTag(e.currentTarget.value.trim())}
        />
      )}
      <input
        type="search"
        aria-label={words.value}
        placeholder={words.value}
        value={search}
        onInput={(e) => setSearch(e.currentTarget.value)}
        ref={(element) => {
          if (element && !element.dataset['seen']) {
            element.dataset['seen'] = '1';
            element.focus();
          }
        }}
      />
      <ul class="filter-values">
        {shown.map(([value, amount]) => (
          <li>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(value)}
                onChange={() =>
                  setChosen(
                    chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value],
                  )
                }
              />
              <span class="grow">{valueName(name, value)}</span>
              <span class="soft number">{money(amount, scope.currency)}</span>
            </label>
          </li>
        ))}
        {asked.answer && shown.length === 0 && <li class="soft">{words.none}</li>}
        {values.length > shown.length && !wanted && (
          <li class="soft">{words.more(values.length - shown.length)}</li>
        )}
      </ul>
      <div class="filter-foot">
        <label class="check">
          <input type="checkbox" checked={not} onChange={() => setNot(!not)} />
          {words.exclude}
        </label>
        <button
          type="submit"
          class="button primary"
          disabled={!chosen.length && shown.length !== 1}
        >
          {words.apply}
          {chosen.length > 1 && ` (${integer(chosen.length)})`}
        </button>
      </div>
    </form>
  );
}

/** The month that a period stands for, or the period itself, for headlines. */
export const headPeriod = (from: string, to: string): string => {
  const month = wholeMonth({ from, to });
  return month ? monthName(month) : periodName({ from, to });
};
