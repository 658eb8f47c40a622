// The page Data health: a source with gaps and rows that could not be read, one whose sync fails, one that is closed, and
// invoices that differ, as a person meets them.
//   FLYBALL_BIN=build/release/flyball node --test tests/e2e/health.mjs
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { close, launch, objections, openPage, overhang } from './browser.mjs';
import { flyball, makeBill, makeHome, serve } from './support.mjs';

// In the past whenever this runs: the days that are shown end with the newest month.
const MONTH = '2026-08';
const BEFORE = '2026-07';
const GAP = '2026-08-11';
const EVIL = '<img src=x onerror=alert(1)>';
const complaints = [];
let place;
let home;
let server;
let browser;

const open = (path = '/?view=health', options = {}) =>
  openPage(browser, server.address, complaints, path, options);
async function ready(page) {
  await page.locator('.health-item, .health-none').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.waiting'));
}
const source = (page, name) => page.locator(`[data-source="${name}"]`);
/** Exit code 1 says that something was found, which is what these commands are asked for. */
const finding = (...args) =>
  flyball(...args).catch((error) => {
    if (error.code !== 1) throw error;
    return error.stdout;
  });

/** Two months without one day, in which some rows cannot be read. */
function faultyBill(faulty) {
  const [header, ...rows] = [BEFORE, MONTH]
    .flatMap((month, i) => makeBill(month, 1500, 7).trim().split('\n').slice(i === 0 ? 0 : 1))
    .filter((line) => !line.includes(`${GAP}T`));
  const cost = header.split(',').indexOf('BilledCost');
  const broken = rows.map((line, i) => {
    if (!faulty || i % 100 !== 50) return line;
    const cells = line.split(',');
    cells[cost] = i % 200 === 50 ? EVIL : '';
    return cells.join(',');
  });
  return [header, ...broken].join('\n') + '\n';
}

before(async () => {
  place = await makeHome();
  home = place.home;
  const bill = join(place.dir, 'aws.csv');
  await writeFile(bill, faultyBill(true));
  await flyball('import', bill, '--home', home, '--source', 'aws');
  const lab = join(place.dir, 'lab.csv');
  await writeFile(lab, makeBill(MONTH, 1500, 9).replace(',USD,', ',dollars,'));
  await flyball('import', lab, '--home', home, '--source', 'lab');
  await writeFile(
    join(home, 'estate.yaml'),
    `sources:
  - { name: aws, title: Amazon }
  - { name: azure, title: Azure, kind: folder, path: ${join(place.dir, 'nowhere')} }
  - { name: gcp, title: Google, kind: s3, bucket: acme-focus }
`,
  );
  await flyball('sync', 'azure', '--home', home).then(
    () => assert.fail('a folder that is not there was synced'),
    (error) => assert.equal(error.code, 2, error.stderr),
  );
  await finding('reconcile', '--home', home, '--period', BEFORE, '--invoice', 'AWS=1.00 USD');
  await finding(
    ...['reconcile', '--home', home, '--period', BEFORE, '--close', '--accept-differences'],
  );
  server = await serve(home);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await place?.remove();
});

