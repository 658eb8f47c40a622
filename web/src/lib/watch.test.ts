import { describe, expect, it } from 'vitest';
import {
  causeTree,
  evidenceView,
  failedFirst,
  narrowFirst,
  openFirst,
  readAnomaly,
  readIncident,
  readNotifications,
  widestOf,
  withOne,
  type CauseNode,
} from './watch';

const anomaly = (change: object = {}) =>
  readAnomaly({
    id: 'anomaly-1',
    kind: 'burn',
    state: 'active',
    series: { dimension: 'total', value: '' },
    currency: 'USD',
    began: '2026-11-27T15:31:59.706796Z',
    opened: '2026-11-27T15:32:14Z',
    observed: '26.910000000001',
    expected: '0.025',
    amount: '26.885000000001',
    loss_per_hour: 2071.5,
    suspect: { dimension: 'key', value: 'key-1' },
    path: { key: 'key-1', team: 'labs', model: 'gpt-4o' },
    causes: [
      { elements: { key: 'key-1' }, share: 0.9, actual: '26', expected: '0' },
      { elements: { team: 'search' }, share: 0.08, actual: '3', expected: '2' },
    ],
    evidence: {
      measures: ['effective_cost'],
      by: ['team'],
      grain: 'hour',
      from: '2026-11-27T15:00:00Z',
      where: [{ dimension: 'team', values: ['labs'] }],
    },
    action: { kind: 'freeze_budget', scope: 'key=key-1' },
    incident: 'incident-1',
    ...change,
  });
const shape = (node: CauseNode): unknown => [
  `${node.element.dimension}=${node.element.value}`,
  `${node.atLeast ? '>' : ''}${Number(node.share.toFixed(3))}${node.suspect ? '!' : ''}`,
  ...node.children.map(shape),
];

describe('the cause tree', () => {
  it('goes from the whole to the suspect, widest dimension first', () => {
    expect(shape(causeTree(anomaly()))).toEqual([
      'total=',
      '1',
      [
        'model=gpt-4o',
        '0.9',
        ['team=labs', '0.9', ['key=key-1', '0.9!']],
      ],
      ['team=search', '0.08'],
    ]);
  });
  it('says at least so much where the causes do not name a step of the path', () => {
    const tree = causeTree(anomaly({ causes: [] }));
    expect(shape(tree)).toEqual([
      'total=',
      '1',
      ['model=gpt-4o', '>0.8', ['team=labs', '>0.8', ['key=key-1', '>0.8!']]],
    ]);
  });
  it('does not repeat the series itself, nor falls over what has no causes', () => {
    const own = causeTree(anomaly({ series: { dimension: 'team', value: 'labs' } }));
    expect(shape(own)).toEqual([
      'team=labs',
      '1',
      ['model=gpt-4o', '0.9', ['key=key-1', '0.9!']],
      ['team=search', '0.08'],
    ]);
    expect(shape(causeTree(readAnomaly({})))).toEqual(['=', '1!']);
  });
  it('keeps what a cause spent, exactly, and bounds shares beyond the whole', () => {
    const tree = causeTree(
      anomaly({ causes: [{ elements: { key: 'key-1' }, share: 1.3, actual: '0.000000000001', expected: '0' }] }),
    );
    const leaf = tree.children[0]!.children[0]!.children[0]!;
    expect(leaf.spent).toEqual({ actual: 1n, expected: 0n });
    expect(leaf.share).toBe(1);
  });
});

describe('anomalies of one incident', () => {
  const key = anomaly({ id: 'anomaly-4', series: { dimension: 'key', value: 'key-1' } });
  const team = anomaly({ id: 'anomaly-3', series: { dimension: 'team', value: 'labs' } });
  const all = anomaly();
  it('are listed with the suspect first; the tree is of the widest', () => {
    expect(narrowFirst([all, team, key]).map(({ id }) => id)).toEqual([
      'anomaly-4',
      'anomaly-3',
      'anomaly-1',
    ]);
    expect(widestOf([key, team, all])?.id).toBe('anomaly-1');
    expect(widestOf([])).toBeUndefined();
  });
});

describe('evidence', () => {
  it('is a view of the charges by whole days', () => {
    expect(evidenceView(anomaly(), '2026-11-28')).toEqual({
      page: 'explore',
      where: [{ dimension: 'team', values: ['labs'] }],
      period: '2026-11-27..2026-11-29',
      by: '',
      offset: 0,
    });
    const until = (to: string) =>
      evidenceView(
        anomaly({ evidence: { from: '2026-11-27T15:00:00Z', to, where: [] } }),
        '2026-12-01',
      )?.period;
    expect(until('2026-11-27T17:00:00Z')).toBe('2026-11-27..2026-11-28');
    expect(until('2026-11-28T00:00:00Z')).toBe('2026-11-27..2026-11-28');
    expect(evidenceView(readAnomaly({}), '2026-12-01')).toBeUndefined();
  });
});

describe('incidents', () => {
  const incident = (id: number, state: string, opened: string) =>
    readIncident({ id: `incident-${id}`, state, opened, amount: '1' });
  it('stand in the order in which they need somebody', () => {
    const all = [
      incident(4, 'resolved', '2026-11-27T18:00:00Z'),
      incident(3, 'acknowledged', '2026-11-27T17:00:00Z'),
      incident(2, 'open', '2026-11-27T15:00:00Z'),
      incident(1, 'open', '2026-11-27T16:00:00Z'),
      incident(5, 'expected', '2026-11-27T19:00:00Z'),
    ];
    expect(openFirst(all).map(({ id }) => id)).toEqual(
      [1, 2, 3, 5, 4].map((id) => `incident-${id}`),
    );
  });
  it('are put in the place of what was known of them', () => {
    const known = [incident(1, 'open', ''), incident(2, 'open', '')];
    expect(withOne(known, incident(2, 'resolved', '')).map(({ state }) => state)).toEqual([
      'open',
      'resolved',
    ]);
    expect(withOne(known, incident(3, 'open', '')).map(({ id }) => id)[0]).toBe('incident-3');
  });
  it('are read with nothing taken for granted', () => {
    expect(readIncident(null)).toMatchObject({ id: '', amount: 0n, timeline: [], anomalies: [] });
    expect(readIncident({ detect_s: null }).detectSeconds).toBeUndefined();
  });
});

describe('messages', () => {
  it('that failed come first', () => {
    const { deliveries, waiting } = readNotifications({
      receivers: [{ name: 'hook', kind: 'webhook' }],
      waiting: 2,
      deliveries: [
        { id: 4, state: 'sent' },
        { id: 3, state: 'waiting', fault: '' },
        { id: 2, state: 'waiting', fault: 'refused' },
        { id: 1, state: 'given up', fault: 'refused', notices: [{ title: 'x', state: 'open' }] },
      ],
    });
    expect(waiting).toBe(2);
    expect(failedFirst(deliveries).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });
});
