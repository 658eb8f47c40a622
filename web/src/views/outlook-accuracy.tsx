// Forecasts that were kept, beside what came: by how many days ahead, and each by itself.
import { dayName, dimensionName, instantName, integer, monthAndYear, percent, percentDigits, t } from '../i18n';
import { useFetched } from '../lib/data';
import { getAccuracy, scored, type Accuracy, type Score } from '../lib/outlook';
import { DataTable, Figure } from '../parts/figure';

const SHOWN = 10;

export function AccuracyFigure({ known }: { known: string }) {
  const words = t.value.outlook;
  // A forecast that was made meanwhile may be the first that is kept.
  const asked = useFetched(`accuracy ${known}`, getAccuracy);
  const vintages = asked.answer ? scored(asked.answer) : [];
  const newest = vintages[0];
  return (
    <Figure
      title={words.accuracy}
      class="accuracy"
      asked={[asked]}
      made={[{ command: 'flyball forecast accuracy' }]}
      minHeight={80}
      empty={!newest}
      emptyText={words.accuracyNone}
      summary={
        newest &&
        words.accuracySummary(
          integer(vintages.length),
          vintages.length,
          percent(newest.whole.wmape),
        )
      }
    >
      {asked.answer && newest && (
        <div class="accuracy-tables">
          <Ages accuracy={asked.answer} />
          <DataTable
            caption={words.accuracy}
            data={{
              head: [
                words.made,
                words.knownTo,
                words.split,
                words.compared,
                words.error,
                words.bias,
                ...insideHead(newest.whole),
                words.monthsOver,
              ],
              numbersFrom: 3,
              rows: vintages
                .slice(0, SHOWN)
                .map((one) => [
                  instantName(one.made),
                  dayName(one.knownTo),
                  one.by.map(dimensionName).join(', ') || '–',
                  integer(one.whole.steps),
                  ...scoreCells(one.whole),
                  one.months
                    .map((month) =>
                      words.monthOver(monthAndYear(month.month), percent(month.error, 'always')),
                    )
                    .join(', ') || '–',
                ]),
            }}
          />
        </div>
      )}
    </Figure>
  );
}

const insideHead = (score: Score): string[] =>
  score.coverage.map(({ level }) => t.value.outlook.inside(percentDigits(level / 100, 0)));
const scoreCells = (score: Score): string[] => [
  percent(score.wmape),
  percent(score.bias, 'always'),
  ...score.coverage.map(({ share }) => percent(share)),
];

function Ages({ accuracy }: { accuracy: Accuracy }) {
  const words = t.value.outlook;
  const ages = accuracy.ages.filter((age) => age.whole.steps > 0);
  const first = ages[0];
  if (!first) return null;
  return (
    <DataTable
      caption={words.byAge}
      data={{
        head: [words.byAge, words.compared, words.error, words.bias, ...insideHead(first.whole)],
        numbersFrom: 1,
        rows: ages.flatMap((age) => {
          const name = words.daysAhead(integer(age.fromDay), integer(age.toDay));
          return [
            [`${name} · ${words.whole}`, integer(age.whole.steps), ...scoreCells(age.whole)],
            [`${name} · ${words.parts}`, integer(age.series.steps), ...scoreCells(age.series)],
          ];
        }),
      }}
    />
  );
}