describe('the sources', () => {
  it('stand with what is wrong of each, the worst first', async () => {
    const page = await open();
    await ready(page);
    const order = await page
      .locator('.health-item')
      .evaluateAll((items) => items.map((item) => item.dataset.source));
    assert.deepEqual(order, ['azure', 'aws', 'lab', 'gcp']);
    const { sources } = await (await fetch(`${server.address}/api/v1/health/sources`)).json();
    const aws = sources.find((one) => one.name === 'aws');
    assert.equal(
      await source(page, 'aws').getAttribute('data-troubles'),
      'gap quarantine behind',
      JSON.stringify(aws.days),
    );
    assert.equal(await source(page, 'aws').locator('.day').count(), 62);
    // The day that was left out, and the last four of July, which such a bill never has.
    assert.equal(await source(page, 'aws').locator('.day.gap').count(), 5);
    // The score is cut, never rounded up.
    const score = await source(page, 'aws').locator('.ring-text strong').textContent();
    const [provider] = aws.conformance.providers;
    assert.equal(aws.conformance.state, 'checked');
    assert.ok(provider.score_percent.startsWith(score.replace(' %', '')), `${score} ${provider.score_percent}`);
    await close(page);
  });

  it('say each day by keyboard', async () => {
    const page = await open();
    await ready(page);
    const strip = page.getByRole('slider', { name: 'Days of Amazon' });
    await strip.focus();
    assert.match(await strip.getAttribute('aria-valuetext'), /^53 days with charges · 5 missing$/);
    await page.keyboard.press('Home');
    const { from } = await (await fetch(`${server.address}/api/v1/health/sources`)).json();
    const days = (Date.parse(GAP) - Date.parse(from)) / 86_400_000;
    for (let i = 0; i < days; ++i) await page.keyboard.press('ArrowRight');
    assert.equal(await strip.getAttribute('aria-valuetext'), 'Aug 11, 2026 · no charges');
    await page.keyboard.press('ArrowRight');
    assert.match(await strip.getAttribute('aria-valuetext'), /Aug 12, 2026 · .* charges · \$/);
    await close(page);
  });

  it('tell why a sync failed and what to do, and what was never synced', async () => {
    const page = await open();
    await ready(page);
    await page.getByRole('button', { name: 'Details of Azure' }).click();
    const azure = source(page, 'azure').locator('.health-facts');
    assert.match(await azure.textContent(), /The last sync failed/);
    assert.match(await azure.textContent(), /there is no folder '.*nowhere'/);
    assert.match(await azure.textContent(), /check the source's `path`/);
    await page.getByRole('button', { name: 'Details of Google' }).click();
    assert.match(await source(page, 'gcp').textContent(), /flyball sync gcp/);
    await page.getByRole('button', { name: 'Details of Amazon' }).click();
    const aws = await source(page, 'aws').locator('.health-facts').textContent();
    assert.match(aws, /July 2026.*closed/);
    assert.match(aws, /rules of FOCUS 1\.\d were decided/);
    await close(page);
  });
});

describe('the quarantine', () => {
  it('opens to its rows, as text, page by page, and can be taken away', async () => {
    const page = await open();
    await ready(page);
    await page.getByRole('button', { name: /rows of Amazon in quarantine/ }).click();
    const panel = page.getByRole('region', { name: 'Quarantine of Amazon' });
    await panel.locator('.quarantine-rows tbody tr').first().waitFor();
    const reasons = await panel.locator('.quarantine-reasons').textContent();
    assert.match(reasons, /No BilledCost/);
    assert.match(reasons, /A number that cannot be read.*plain digits/);
    const first = panel.locator('.quarantine-rows tbody tr').first();
    assert.match(await first.textContent(), /aws\.csv.*line \d+/s);
    // What a bill says is text here, whatever it looks like.
    assert.ok((await first.locator('pre').textContent()).includes(EVIL));
    assert.equal(await page.locator('main img').count(), 0);
    const shown = await panel.locator('.quarantine-rows th[scope=row]').allTextContents();
    await panel.getByRole('button', { name: 'Later rows' }).click();
    await page.waitForFunction(
      (old) => document.querySelector('.quarantine-rows th[scope=row]').textContent !== old,
      shown[0],
    );
    assert.equal(await panel.getByRole('button', { name: 'Earlier rows' }).isEnabled(), true);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      panel.getByRole('link', { name: 'Download all' }).click(),
    ]);
    const taken = await readFile(await download.path(), 'utf8');
    const name = download.suggestedFilename().replace('quarantine-', '');
    assert.ok(taken === (await readFile(join(home, 'quarantine', name), 'utf8')), name);
    await close(page);
  });
});

