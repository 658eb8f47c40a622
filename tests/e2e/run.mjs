// End to end: the binary, its page in headless Chromium, and its slices in another Parquet reader.
//   FLYBALL_BIN=build/release/flyball node --test tests/e2e/run.mjs
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { close, launch, objections, openPage, overhang } from './browser.mjs';
import {
  decimal,
  dollars,
  flyball,
  makeBill,
  makeHome,
  query,
  serve,
  units,
} from './support.mjs';
import { sumOfSlice } from './parquet.mjs';

const DEMO_ROWS = 20_000;

let place;
let home;
let server;
let browser;
let month; // the newest of the demonstration
const complaints = []; // of the page: errors on the console, requests to elsewhere

const open = (path, options) => openPage(browser, server.address, complaints, path, options);
const figure = (page, title) => page.getByRole('figure', { name: title });
const total = (page) => page.locator('[data-figure=total]').first();
async function settled(page) {
  await total(page).waitFor();
  await page.waitForFunction(() => !document.querySelector('.waiting, .stale, [aria-busy=true]'));
}

async function monthTotal(where = []) {
  const [year, number] = month.split('-').map(Number);
  const to = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`;
  const answer = await query(server.address, {
    measures: ['effective_cost'],
    from: month,
    to,
    where: [{ dimension: 'currency', values: ['USD'] }, ...where],
  });
  return answer.totals ? units(answer.totals.effective_cost) : 0n;
}
const totalIs = async (page, value) => {
  const want = dollars(value);
  await page
    .waitForFunction(
      (text) => document.querySelector('[data-figure=total]')?.textContent === text,
      want,
    )
    .catch(async () => {
      assert.equal(await total(page).textContent(), want);
    });
};

before(async () => {
  place = await makeHome();
  home = place.home;
  await flyball('demo', '--home', home, '--rows', String(DEMO_ROWS));
  server = await serve(home);
  browser = await launch();
  const months = await query(server.address, { measures: ['charges'], grain: 'month' });
  month = months.rows
    .map((row) => row.period)
    .sort()
    .at(-1);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await place?.remove();
});

describe('the first screen', () => {
  it('shows the figures of the API', async () => {
    const page = await open(`/?period=${month}`);
    await settled(page);
    await totalIs(page, await monthTotal());
    const gen = await monthTotal([{ dimension: 'ai_class', values: ['generative AI'] }]);
    assert.equal(await page.locator('[data-kpi=genai] .tile-value').textContent(), dollars(gen, 0));
    const loose = await monthTotal([{ dimension: 'team', values: ['(unallocated)'] }]);
    const detail = await page.locator('[data-kpi=unallocated] .tile-detail').textContent();
    assert.ok(loose < 100n * 10n ** 12n || detail.includes(dollars(loose, 0)), detail);
    // Every figure as a table sums to the same total.
    for (const title of ['Driver by lifecycle stage', 'What changed']) {
      const table = figure(page, title);
      await table.getByRole('button', { name: 'Show as table' }).click();
      const foot = await table.locator('tfoot').textContent();
      assert.ok(foot.includes(dollars(await monthTotal(), 0)), `${title}: ${foot}`);
    }
    await close(page);
  });

  it('opens with the newest month and keeps its state in the address', async () => {
    const page = await open('/');
    await settled(page);
    await page.getByRole('button', { name: 'Previous month' }).click();
    await page.waitForURL(/period=\d{4}-\d{2}/);
    await settled(page);
    const before = await total(page).textContent();
    await page.reload();
    await settled(page);
    assert.equal(await total(page).textContent(), before);
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has('period'));
    await close(page);
  });

  it('draws every figure and says each in words', async () => {
    const page = await open('/');
    await settled(page);
    for (const title of [
      'What changed',
      'Spend over time',
      'Driver by lifecycle stage',
      'From environment through driver to team',
      'Top movers',
      'AI use cases',
      'Sources',
    ]) {
      assert.ok(await figure(page, title).isVisible(), title);
      assert.ok((await figure(page, title).locator('.summary').textContent()).length > 10, title);
    }
    assert.ok((await page.locator('.layer').count()) >= 5);
    assert.ok((await page.locator('.flow-links path').count()) >= 8);
    assert.ok((await page.locator('.use-cases tbody tr').count()) >= 10);
    await close(page);
  });
});

describe('the drill-down', () => {
  it('goes from a figure to its rows and back', async () => {
    const page = await open(`/?period=${month}`);
    await settled(page);
    const cell = figure(page, 'Driver by lifecycle stage').locator('.heat-cell').first();
    const label = await cell.getAttribute('aria-label');
    await cell.click();
    await page.waitForURL(/view=explore/);
    await settled(page);
    const where = new URL(page.url()).searchParams.get('where');
    assert.match(where, /driver=.+;stage=.+/);
    const filters = where.split(';').map((clause) => {
      const [dimension, value] = clause.split('=');
      return { dimension, values: [value] };
    });
    const expected = await monthTotal(filters);
    await totalIs(page, expected);
    assert.ok(
      expected < 100n * 10n ** 12n || label.endsWith(dollars(expected, 0)),
      `${label} is not ${dollars(expected, 0)}`,
    );
    // The next dimension sums to the same.
    await figure(page, /^Broken down by/)
      .getByRole('button', { name: 'Show as table' })
      .click();
    assert.ok(
      (await page.locator('.breakdown tfoot').textContent()).includes(
        dollars(expected, expected < 100n * 10n ** 12n ? 2 : 0),
      ),
    );
    // The charges, each with the line of the bill that it came from.
    await page.locator('.rows tbody tr').first().waitFor();
    assert.match(await page.locator('.rows tbody tr').first().textContent(), /line \d+/);
    await page.getByRole('button', { name: 'Show every column of charge 1', exact: true }).click();
    assert.match(await page.locator('.details').textContent(), /BilledCost/);
    await page.getByText('Why it is attributed so').waitFor();
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has('view'));
    await settled(page);
    await totalIs(page, await monthTotal());
    await close(page);
  });

  it('adds and removes filters', async () => {
    const page = await open(`/?period=${month}`);
    await settled(page);
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    const choice = page.locator('.filter-values label').first();
    await choice.click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.waitForURL(/where=team/);
    await settled(page);
    const team = new URL(page.url()).searchParams.get('where').split('=')[1];
    await totalIs(page, await monthTotal([{ dimension: 'team', values: [team] }]));
    // The charges say the same of themselves as the figure that they stand behind.
    const { teams } = await (await fetch(`${server.address}/api/v1/estate`)).json();
    const teamName = teams.find((entry) => entry.id === team)?.name ?? 'Unallocated';
    await page.getByRole('link', { name: 'Explore', exact: true }).click();
    await page.locator('.rows tbody tr').first().waitFor();
    const who = await page.locator('.rows tbody tr td:nth-child(4)').allTextContents();
    assert.ok(who.length > 0 && who.every((text) => text.startsWith(teamName)), who[0]);
    await page.getByRole('button', { name: /^Remove the filter/ }).click();
    await totalIs(page, await monthTotal());
    await close(page);
  });
});

describe('for everybody', () => {
  it('speaks Chinese, and remembers it', async () => {
    const page = await open('/');
    await settled(page);
    await page.getByLabel('Language').selectOption('zh-CN');
    await page.waitForFunction(() => document.documentElement.lang === 'zh-CN');
    assert.match(await page.locator('h1').textContent(), /有效成本/);
    assert.match(await page.locator('.spend').textContent(), /万|亿|US\$/);
    await page.reload();
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
    await close(page);
    const chinese = await open('/', { locale: 'zh-CN' });
    await settled(chinese);
    assert.match(await chinese.locator('h1').textContent(), /有效成本/);
    await close(chinese);
  });

  it('is light and dark, as asked', async () => {
    const page = await open('/', { colorScheme: 'dark' });
    await settled(page);
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.getByRole('button', { name: 'Appearance' }).click();
    await page.getByRole('button', { name: 'Light' }).click();
    assert.notEqual(await paper(), dark);
    await page.getByRole('button', { name: 'Dark' }).click();
    assert.equal(await paper(), dark);
    await page.emulateMedia({ colorScheme: 'light' });
    assert.equal(await paper(), dark);
    await close(page);
  });

  it('is reached by keyboard', async () => {
    const page = await open('/');
    await settled(page);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    const chart = figure(page, 'Spend over time').locator('.plot');
    await chart.focus();
    await page.keyboard.press('ArrowLeft');
    const said = figure(page, 'Spend over time').locator('[aria-live]');
    assert.match(await said.textContent(), /\$/);
    await page.keyboard.press('ArrowUp');
    assert.match(await said.textContent(), /%/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/view=explore/);
    await settled(page);
    await page.goBack();
    await settled(page);
    // The heat table is one stop of the Tab key; the arrows walk in it.
    const cells = figure(page, 'Driver by lifecycle stage').locator('.heat-cell');
    await cells.first().focus();
    await page.keyboard.press('ArrowDown');
    assert.notEqual(
      await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
      await cells.first().getAttribute('aria-label'),
    );
    assert.equal(
      await figure(page, 'Driver by lifecycle stage').locator('.heat-cell[tabindex="0"]').count(),
      1,
    );
    await close(page);
  });

  it('has nothing that axe objects to', async () => {
    for (const [path, options] of [
      ['/', {}],
      ['/', { colorScheme: 'dark', locale: 'zh-CN' }],
      ['/', { viewport: { width: 390, height: 844 } }],
      ['/?view=explore', {}],
      ['/?view=explore', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
      ['/?view=import', { colorScheme: 'dark' }],
    ]) {
      const page = await open(path, { ...options, reducedMotion: 'reduce' });
      if (path.includes('import')) await page.locator('h1').waitFor();
      else await settled(page);
      if (path.includes('explore')) await page.locator('.rows tbody tr').first().waitFor();
      const told = await objections(page);
      assert.deepEqual(told, [], `${path} ${JSON.stringify(options)}`);
      await close(page);
    }
  });

  it('fits a phone and a wall', async () => {
    for (const width of [390, 1440, 1920]) {
      for (const path of ['/', '/?view=explore', '/?view=import']) {
        const page = await open(path, { viewport: { width, height: 900 } });
        if (path.includes('import')) await page.locator('h1').waitFor();
        else await settled(page);
        const over = await overhang(page);
        assert.equal(over, 0, `${path} at ${width} px scrolls sideways by ${over} px`);
        await close(page);
      }
    }
  });

  it('has room for its words', async () => {
    const phone = { viewport: { width: 390, height: 844 }, locale: 'zh-CN' };
    for (const path of ['/', '/?view=explore']) {
      const page = await open(path, phone);
      await settled(page);
      const labels = await page.locator('.plot text.axis').evaluateAll((list) =>
        list.map((label) => {
          const { left, right } = label.getBoundingClientRect();
          return { text: label.textContent, left, right };
        }),
      );
      assert.ok(labels.length > 1);
      labels.forEach((label, i) => {
        assert.ok(label.left >= 0 && label.right <= 390, `${label.text} leaves the page`);
        assert.ok(i === 0 || labels[i - 1].right < label.left, `${label.text} has no room`);
      });
      await close(page);
    }
    // The first column of a wide table is not squeezed to one character a line.
    const page = await open('/', { locale: 'zh-CN' });
    await settled(page);
    const table = figure(page, '成本动因 × 生命周期阶段');
    await table.getByRole('button', { name: '以表格显示' }).click();
    const heads = await table
      .locator('tbody th')
      .evaluateAll((list) => list.map((head) => head.clientHeight));
    assert.ok(Math.max(...heads) < 60, String(heads));
    await close(page);
  });
});

describe('the charges', () => {
  it('unfold to what a phone can show, with every unit of usage', async () => {
    const page = await open('/?view=explore', { viewport: { width: 390, height: 844 } });
    await settled(page);
    const row = page.locator('.rows tbody tr').first();
    await row.locator('button[aria-expanded]').click();
    const list = page.locator('.details dl').last();
    await list.waitFor();
    const box = await list.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
    const stated = await list
      .locator('div', { has: page.locator('dt', { hasText: /^ConsumedQuantity$/ }) })
      .locator('dd')
      .textContent();
    const shown = await row.locator('td.number').first().textContent();
    assert.ok(
      shown.replaceAll(',', '').startsWith(stated.split('.')[0]),
      `${stated} is shown as ${shown}`,
    );
    await close(page);
  });
});

describe('imports', () => {
  it('show while the page is open, without a reload', async () => {
    const page = await open(`/?period=${month}`);
    await settled(page);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate(() => (globalThis.sameDocument = true));
    const before = await monthTotal();
    const bill = join(place.dir, 'late-bill.csv');
    await writeFile(bill, makeBill(month, 500));
    const report = JSON.parse(
      await flyball('import', bill, '--home', home, '--source', 'late-bill', '--format', 'json'),
    );
    assert.equal(report.rows_kept, 500);
    await page.getByText('New data from late-bill · 500 rows').waitFor();
    const now = before + units(report.billed_cost.kept);
    await totalIs(page, now);
    assert.equal(await monthTotal(), now);
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
    await page.locator('.commits').getByText('Import of late-bill').waitFor();
    await close(page);
  });

  it('are made in the page, with a token', async () => {
    const page = await open('/?view=import');
    await page.locator('input[type=file]').setInputFiles({
      name: 'page-bill.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(makeBill(month, 40, 11)),
    });
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Check only' }).click();
    await page.getByText('Checked. Nothing was written.').waitFor();
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByText('is in the ledger.').waitFor();
    const rows = await page.locator('.report-rows strong').allTextContents();
    assert.deepEqual(rows, ['40', '40', '0']);
    await page.getByText('The sums agree exactly.').waitFor();
    await page.getByRole('button', { name: 'See it in the overview' }).click();
    await settled(page);
    await totalIs(page, await monthTotal());
    await close(page);
  });

  it('are refused without the token, in words', async () => {
    const page = await open('/?view=import');
    await page.locator('input[type=file]').setInputFiles({
      name: 'x.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(makeBill(month, 2, 5)),
    });
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByText('The server did not accept the token.').waitFor();
    assert.match(await page.getByRole('alert').textContent(), /the file “token” in the home folder/);
    // The browser itself reports the refused request on its console.
    const refused = complaints.findIndex((text) => text.includes('401'));
    if (refused >= 0) complaints.splice(refused, 1);
    await close(page);
  });
});

describe('several currencies', () => {
  it('are shown one at a time and never added up', async () => {
    const bill = join(place.dir, 'euro-bill.csv');
    await writeFile(bill, makeBill(month, 60, 23).replaceAll(',USD,', ',EUR,'));
    const report = JSON.parse(
      await flyball('import', bill, '--home', home, '--source', 'euro-bill', '--format', 'json'),
    );
    const page = await open(`/?period=${month}`);
    await settled(page);
    await totalIs(page, await monthTotal());
    await page.getByLabel('Currency', { exact: true }).selectOption('EUR');
    await page.waitForURL(/currency=EUR/);
    const euros = dollars(units(report.billed_cost.kept)).replace('$', '€');
    await page.waitForFunction(
      (text) => document.querySelector('[data-figure=total]')?.textContent === text,
      euros,
    );
    await close(page);
  });
});

describe('a server that does not answer', () => {
  it('says what to do when a question takes too long', async () => {
    const known = complaints.length;
    const page = await open('/?view=import');
    await page.locator('h1').waitFor();
    const error = { code: 'DEADLINE_EXCEEDED', message: 'it was stopped', hint: '' };
    await page.route('**/api/v1/query', (route) => route.fulfill({ status: 504, json: { error } }));
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.reload();
    assert.match(await page.getByRole('alert').first().textContent(), /shorter period or a filter/);
    complaints.splice(known);
    await close(page);
  });

  it('is told in words, and asked again', async () => {
    const page = await open('/?view=import');
    await page.locator('h1').waitFor();
    const known = complaints.length;
    await page.route('**/api/v1/query', (route) => route.abort());
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.reload();
    await page.getByRole('alert').first().waitFor();
    assert.match(await page.getByRole('alert').first().textContent(), /does not answer/);
    await page.unroute('**/api/v1/query');
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await settled(page);
    await totalIs(page, await monthTotal());
    complaints.splice(known); // the browser's own words on the requests that this test stopped
    await close(page);
  });

  it('leaves no sentence of an older answer above what failed', async () => {
    const page = await open('/');
    await settled(page);
    const known = complaints.length;
    await page.route('**/api/v1/query', (route) => route.abort());
    await page.getByRole('button', { name: 'Previous month' }).click();
    const heat = figure(page, 'Driver by lifecycle stage');
    await heat.getByRole('alert').waitFor();
    assert.equal(await heat.locator('.summary').count(), 0);
    complaints.splice(known);
    await close(page);
  });
});

describe('an empty ledger', () => {
  it('says how to begin', async () => {
    const other = await makeHome();
    const demo = server;
    try {
      server = await serve(other.home);
      const page = await open('/');
      await page.getByRole('heading', { name: 'The ledger is empty' }).waitFor();
      assert.ok(await page.getByText('flyball demo').isVisible());
      await close(page);
    } finally {
      await server.stop();
      server = demo;
      await other.remove();
    }
  });
});

describe('the slices', () => {
  it('sum in another Parquet reader to what the imports reported, to the last digit', async () => {
    const { commits } = await (await fetch(`${server.address}/api/v1/commits?limit=1000`)).json();
    const imports = commits.filter((commit) => commit.kind === 'import');
    assert.ok(imports.some((commit) => commit.source === 'late-bill'));
    for (const commit of imports) {
      let rows = 0;
      let sum = 0n;
      for (const slice of commit.opens) {
        const read = await sumOfSlice(home, slice, 'BilledCost');
        assert.equal(read.rows, slice.rows, `${slice.source} ${slice.period}`);
        const stated = Object.values(slice.billed_cost).reduce((s, text) => s + units(text), 0n);
        assert.equal(decimal(read.sum), decimal(stated), `${slice.source} ${slice.period}`);
        rows += read.rows;
        sum += read.sum;
      }
      assert.equal(rows, commit.import.rows_kept);
      assert.equal(decimal(sum), decimal(units(commit.import.billed_cost.kept)), commit.source);
    }
  });
});

it('nothing was complained about: no error on the console, no request to elsewhere', () => {
  assert.deepEqual(complaints, []);
});
