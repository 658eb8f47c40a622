// The bridge from one total to the next: each bar starts where the one above it ended.
import { moneyCompact, t } from '../i18n';
import { fromNumber, size } from '../lib/fixed';
import type { Step } from '../lib/analysis';
import type { View } from '../lib/state';
import { Delta, Link } from '../parts/basics';

interface Props {
  before: { name: string; value: bigint; to: Partial<View> };
  now: { name: string; value: bigint; to: Partial<View> };
  steps: Step[];
  nameOf: (value: string) => string;
  linkOf: (value: string) => Partial<View>;
  currency: string;
  /** How the two totals are written, where a short form would make them alike. */
  amountOf?: (units: bigint) => string;
}

export function Bridge({ before, now, steps, nameOf, linkOf, currency, amountOf }: Props) {
  const amount = amountOf ?? ((units: bigint) => moneyCompact(units, currency));
  let level = before.value;
  const spans = steps.map((step) => {
    const from = level;
    level += step.delta;
    return { step, from, to: level };
  });
  const levels = [before.value, now.value, ...spans.map((s) => s.to)].map((v) => size(v));
  const high = Math.max(0, ...levels);
  const low = Math.min(...levels);
  // Small changes of a large total are invisible from zero on; then the bars are cut, and the figure says where.
  const cut =
    low > 0 && (high - low) / high < 0.5 ? Math.max(0, low - (high - low) * 0.9) : Math.min(0, low);
  const at = (units: bigint) => ((size(units) - cut) / (high - cut || 1)) * 100;
  const place = (a: bigint, b: bigint) => {
    const left = Math.min(at(a), at(b));
    return { left: `${left}%`, width: `max(2px, ${Math.abs(at(a) - at(b))}%)` };
  };
  const whole = (units: bigint) => ({ left: '0%', width: `${Math.max(0, at(units))}%` });
  return (
    <div class="bridge">
      <ol>
        <li class="whole">
          <span class="bridge-name">{before.name}</span>
          <span class="track">
            <i class={cut > 0 ? 'bar cut' : 'bar'} style={whole(before.value)} />
          </span>
          <Link to={before.to} class="figure-link">
            {amount(before.value)}
          </Link>
        </li>
        {spans.map(({ step, from, to }) => (
          <li class={step.delta > 0n ? 'up' : 'down'}>
            <span class="bridge-name">{nameOf(step.value)}</span>
            <span class="track">
              <b class="joint" style={{ left: `${at(from)}%` }} />
              <i class="bar" style={place(from, to)} />
            </span>
            <Link to={linkOf(step.value)} class="figure-link">
              <Delta value={step.delta} currency={currency} />
            </Link>
          </li>
        ))}
        <li class="whole now">
          <span class="bridge-name">{now.name}</span>
          <span class="track">
            <b class="joint" style={{ left: `${at(now.value)}%` }} />
            <i class={cut > 0 ? 'bar cut' : 'bar'} style={whole(now.value)} />
          </span>
          <Link to={now.to} class="figure-link">
            {amount(now.value)}
          </Link>
        </li>
      </ol>
      {cut > 0 && (
        <p class="soft small">{t.value.bridge.axis(amount(fromNumber(cut)))}</p>
      )}
    </div>
  );
}
