import { describe, expect, it } from 'vitest';
import {
  addDays,
  addMonths,
  bucketPeriod,
  buckets,
  daysBetween,
  monthPeriod,
  shiftMonths,
  wholeMonth,
} from './period';

describe('periods', () => {
  it('moves months over years', () => {
    expect(addMonths('2026-01', -1)).toBe('2025-12');
    expect(addMonths('2026-12', 1)).toBe('2027-01');
    expect(addMonths('2026-10', -12)).toBe('2025-10');
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
    expect(daysBetween('2024-02-28', '2024-03-01')).toBe(2);
  });
  it('compares the same days of another month, and no more than it has', () => {
    expect(shiftMonths(monthPeriod('2026-03'), -1)).toEqual({
      from: '2026-02-01',
      to: '2026-03-01',
    });
    expect(shiftMonths({ from: '2026-11-01', to: '2026-11-23' }, -1)).toEqual({
      from: '2026-10-01',
      to: '2026-10-23',
    });
    expect(shiftMonths({ from: '2026-03-01', to: '2026-03-31' }, -1)).toEqual({
      from: '2026-02-01',
      to: '2026-03-01',
    });
  });
  it('knows a whole month', () => {
    expect(wholeMonth({ from: '2026-10-01', to: '2026-11-01' })).toBe('2026-10');
    expect(wholeMonth({ from: '2026-10-01', to: '2026-10-31' })).toBeUndefined();
  });
  it('names the days of a bucket', () => {
    expect(bucketPeriod('2026-10', 'month')).toEqual({ from: '2026-10-01', to: '2026-11-01' });
    expect(bucketPeriod('2026-10-05', 'week')).toEqual({ from: '2026-10-05', to: '2026-10-12' });
    expect(bucketPeriod('2026-10-05', 'day')).toEqual({ from: '2026-10-05', to: '2026-10-06' });
    expect(bucketPeriod('2026-W01', 'week')).toEqual({ from: '2025-12-29', to: '2026-01-05' });
  });
  it('lists every bucket, weeks from their Monday', () => {
    expect(buckets('2026-01-01', '2026-04-01', 'month')).toEqual(['2026-01', '2026-02', '2026-03']);
    expect(buckets('2026-10-01', '2026-10-13', 'week')).toEqual([
      '2026-09-28',
      '2026-10-05',
      '2026-10-12',
    ]);
    expect(buckets('2026-10-30', '2026-11-02', 'day')).toEqual([
      '2026-10-30',
      '2026-10-31',
      '2026-11-01',
    ]);
  });
});