describe('the ladder', () => {
  it('leads from an invoice to the ledger, by months that are closed or open', async () => {
    const page = await open();
    await ready(page);
    // The newest month that is over: nothing is known of its invoices.
    assert.match(await page.locator('.ladder-state').textContent(), /No invoice of this month/);
    assert.match(await page.locator('.ladder-without').textContent(), /flyball reconcile --period 2026-08/);
    await page.getByRole('button', { name: 'Previous month' }).click();
    await page.waitForURL(/period=2026-07/);
    const one = page.locator('[data-issuer=AWS]');
    await one.waitFor();
    const month = await (await fetch(`${server.address}/api/v1/health/months/2026-07`)).json();
    const [ladder] = month.invoices;
    assert.match(await page.locator('.ladder-state').textContent(), /Closed .* commit/);
    assert.ok(
      (await page.locator('.ladder-state').textContent()).includes(month.close.commit.slice(0, 8)),
    );
    assert.equal(await one.locator('.bridge li').count(), ladder.steps.length + 2);
    const told = (await one.locator('.ladder-diff').textContent()).replaceAll(',', '');
    assert.ok(told.includes(ladder.difference), `${told} is not ${ladder.difference}`);
    assert.match(await one.locator('.ladder-steps').textContent(), /known since/);
    await page.reload();
    await page.locator('[data-issuer=AWS]').waitFor();
    await close(page);
  });

  it('says what was found in the language of the page', async () => {
    for (const [locale, said, unsaid] of [
      ['en-US', /the ledger/, /账本/],
      ['zh-CN', /账本/, /the ledger/],
    ]) {
      const page = await open('/?view=health&period=2026-07', { locale });
      const steps = page.locator('[data-issuer=AWS] .ladder-steps');
      await steps.waitFor();
      assert.match(await steps.textContent(), said);
      assert.doesNotMatch(await steps.textContent(), unsaid);
      await close(page);
    }
  });

  it('is equal but for rounding when the invoice is', async () => {
    const { without_invoice } = await (
      await fetch(`${server.address}/api/v1/health/months/${MONTH}`)
    ).json();
    const cents = Number(without_invoice[0].ledger).toFixed(2);
    await flyball(
      ...['reconcile', '--home', home, '--period', MONTH, '--invoice', `AWS=${cents} USD`],
    ).catch((error) => assert.equal(error.code, 1));
    const page = await open(`/?view=health&period=${MONTH}`);
    await ready(page);
    await page.locator('.ladder-equal').waitFor();
    assert.match(await page.locator('.ladder-state').textContent(), /but for its rounding/);
    assert.equal(await page.locator('.bridge').count(), 0);
    await close(page);
  });
});

describe('for everybody', () => {
  it('is reached from the header, and has nothing that axe objects to', async () => {
    for (const options of [
      {},
      { colorScheme: 'dark', locale: 'zh-CN' },
      { viewport: { width: 390, height: 844 } },
      { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'zh-CN' },
    ]) {
      const page = await open('/?view=import', { ...options, reducedMotion: 'reduce' });
      const name = options.locale ? '数据健康' : 'Data health';
      await page.getByRole('link', { name }).click();
      await ready(page);
      assert.equal(await page.locator('h1').textContent(), name);
      await source(page, 'aws').locator('.health-bad button').click();
      await page.locator('.quarantine-rows').waitFor();
      await page.locator('[data-source=gcp] .health-row > .icon-button').click();
      assert.deepEqual(await objections(page), [], JSON.stringify(options));
      assert.equal(await overhang(page), 0, JSON.stringify(options));
      await close(page);
    }
  });

  it('tells in words when the server does not answer, and asks again', async () => {
    const page = await open('/?view=import');
    await page.locator('h1').waitFor();
    const known = complaints.length;
    await page.route('**/api/v1/health/**', (route) => route.abort());
    await page.getByRole('link', { name: 'Data health' }).click();
    assert.match(await page.getByRole('alert').first().textContent(), /does not answer/);
    await page.unroute('**/api/v1/health/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await ready(page);
    complaints.splice(known); // the browser's own words on the requests that this test stopped
    await close(page);
  });
});

// Last: it changes what the others look at.
describe('a bill that was mended', () => {
  it('empties the quarantine on the open page', async () => {
    const page = await open();
    await ready(page);
    await page.getByText('Live', { exact: true }).waitFor();
    await source(page, 'lab').getByRole('button', { name: '1 row of lab in quarantine' }).waitFor();
    const bill = join(place.dir, 'lab.csv');
    await writeFile(bill, makeBill(MONTH, 1500, 9));
    await flyball('import', bill, '--home', home, '--source', 'lab');
    await page.waitForFunction(
      () => !document.querySelector('[data-source=lab] .health-bad button'),
    );
    assert.equal(await source(page, 'aws').locator('.health-bad button').count(), 1);
    // The sources of estate.yaml are those that stand in it now.
    await appendFile(join(home, 'estate.yaml'), '  - { name: oracle, title: Oracle }\n');
    await page.reload();
    await ready(page);
    assert.equal(await source(page, 'oracle').count(), 1);
    await close(page);
  });
});

describe('an empty ledger', () => {
  it('says how to begin', async () => {
    const other = await makeHome();
    const full = server;
    try {
      server = await serve(other.home);
      const page = await open();
      await page.getByText('No source is known yet').waitFor();
      assert.ok(await page.getByText('flyball import BILL.csv').isVisible());
      await close(page);
    } finally {
      await server.stop();
      server = full;
      await other.remove();
    }
  });
});

it('nothing was complained about: no error on the console, no request to elsewhere', () => {
  assert.deepEqual(complaints, []);
});
