import { describe, expect, it } from 'vitest';
import { divideHalfEven, fixedText, parseFixed, ratio, roundedText } from './fixed';

describe('fixed point', () => {
  it('reads plain and exponent forms exactly', () => {
    expect(parseFixed('20.520227189342')).toBe(20_520_227_189_342n);
    expect(parseFixed('-0.000000000001')).toBe(-1n);
    expect(parseFixed('1.5E-3')).toBe(1_500_000_000n);
    expect(parseFixed('+2e2', 0)).toBe(200n);
    expect(parseFixed('.5', 1)).toBe(5n);
    expect(parseFixed(null)).toBe(0n);
    expect(parseFixed('')).toBe(0n);
  });
  it('holds sums that a double would lose', () => {
    const sum = parseFixed('9007199254740993.000000000001') + parseFixed('0.000000000001');
    expect(fixedText(sum)).toBe('9007199254740993.000000000002');
    expect(fixedText(parseFixed('0.1') + parseFixed('0.2'))).toBe('0.3');
  });
  it('refuses what is no decimal', () => {
    for (const text of ['abc', '1,5', '1.2.3', '-', '.', '0x10'])
      expect(() => parseFixed(text)).toThrow(RangeError);
  });
  it('writes back what it read', () => {
    for (const text of ['0', '1', '-1.25', '123456789012345678901234.000000000007'])
      expect(fixedText(parseFixed(text))).toBe(text);
    expect(fixedText(parseFixed('5'), 12, 2)).toBe('5.00');
    expect(fixedText(parseFixed('5.5'), 12, 2)).toBe('5.50');
  });
  it('rounds half to even, away from the sign', () => {
    expect(roundedText(parseFixed('0.125'), 2)).toBe('0.12');
    expect(roundedText(parseFixed('0.135'), 2)).toBe('0.14');
    expect(roundedText(parseFixed('-0.125'), 2)).toBe('-0.12');
    expect(roundedText(parseFixed('-0.126'), 2)).toBe('-0.13');
    expect(roundedText(parseFixed('999.995'), 2)).toBe('1000.00');
    expect(divideHalfEven(-7n, 2n)).toBe(-4n);
    expect(divideHalfEven(7n, -2n)).toBe(-4n);
    expect(divideHalfEven(5n, 2n)).toBe(2n);
  });
  it('divides for display only', () => {
    expect(ratio(1n, 3n)).toBeCloseTo(0.33333333, 8);
    expect(ratio(1n, 0n)).toBeNaN();
  });
});
