// A reporting currency from the bills to the page: two currencies, rates by day, and sums made anew from the bills' text.
//   FLYBALL_BIN=build/release/flyball node --test tests/e2e/currency.mjs
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { close, launch, objections, openPage, overhang } from './browser.mjs';
import { decimal, flyball, makeBill, makeHome, query, serve, units } from './support.mjs';

const MONTH = '2026-10';
const complaints = [];
let place;
let server;
let browser;
let want; // the whole month in EUR, as a count of 1e-12
let wantUsd; // what was billed in dollars

/** Each working day of the month and the Wednesday before, newest first, as the bank writes them: 1.05, 1.06, ... */
function rates() {
  const days = ['2026-09-30'];
  for (let day = 1; day <= 31; day++) {
    const date = `${MONTH}-${String(day).padStart(2, '0')}`;
    if (![0, 6].includes(new Date(date).getUTCDay())) days.push(date);
  }
  return days.map((day, i) => [day, String(105 + i)]).reverse();
}
const ratesFile = () =>
  `Date,USD,CNY,\n${rates()
    .map(([day, cents]) => `${day},${cents.slice(0, 1)}.${cents.slice(1)},7.8,\n`)
    .join('')}`;
const rateOf = (day) => BigInt(rates().find(([date]) => date <= day)[1]);

function halfEven(numerator, denominator) {
  let whole = numerator / denominator;
  const rest = (numerator % denominator) * 2n;
  if (rest > denominator || (rest === denominator && whole % 2n === 1n)) whole += 1n;
  return whole;
}

/** What the lines of a bill come to by day. */
function byDay(bill) {
  const [header, ...lines] = bill.trim().split('\n');
  const columns = header.split(',');
  const days = new Map();
  for (const line of lines) {
    const cells = line.replace(/"[^"]*"/g, 'text').split(',');
    const day = cells[columns.indexOf('ChargePeriodStart')].slice(0, 10);
    days.set(day, (days.get(day) ?? 0n) + units(cells[columns.indexOf('EffectiveCost')]));
  }
  return days;
}

before(async () => {
  place = await makeHome();
  const dollars = makeBill(MONTH, 300, 5);
  const euros = makeBill(MONTH, 100, 6).replaceAll(',USD,', ',EUR,');
  await writeFile(join(place.dir, 'usd.csv'), dollars);
  await writeFile(join(place.dir, 'eur.csv'), euros);
  await flyball('import', join(place.dir, 'usd.csv'), '--source', 'usd', '--home', place.home);
  await flyball('import', join(place.dir, 'eur.csv'), '--source', 'eur', '--home', place.home);
  want = 0n;
  wantUsd = 0n;
  for (const [day, sum] of byDay(dollars)) {
    want += halfEven(sum * 100n, rateOf(day));
    wantUsd += sum;
  }
  for (const sum of byDay(euros).values()) want += sum;
  server = await serve(place.home);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await place?.remove();
});

const open = (path, options) => openPage(browser, server.address, complaints, path, options);
async function settled(page) {
  await page.locator('[data-figure=total]').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.waiting, .stale, [aria-busy=true]'));
}
const picker = (page) => page.getByLabel('Reporting currency', { exact: true });

describe('a reporting currency', () => {
  it('is refused, and only explained, while there are no rates', async () => {
    await assert.rejects(
      query(server.address, { measures: ['effective_cost'], currency: 'EUR' }),
      /FAILED_PRECONDITION.*no exchange rate of USD.*exchange import/,
    );
    const page = await open(`/?view=explore&period=${MONTH}`);
    await settled(page);
    assert.deepEqual(await picker(page).locator('option').allTextContents(), ['As billed']);
    await close(page);
  });

  it('gives the sum that the bills make day by day, through the command line as well', async () => {
    await writeFile(join(place.dir, 'rates.csv'), ratesFile());
    await flyball('exchange', 'import', join(place.dir, 'rates.csv'), '--home', place.home);
    for (const grain of ['none', 'day', 'week', 'month']) {
      const answer = await query(server.address, {
        measures: ['effective_cost'],
        grain,
        currency: 'EUR',
      });
      assert.equal(answer.totals.effective_cost, decimal(want), grain);
      assert.equal(answer.conversion.billed.USD.effective_cost, decimal(wantUsd));
    }
    const told = await flyball('query', '--in', 'EUR', '--home', place.home);
    assert.match(told, /converted at 1 USD = /);
    const csv = await flyball('query', '--in', 'EUR', '--home', place.home, '--format', 'csv');
    assert.equal(csv, `currency,effective_cost\nEUR,${decimal(want)}\n`);
  });

  it('is chosen on the page, which says how its figures came about', async () => {
    const page = await open(`/?view=explore&period=${MONTH}`);
    await settled(page);
    await picker(page).selectOption('EUR');
    await page.waitForURL(/in=EUR/);
    await settled(page);
    const cents = halfEven(want, 10n ** 10n).toString();
    const euros = `€${cents.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',')}.${cents.slice(-2)}`;
    await page.waitForFunction(
      (text) => document.querySelector('[data-figure=total]')?.textContent === text,
      euros,
    );
    await page.getByRole('button', { name: 'Converted at daily rates' }).click();
    const detail = page.locator('.converted-facts');
    assert.match(await detail.textContent(), /Billed in USD\$/);
    assert.match(await detail.textContent(), /1 USD = 0\.\d+ to 0\.\d+ EUR/);
    assert.match(await detail.textContent(), /\d+ of \d+ days took the last rate before them/);
    assert.deepEqual(await objections(page), []);
    // Charges stay in what they were billed in.
    assert.match(await page.locator('table.rows').textContent(), /USD/);
    await page.reload();
    await settled(page);
    assert.equal(await page.locator('[data-figure=total]').first().textContent(), euros);
    await close(page);
  });

  it('fits a narrow page in both languages', async () => {
    for (const locale of ['en-US', 'zh-CN']) {
      const page = await open(`/?view=explore&period=${MONTH}&in=CNY`, {
        viewport: { width: 390, height: 844 },
        locale,
      });
      await settled(page);
      await page.locator('.converted').click();
      assert.ok((await overhang(page)) <= 0, locale);
      await close(page);
    }
  });

  it('leaves nothing on the console and asks nobody else', () => {
    assert.deepEqual(complaints, []);
  });
});
