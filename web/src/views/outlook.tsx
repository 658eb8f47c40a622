// What comes next: the forecast of the ledger, its months, and whose part is how large. Below it budgets and accuracy.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { dayName, dimensionName, estimate, integer, monthName, percent, percentDigits, t } from '../i18n';
import { estate, useFetched, type Fetched } from '../lib/data';
import { valueName } from '../lib/names';
import {
  commandOf,
  fanOf,
  getForecast,
  HORIZONS,
  partsOf,
  rangeOfLevel,
  rangesAt,
  type Answer,
  type Forecast,
  type ForecastAsk,
  type Series,
} from '../lib/outlook';
import { go, view } from '../lib/state';
import { Link, Segmented, Select } from '../parts/basics';
import { Figure, type TableData } from '../parts/figure';
import { Fan, FanSpark, sparkOf } from '../charts/fan';
import { mostOf, RangeBar } from '../charts/range-bar';
import { dimensionOptions } from './hero';
import { BudgetsOutlook } from './outlook-budgets';
import { AccuracyFigure } from './outlook-accuracy';

const DIMENSIONS = [
  'team',
  'model',
  'provider',
  'driver',
  'project',
  'use_case',
  'environment',
  'stage',
  'ai_class',
  'service',
  'source',
];
const LEVEL = 80; // of the ranges that are said in words
const PARTS_SHOWN = 12;

export function OutlookView() {
  const words = t.value.outlook;
  const { ahead: by, horizon, in: currency } = view.value;
  const ask: ForecastAsk = { by, horizon, currency };
  const asked = useFetched(JSON.stringify(ask), () => getForecast(ask));
  return (
    <div class="outlook">
      <header>
        <h1>{words.title}</h1>
        <p class="soft">{words.lead}</p>
      </header>
      <ForecastFigure ask={ask} asked={asked} />
      <BudgetsOutlook />
      <AccuracyFigure known={asked.answer?.vintage ?? ''} />
    </div>
  );
}

/** Of several currencies the one that is looked at, or else that of the estate. */
function answerOf(forecast: Forecast | undefined): Answer | undefined {
  const wanted = [view.value.in || view.value.currency, estate.value?.currency ?? ''];
  const answers = forecast?.answers ?? [];
  const found = wanted.map((code) => answers.find((answer) => answer.currency === code));
  return found.find(Boolean) ?? answers[0];
}

function ForecastFigure({ ask, asked }: { ask: ForecastAsk; asked: Fetched<Forecast> }) {
  const words = t.value.outlook;
  const forecast = asked.answer;
  const answer = answerOf(forecast);
  const { whole, parts } = answer ? partsOf(answer) : { whole: undefined, parts: [] };
  const nameOf = (series: Series) => valueName(ask.by, series.values[ask.by] ?? '');
  // While another dimension is asked for, the parts are still of the one before.
  const part = parts.find((series) => series.values[ask.by] === view.value.part);
  const series = part ?? whole;
  const currency = answer?.currency ?? '';
  return (
    <Figure
      title={part ? words.forecastOf(nameOf(part)) : words.forecast}
      class="forecast"
      help={<span class="estimate-mark">{words.estimate}</span>}
      asked={[asked]}
      made={[
        {
          command: commandOf(ask),
          ...(forecast ? { hash: forecast.queryHash, commit: forecast.commit } : {}),
        },
      ]}
      minHeight={420}
      waitingText={words.making}
      empty={!series}
      emptyText={words.nothing}
      summary={answer && series ? summary(answer, series) : undefined}
      controls={<Controls forecast={forecast} currency={currency} />}
      table={answer && series ? tableOf(answer, series) : undefined}
      note={answer && series && <MadeOf forecast={forecast!} answer={answer} series={series} />}
    >
      {answer && series && (
        <div class="chart-and-legend">
          <div>
            <Fan title={words.forecast} points={fanOf(answer, series)} currency={currency} />
            <MonthBars answer={answer} series={series} />
          </div>
          <SeriesList
            answer={answer}
            whole={whole}
            parts={parts}
            chosen={series}
            by={ask.by}
            nameOf={nameOf}
          />
        </div>
      )}
    </Figure>
  );
}

function Controls({ forecast, currency }: { forecast: Forecast | undefined; currency: string }) {
  const words = t.value.outlook;
  const { ahead, horizon } = view.value;
  const answers = forecast?.answers ?? [];
  return (
    <>
      {answers.length > 1 && (
        <Select
          label={words.currency}
          value={currency}
          options={answers.map((one) => ({ value: one.currency, label: one.currency }))}
          onChange={(next) => go({ currency: next }, true)}
        />
      )}
      <Select
        label={words.by}
        value={ahead}
        options={dimensionOptions(DIMENSIONS, ahead)}
        onChange={(next) => go({ ahead: next, part: '' }, true)}
      />
      <Segmented
        label={words.horizon}
        value={horizon}
        options={HORIZONS.map((one) => ({ value: one, label: words.horizons[one] ?? one }))}
        onChange={(next) => go({ horizon: next }, true)}
      />
    </>
  );
}

const level = (percentage: number): string => percentDigits(percentage / 100, 0);

/** The month that runs, in words. */
function summary(answer: Answer, series: Series): string | undefined {
  const { months } = series;
  const range = rangeOfLevel(rangesAt(months.ranges, 0), LEVEL);
  if (!answer.months[0] || !range) return undefined;
  const say = (value: number) => estimate(value, answer.currency);
  return t.value.outlook.summary(
    monthName(answer.months[0]),
    say(months.mean[0] ?? NaN),
    level(range.level),
    say(range.lower),
    say(range.upper),
    months.actual[0] ? say(months.actual[0]) : '',
  );
}

