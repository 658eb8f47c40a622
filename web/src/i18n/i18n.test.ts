import { afterEach, describe, expect, it } from 'vitest';
import {
  amountCompact,
  bucketName,
  CATALOGUES,
  exactDecimal,
  integer,
  locale,
  money,
  moneyCompact,
  moneyParts,
  moneyTick,
  monthAndYear,
  percent,
  periodName,
  quantity,
  t,
} from '.';
import { parseFixed } from '../lib/fixed';
import { sumHolds } from '../views/import';

afterEach(() => {
  locale.value = 'en';
});
const units = (text: string) => parseFixed(text);

/** Every sentence of a catalogue, functions called with stand-ins. */
function sentences(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function')
    return [[path, (node as (...args: unknown[]) => string)('A', 'B', 'C', 'D')]];
  return Object.entries(node as object).flatMap(([key, value]) =>
    sentences(value, `${path}.${key}`),
  );
}

describe('the catalogues', () => {
  it('have the same keys, also where the type allows any', () => {
    const keys = (name: 'en' | 'zh-CN') =>
      sentences(CATALOGUES[name])
        .map(([path]) => path)
        .sort();
    expect(keys('zh-CN')).toEqual(keys('en'));
  });
  it('say something everywhere, and Chinese is not left in English', () => {
    for (const [path, text] of sentences(CATALOGUES['zh-CN'])) {
      expect(text, path).not.toBe('');
      const bare =
        /^(.*(languageName|version|format|ratioText|link|never)|\.dimensions\.sku)$/.test(path);
      if (!bare && /[a-z]{3}/.test(text)) expect(text, path).toMatch(/[\u4e00-\u9fff]/);
    }
  });
  it('use the plural of their language', () => {
    expect(CATALOGUES.en.live.newData('aws', '1', 1)).toBe('New data from aws · 1 row');
    expect(CATALOGUES.en.live.newData('aws', '1,000', 1000)).toBe('New data from aws · 1,000 rows');
    expect(CATALOGUES['zh-CN'].live.newData('aws', '1,000', 1000)).toBe(
      '来自 aws 的新数据 · 1,000 行',
    );
  });
});

describe('quantities', () => {
  it('keep every whole unit', () => {
    expect(quantity(590502600n * 10n ** 12n, 12)).toBe('590,502,600');
    expect(quantity(123456n * 10n ** 12n + 5n * 10n ** 11n, 12)).toBe('123,456.5');
    expect(quantity(12n * 10n ** 11n, 12)).toBe('1.2');
    expect(quantity(1234567n * 10n ** 3n, 12)).toBe('0.00123457');
  });
});

describe('amounts', () => {
  it('are as fine as they are small', () => {
    expect(money(units('1234567.891'), 'USD')).toBe('$1,234,568');
    expect(money(units('-12.345'), 'USD')).toBe('−$12.34');
    expect(money(units('12.3'), 'USD', 'always')).toBe('+$12.30');
    expect(money(units('0.0000123456'), 'USD')).toBe('$0.00001235');
    expect(money(0n, 'USD')).toBe('$0');
  });
  it('are exact beyond what a double holds', () => {
    expect(money(units('12345678901234567890.99'), 'USD')).toBe('$12,345,678,901,234,567,891');
    expect(moneyParts(units('9007199254740993.27'), 'USD')).toEqual({
      main: '$9,007,199,254,740,993',
      minor: '.27',
    });
  });
  it('are short in the way of their language', () => {
    expect(moneyCompact(units('1284310'), 'USD')).toBe('$1.28M');
    expect(moneyCompact(units('1300000'), 'USD')).toBe('$1.30M');
    expect(amountCompact(units('29000'))).toBe('29.0K');
    expect(moneyTick(units('2000000'), 1_000_000, 'USD')).toBe('$2M');
    expect(moneyCompact(units('950.6'), 'USD')).toBe('$951');
    locale.value = 'zh-CN';
    expect(moneyCompact(units('1284310'), 'CNY')).toBe('¥128万');
    expect(moneyCompact(units('312000000'), 'CNY')).toBe('¥3.12亿');
  });
  it('keep a currency that is no ISO code', () => {
    expect(money(units('1500'), 'AI_CREDITS')).toBe('1,500 AI_CREDITS');
  });
});

describe('shares and dates', () => {
  it('do not show a small share as nothing, nor almost all as all', () => {
    expect(percent(0.0004)).toBe('<0.1%');
    expect(percent(0.42)).toBe('42%');
    expect(percent(0.042)).toBe('4.2%');
    expect(percent(0.998)).toBe('99.8%');
    expect(percent(NaN)).toBe('–');
    expect(percent(-0.077, 'always')).toBe('−7.7%');
  });
  it('name periods', () => {
    expect(periodName({ from: '2026-10-01', to: '2026-11-01' })).toBe('October 2026');
    expect(bucketName('2026-10-05', 'day')).toBe('Oct 5, 2026');
    expect(monthAndYear('2025-10')).toBe('Oct 2025'); // “Oct 25” is a day
    expect(integer(1234567n)).toBe('1,234,567');
    locale.value = 'zh-CN';
    expect(periodName({ from: '2026-10-01', to: '2026-11-01' })).toBe('2026年10月');
    expect(monthAndYear('2025-10')).toBe('25年10月');
    expect(t.value.nav.overview).toBe('总览');
  });
});

describe('the sums of an import', () => {
  it('are checked on all their digits', () => {
    const check = {
      in: '20.5202271893422',
      kept: '20.518227189342',
      quarantined: '0.002',
      residue: '0.0000000000002',
    };
    expect(sumHolds(check)).toBe(true);
    expect(sumHolds({ ...check, residue: '0' })).toBe(false);
    expect(sumHolds({ in: '-1.5', kept: '-2', quarantined: '0.5', residue: '0' })).toBe(true);
  });
});

describe('exact amounts', () => {
  it('keep every digit and lose no sign', () => {
    expect(exactDecimal(units('9007199254740993.000000000007'))).toBe(
      '9,007,199,254,740,993.000000000007',
    );
    expect(exactDecimal(units('-0.000000000001'))).toBe('−0.000000000001');
    expect(exactDecimal(units('-1234567.123456789012'))).toBe('−1,234,567.123456789012');
    expect(exactDecimal(units('4.5'))).toBe('4.50');
  });
});
