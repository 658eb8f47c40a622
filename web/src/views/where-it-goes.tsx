// Two views of the same money: driver by stage, and environment through driver to team.
import { dimensionName, money, percent, t } from '../i18n';
import { abs, compare, parseFixed, ratio, sum } from '../lib/fixed';
import { useAnswer } from '../lib/data';
import { query, useScope } from '../lib/scope';
import { drill, go } from '../lib/state';
import { filtersFor, flow, OTHER, ranked, STAGES, sumBy } from '../lib/analysis';
import { valueName } from '../lib/names';
import { Figure } from '../parts/figure';
import { Heat } from '../charts/heat';
import { Flow } from '../charts/flow';
import { paintOf } from '../charts/paint';

export function DriverByStage() {
  const scope = useScope();
  const words = t.value.heat;
  const q = query(scope, scope.period, { by: ['driver', 'stage'] });
  const asked = useAnswer(q);
  const rows = asked.answer?.rows ?? [];
  const cells = new Map<string, bigint>();
  for (const row of rows)
    cells.set(`${row['driver']}\u0000${row['stage']}`, parseFixed(row[scope.measure]));
  const byDriver = sumBy(rows, 'driver', scope.measure);
  const byStage = sumBy(rows, 'stage', scope.measure);
  const drivers = ranked(byDriver).map(([value]) => value);
  const place = (stage: string) => (STAGES.includes(stage) ? STAGES.indexOf(stage) : STAGES.length);
  const stages = [...byStage.keys()].sort((a, b) => place(a) - place(b));
  const whole = sum(byDriver.values());
  const at = (driver: string, stage: string) => cells.get(`${driver}\u0000${stage}`) ?? 0n;
  const dearest = [...cells].sort((a, b) => compare(abs(b[1]), abs(a[1])))[0];
  const [topDriver = '', topStage = ''] = dearest?.[0].split('\u0000') ?? [];
  const name = (value: string) => valueName('driver', value);
  const stageName = (value: string) => valueName('stage', value);
  return (
    <Figure
      title={words.title}
      asked={[asked]}
      queries={[q]}
      minHeight={420}
      empty={drivers.length === 0}
      summary={
        dearest &&
        words.summary(
          name(topDriver),
          stageName(topStage),
          money(dearest[1], scope.currency),
          percent(ratio(dearest[1], whole)),
        )
      }
      table={{
        head: [words.corner, ...stages.map(stageName), t.value.figure.total],
        numbersFrom: 1,
        rows: drivers.map((driver) => [
          { text: name(driver), to: drill(filtersFor('driver', driver)) },
          ...stages.map((stage) => money(at(driver, stage), scope.currency)),
          money(byDriver.get(driver)!, scope.currency),
        ]),
        foot: [
          t.value.figure.total,
          ...stages.map((stage) => money(byStage.get(stage)!, scope.currency)),
          money(whole, scope.currency),
        ],
      }}
    >
      <Heat
        corner={words.corner}
        rows={drivers}
        columns={stages}
        valueAt={at}
        rowTotal={(driver) => byDriver.get(driver)!}
        columnTotal={(stage) => byStage.get(stage)!}
        total={whole}
        rowName={name}
        columnName={stageName}
        linkOf={(driver, stage) =>
          drill([
            ...(driver === undefined ? [] : filtersFor('driver', driver)),
            ...(stage === undefined ? [] : filtersFor('stage', stage)),
          ])
        }
        currency={scope.currency}
        totalName={t.value.figure.total}
      />
    </Figure>
  );
}

const FLOW_DIMENSIONS = ['environment', 'driver', 'team'];
const FLOW_NODES = 8;

export function EnvironmentFlow() {
  const scope = useScope();
  const words = t.value.flow;
  const q = query(scope, scope.period, { by: FLOW_DIMENSIONS });
  const asked = useAnswer(q);
  const rows = asked.answer?.rows ?? [];
  const data = flow(rows, FLOW_DIMENSIONS, scope.measure, FLOW_NODES);
  const name = (column: number, value: string) => valueName(FLOW_DIMENSIONS[column]!, value);
  const filters = (column: number, value: string) =>
    filtersFor(FLOW_DIMENSIONS[column]!, value, data.columns[column]!);
  const widest = [...rows].sort((a, b) =>
    compare(parseFixed(b[scope.measure]), parseFixed(a[scope.measure])),
  )[0];
  const whole = sum(data.totals[0]?.values() ?? []);
  return (
    <Figure
      title={words.title}
      asked={[asked]}
      queries={[q]}
      minHeight={460}
      empty={whole === 0n}
      summary={
        widest &&
        words.summary(
          name(0, widest['environment']!),
          name(1, widest['driver']!),
          name(2, widest['team']!),
          money(parseFixed(widest[scope.measure]), scope.currency),
        )
      }
      note={
        data.negative < 0n && (
          <p class="soft small">{words.negative(money(abs(data.negative), scope.currency))}</p>
        )
      }
      table={{
        head: [...FLOW_DIMENSIONS.map(dimensionName), t.value.measure[scope.measure]],
        numbersFrom: 3,
        rows: [...rows]
          .sort((a, b) => compare(parseFixed(b[scope.measure]), parseFixed(a[scope.measure])))
          .slice(0, 200)
          .map((row) => [
            name(0, row['environment']!),
            name(1, row['driver']!),
            name(2, row['team']!),
            {
              text: money(parseFixed(row[scope.measure]), scope.currency),
              to: drill(
                FLOW_DIMENSIONS.flatMap((dimension) => filtersFor(dimension, row[dimension]!)),
              ),
            },
          ]),
      }}
    >
      <Flow
        title={words.title}
        data={data}
        heads={FLOW_DIMENSIONS.map(dimensionName)}
        paint={(column, value, rank) =>
          value === OTHER ? paintOf('', OTHER, 0) : paintOf(FLOW_DIMENSIONS[column]!, value, rank)
        }
        nameOf={name}
        currency={scope.currency}
        total={whole}
        onPick={(picked) =>
          go(drill(picked.flatMap(({ column, value }) => filters(column, value))))
        }
      />
    </Figure>
  );
}
