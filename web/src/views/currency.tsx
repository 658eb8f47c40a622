// The reporting currency: the choice of it, and how figures in it came about.
import { currencyName, dayName, instantName, money, quantity, t } from '../i18n';
import { MONEY_SCALE, parseFixed } from '../lib/fixed';
import { estate, exchange, useAnswer } from '../lib/data';
import { reportable, sourceParts } from '../lib/reporting';
import { query, useScope } from '../lib/scope';
import { go } from '../lib/state';
import type { Conversion, UsedRate } from '../lib/api';
import { Help, Popover, Select } from '../parts/basics';

export function CurrencyPicker() {
  const scope = useScope();
  const words = t.value.reporting;
  const choices = reportable(exchange.value, [estate.value?.currency ?? '', ...scope.currencies]);
  if (scope.reporting && !choices.includes(scope.reporting)) choices.unshift(scope.reporting);
  if (choices.length === 0 && scope.currencies.length < 2) return null;
  return (
    <>
      <span class="with-help">
        <Select
          label={words.label}
          value={scope.reporting}
          options={[
            { value: '', label: words.asBilled },
            ...choices.map((c) => ({ value: c, label: words.inCurrency(c, currencyName(c)) })),
          ]}
          onChange={(next) => go({ in: next, offset: 0 })}
        />
        {choices.length === 0 && <Help label={words.label}>{words.importHint}</Help>}
      </span>
      {scope.reporting && <Converted />}
    </>
  );
}

function Converted() {
  const scope = useScope();
  const words = t.value.reporting;
  const conversion = useAnswer(query(scope, scope.period)).answer?.conversion;
  if (!conversion) return null;
  if (conversion.rates.length === 0) return <span class="badge">{words.nothing}</span>;
  return (
    <Popover
      button={words.converted}
      class="button quiet converted"
      panelClass="help-panel converted-panel"
    >
      {() => <Detail conversion={conversion} />}
    </Popover>
  );
}

function Detail({ conversion }: { conversion: Conversion }) {
  const scope = useScope();
  const words = t.value.reporting;
  const sources = [...new Set(conversion.rates.flatMap((rate) => rate.sources))];
  const rateOf = new Map(conversion.rates.map((rate) => [rate.from, rate]));
  return (
    <>
      <p>{words.explain}</p>
      <dl class="converted-facts">
        {Object.entries(conversion.billed).map(([currency, sums]) => {
          const rate = rateOf.get(currency);
          return (
            <div>
              <dt>
                {words.billedIn(currency)}
                <span class="number">{money(parseFixed(sums[scope.measure] ?? '0'), currency)}</span>
              </dt>
              <dd>{rate ? <RateText rate={rate} to={conversion.currency} /> : words.unchanged}</dd>
            </div>
          );
        })}
      </dl>
      {sources.map((source) => {
        const { imported, id } = sourceParts(source);
        return (
          <p class="soft small" title={source}>
            {imported ? words.source(instantName(imported)) : source} <code>{id}</code>
          </p>
        );
      })}
    </>
  );
}

function RateText({ rate, to }: { rate: UsedRate; to: string }) {
  const words = t.value.reporting;
  const digits = (text: string) => quantity(parseFixed(text), MONEY_SCALE);
  return (
    <>
      <span class="number">
        {words.rate(rate.from, digits(rate.lowest), digits(rate.highest), to)}
      </span>
      <br />
      {words.days(dayName(rate.rates_from), dayName(rate.rates_to))}
      {rate.days_carried > 0 && <> {words.carried(rate.days_carried, rate.days)}</>}
    </>
  );
}