function MonthBars({ answer, series }: { answer: Answer; series: Series }) {
  const words = t.value.outlook;
  const { currency } = answer;
  const rows = answer.months.map((month, i) => ({
    month,
    actual: series.months.actual[i] ?? NaN,
    mean: series.months.mean[i] ?? NaN,
    ranges: rangesAt(series.months.ranges, i),
  }));
  const most = Math.max(...rows.map(mostOf));
  const say = (value: number) => estimate(value, currency);
  return (
    <section class="months-ahead" aria-label={words.months}>
      <h3>{words.months}</h3>
      <ul>
        {rows.map((row) => {
          const range = rangeOfLevel(row.ranges, LEVEL);
          return (
            <li data-month={row.month}>
              <span class="month-name">{monthName(row.month)}</span>
              <RangeBar
                {...row}
                most={most}
                label={words.monthBar(
                  monthName(row.month),
                  say(row.actual),
                  say(row.mean),
                  say(range?.lower ?? NaN),
                  say(range?.upper ?? NaN),
                )}
              />
              <strong class="number month-mean">{say(row.mean)}</strong>
              <span class="soft small month-range">
                {range && words.between(level(range.level), say(range.lower), say(range.upper))}
                {row.actual > 0 && ` · ${words.soFar} ${say(row.actual)}`}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface ListProps {
  answer: Answer;
  whole: Series | undefined;
  parts: Series[];
  chosen: Series;
  by: string;
  nameOf: (series: Series) => string;
}
function SeriesList({ answer, whole, parts, chosen, by, nameOf }: ListProps) {
  const words = t.value.outlook;
  const [all, setAll] = useState(false);
  const shown = all ? parts : parts.slice(0, PARTS_SHOWN);
  const row = (series: Series, name: string, part: string) => (
    <li>
      <Link to={{ part }} class="series-link" current={series === chosen}>
        <span class="legend-name">{name}</span>
        <FanSpark points={sparkOf(fanOf(answer, series))} level={LEVEL} />
        <span class="number">{estimate(series.months.mean[0] ?? NaN, answer.currency)}</span>
      </Link>
    </li>
  );
  return (
    <div class="series-list">
      <h3>{words.series(dimensionName(by), monthName(answer.months[0] ?? ''))}</h3>
      <ul>
        {whole && row(whole, words.everything, '')}
        {shown.map((series) => row(series, nameOf(series), series.values[by] ?? ''))}
      </ul>
      {parts.length > PARTS_SHOWN && (
        <button type="button" class="button quiet" onClick={() => setAll(!all)}>
          {all ? words.showFewer : words.showAll(integer(parts.length))}
        </button>
      )}
    </div>
  );
}

/** What the forecast is, of what, and of how much nothing is known. */
function MadeOf(props: { forecast: Forecast; answer: Answer; series: Series }) {
  const words = t.value.outlook;
  const { forecast, answer, series } = props;
  const notes = [...new Set([...answer.notes, ...series.notes])];
  const members = series.members.map(([name, share]) => words.member(name, percent(share)));
  return (
    <dl class="forecast-facts small">
      <Fact name={words.knownTo}>{dayName(forecast.knownTo)}</Fact>
      <Fact name={words.madeOf}>
        {members.join(', ') || '–'} · {words.regimes[series.regime] ?? series.regime}
      </Fact>
      <Fact name={words.paths}>
        {words.pathsOf(integer(answer.paths), words.methods[answer.reconciled] ?? answer.reconciled)}
      </Fact>
      <Fact name={words.commit}>
        <code>{forecast.commit.slice(0, 12)}</code>
      </Fact>
      {forecast.vintage && (
        <Fact name={words.vintage}>
          <code>{forecast.vintage}</code>
        </Fact>
      )}
      <Fact name={words.leftOut} wide>
        <Told lines={forecast.leftOff} none={words.nothingLeftOut} />
      </Fact>
      {notes.length > 0 && (
        <Fact name={words.notes} wide>
          <Told lines={notes} none="" />
        </Fact>
      )}
    </dl>
  );
}

const Fact = (props: { name: string; wide?: boolean; children: ComponentChildren }) => (
  <div class={props.wide ? 'wide' : ''}>
    <dt class="soft">{props.name}</dt>
    <dd>{props.children}</dd>
  </div>
);

/** Sentences of the server, which speaks English. */
export const Told = ({ lines, none }: { lines: string[]; none: string }) =>
  lines.length === 0 ? (
    <>{none}</>
  ) : (
    <>
      {lines.map((line) => (
        <span class="told" lang="en">
          {line}
        </span>
      ))}
    </>
  );

function tableOf(answer: Answer, series: Series): TableData {
  const words = t.value.outlook;
  const levels = rangesAt(series.ranges, 0).map((range) => range.level);
  const say = (value: number) => estimate(value, answer.currency);
  return {
    head: [
      words.day,
      words.expected,
      ...levels.flatMap((one) => [words.lowerOf(level(one)), words.upperOf(level(one))]),
    ],
    numbersFrom: 1,
    rows: answer.periods.map((day, i) => [
      dayName(day),
      say(series.mean[i] ?? NaN),
      ...rangesAt(series.ranges, i).flatMap((range) => [say(range.lower), say(range.upper)]),
    ]),
  };
}
