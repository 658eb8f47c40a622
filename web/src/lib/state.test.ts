import { describe, expect, it } from 'vitest';
import { formatView, parseHash, parseView } from './state';

describe('the address', () => {
  it('is the same view again', () => {
    for (const address of [
      '',
      '?view=outlook&ahead=model&part=gpt-4o&horizon=12mo',
      '?view=incidents&incident=incident-3',
    ])
      expect(formatView(parseView(address))).toBe(address);
  });
  it('takes what is typed by hand for what it can be', () => {
    expect(parseView('?view=outlook&ahead=1;drop&horizon=9y')).toMatchObject({
      page: 'outlook',
      ahead: 'team',
      horizon: '3mo',
    });
    expect(parseView('?view=incidents&incident=../keys').incident).toBe('');
  });
  it('may be the fragment that messages link to', () => {
    expect(parseHash('#/incidents/incident-3')).toEqual({ page: 'incidents', incident: 'incident-3' });
    expect(parseHash('#/incidents/x')).toEqual({ page: 'incidents', incident: '' });
    expect(parseHash('#/outlook')).toEqual({ page: 'outlook', incident: '' });
    expect(parseHash('#main')).toBeUndefined();
    expect(parseHash('#/nowhere')).toBeUndefined();
  });
});
