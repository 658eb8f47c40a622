// What comes next and what the watch has found: the forecast's fan against the API, and an agent that runs away in front of
// the real gateway while the page is looked at.
//   FLYBALL_BIN=build/release/flyball node --test tests/e2e/ahead.mjs
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeWorld, start } from '../clients/world.mjs';
import { close, launch, objections, openPage, overhang } from './browser.mjs';
import { dollars, makeBill, query } from './support.mjs';

// Calls of the application cost little and take a quarter of a second; those of the agent come at once and are dear.
const SCRIPT = {
  models: ['gpt-4o', 'gpt-4o-mini'],
  rules: [
    { match: { model: 'gpt-4o-mini' }, first_byte_ms: 250, input_tokens: 2000 },
    { match: { model: 'gpt-4o' }, first_byte_ms: 20, input_tokens: 4000 },
  ],
};
const CALM_CALLS = 36;
const MONTHS = ['2026-06', '2026-07', '2026-08', '2026-09'];
const complaints = [];
let world;
let gateway;
let server;
let browser;
let search;
let agent;
let agentId;
let token;

const open = (path, options = {}) => openPage(browser, server.address, complaints, path, options);
const api = async (path) => (await fetch(`${server.address}/api/v1${path}`)).json();
const idle = (page) =>
  page.waitForFunction(
    () => !document.querySelector('.waiting, .stale, [aria-busy=true]'),
    null,
    { timeout: 60_000 }, // forecasts are made one after the other
  );
const call = async (key, model) => {
  const answer = await fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await answer.arrayBuffer();
  return answer.status;
};
/** Estimates are numbers: as the page writes them, which rounds an amount of a hundred and more to whole dollars. */
const shown = (value) => dollars(BigInt(Math.round(value * 1e6)) * 1_000_000n, value >= 100 ? 0 : 2);

/** The agent runs away while `look` looks. */
async function runAway(look) {
  let stop = false;
  const caller = async (key, model) => {
    while (!stop) await call(key, model);
  };
  const callers = [caller(search, 'gpt-4o-mini')];
  for (let i = 0; i < 4; ++i) callers.push(caller(agent, 'gpt-4o'));
  try {
    return await look();
  } finally {
    stop = true;
    await Promise.all(callers);
  }
}

before(async () => {
  world = await makeWorld({
    script: SCRIPT,
    budgets:
      '  - {scope: organisation, amount: 1000, window: month, hard: false}\n' +
      '  - {scope: team=search, tokens: 1000000000, window: month, hard: false}\n',
  });
  for (const [i, month] of MONTHS.entries()) {
    const bill = join(world.home, '..', `${month}.csv`);
    await writeFile(bill, makeBill(month, 400, 7 + i));
    await world.flyball('import', bill, '--source', 'aws');
  }
  gateway = await world.startGateway();
  const made = async (team) =>
    JSON.parse(await world.flyball('keys', 'create', '--team', team, '--json'));
  search = (await made('search')).key;
  const key = await made('labs');
  agent = key.key;
  agentId = key.id;
  await world.knows(agent);
  const page = process.env.FLYBALL_WEB_DIR ? ['--web-dir', process.env.FLYBALL_WEB_DIR] : [];
  server = await start(['serve', '--home', world.home, '--listen', '127.0.0.1:0', ...page]);
  token = (await readFile(join(world.home, 'token'), 'utf8')).trim();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await gateway?.stop();
  await world?.vendor.stop();
  await world?.remove();
});

describe('the outlook', () => {
  let page;

  it('shows the fan and the months of the API', async () => {
    // Messages link by fragments; the page has one address for one view.
    page = await open('/#/outlook');
    await page.waitForURL(/view=outlook/);
    await idle(page);
    const forecast = await api('/forecast?by=team&horizon=3mo&levels=50,80,95');
    const [answer] = forecast.answers;
    const [whole] = answer.series;
    assert.deepEqual(whole.dimensions, {});
    for (const [i, month] of answer.months.entries()) {
      const mean = page.locator(`[data-month="${month}"] .month-mean`);
      assert.equal(await mean.textContent(), shown(whole.months.mean[i]), month);
      const { lower, upper } = whole.months.ranges.find(({ level }) => level === 80);
      const said = await page.locator(`[data-month="${month}"] .month-range`).textContent();
      assert.ok(said.includes(`${shown(lower[i])} and ${shown(upper[i])}`), said);
    }
    // What has come of the first month is what the ledger says of it.
    const [from] = answer.months;
    const to = forecast.known_to.slice(0, 10);
    assert.ok(to > `${from}-01`, to);
    const spent = await query(server.address, { measures: ['effective_cost'], from, to, where: [] });
    const difference = Number(spent.totals.effective_cost) - whole.months.actual[0];
    assert.ok(Math.abs(difference) < 1e-3, String(difference));
    const fan = page.locator('.plot.fan svg');
    assert.equal(await fan.locator('path.band').count(), 3);
    assert.equal(await fan.locator('.fan-now line').count(), 1);
    const line = await fan.locator('.fan-mean').getAttribute('d');
    assert.equal(line.match(/[ML]/g).length, answer.periods.length);
  });

  it('says whether budgets will hold, as the API does', async () => {
    const { budgets } = await api('/forecast/outlook?levels=50,80,95');
    const money = budgets.find(({ scope }) => scope === 'organisation');
    const item = page.locator('.ahead', { hasText: 'Organisation' });
    const facts = await item.locator('.budget-facts').textContent();
    assert.ok(facts.includes(shown(money.mean)), facts);
    assert.ok(facts.includes(shown(money.limit)), facts);
    assert.match(await page.locator('[data-prospect=unknown]').textContent(), /it limits tokens/);
  });

  it('is reached by keyboard, of any part, and as a table', async () => {
    await page.locator('.plot.fan').focus();
    await page.keyboard.press('End');
    const said = page.locator('.forecast .chart > [aria-live]');
    assert.match(await said.textContent(), /is expected, 80% of outcomes between/);
    await page.locator('.series-link').last().click();
    await page.waitForURL(/part=/);
    const figure = page.getByRole('figure', { name: /^Forecast of effective cost: / });
    await figure.getByRole('button', { name: 'Show as table' }).click();
    assert.ok((await figure.locator('tbody tr').count()) > 28);
    await figure.getByRole('button', { name: 'Show as chart' }).click();
  });

  it('is readable for everybody', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    assert.deepEqual(await objections(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByLabel('Language').selectOption('zh-CN');
    await page.getByRole('heading', { name: '展望' }).waitFor();
    assert.deepEqual(await objections(page), []);
    assert.equal(await overhang(page), 0);
    await close(page);
  });
});

describe('an agent that runs away', () => {
  let incident;

  it('is on the page without a reload, with the right key named', async () => {
    const page = await open('/?view=incidents');
    await page.getByText('Nothing is open.').waitFor();
    await page.evaluate(() => (window.notReloaded = true));
    for (let i = 0; i < CALM_CALLS; ++i) assert.equal(await call(search, 'gpt-4o-mini'), 200);
    const item = page.locator('.incident', { hasText: agentId });
    await runAway(() => item.first().waitFor({ timeout: 60_000 }));
    assert.ok(await page.evaluate(() => window.notReloaded));
    incident = await item.first().getAttribute('data-incident');
    const told = await api(`/incidents/${incident}`);
    assert.deepEqual(told.suspect, { dimension: 'key', value: agentId });
    assert.equal(await item.first().getAttribute('data-state'), 'open');
    const { total } = await api('/incidents?state=open');
    await page.waitForFunction(
      (count) => document.querySelector('.nav-count span')?.textContent === count,
      String(total),
    );
    await close(page);
  });

  it('stands on the overview while somebody should look', async () => {
    const page = await open('/');
    await page.locator('.open-incident', { hasText: 'spends more than expected' }).waitFor();
    await close(page);
  });

  it('is shown with its causes, timeline and evidence at the address that messages link to', async () => {
    const page = await open(`/#/incidents/${incident}`);
    await page.locator('.incident-detail').waitFor();
    await idle(page);
    assert.equal(new URL(page.url()).searchParams.get('incident'), incident);
    const suspect = page.locator('.cause-tree .suspect');
    assert.match(await suspect.first().textContent(), new RegExp(agentId));
    assert.match(await page.locator('.incident-action').textContent(), new RegExp(`budget of ${agentId}`));
    const { timeline } = await api(`/incidents/${incident}`);
    assert.ok((await page.locator('.incident-timeline li').count()) >= Math.min(1, timeline.length));
    await page.getByRole('link', { name: 'See its charges' }).first().click();
    await page.waitForURL(/view=explore/);
    assert.match(new URL(page.url()).searchParams.get('where'), /source=gateway.*team=labs/);
    await page.locator('.rows tbody tr').first().waitFor();
    await close(page);
  });

  it('is acknowledged and resolved on the page, with the token; another page sees it', async () => {
    const page = await open(`/?view=incidents&incident=${incident}`);
    const other = await open('/?view=incidents');
    await page.getByLabel('Owner').fill('ana');
    await page.getByLabel('Note').fill('looking at it');
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByLabel(/Saying something of an incident needs a token/).fill(token);
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.locator('.incident-detail[data-state=acknowledged]').waitFor();
    await other.locator(`[data-incident="${incident}"][data-state=acknowledged]`).waitFor();
    const told = await api(`/incidents/${incident}`);
    assert.equal(told.owner, 'ana');
    assert.ok(told.timeline.some(({ what, text }) => what === 'acknowledged' && text === 'looking at it'));
    await page.getByRole('button', { name: 'Expect its like from now on' }).first().click();
    await page.locator('[data-feedback=expected]').first().waitFor();
    await page.getByRole('button', { name: 'Tell its like again' }).first().click();
    await page.waitForFunction(() => !document.querySelector('[data-feedback=expected]'));
    await page.getByRole('button', { name: 'Resolve' }).click();
    await other.locator(`[data-incident="${incident}"][data-state=resolved]`).waitFor();
    const known = complaints.findIndex((text) => text.includes('401'));
    assert.ok(known >= 0); // the browser itself reports the request that was refused for want of a token
    complaints.splice(known, 1);
    await close(page);
    await close(other);
  });

  it('is readable for everybody', async () => {
    for (const path of ['/?view=incidents', `/?view=incidents&incident=${incident}`])
      for (const options of [
        {},
        { colorScheme: 'dark', locale: 'zh-CN' },
        { viewport: { width: 390, height: 844 } },
      ]) {
        const page = await open(path, { ...options, reducedMotion: 'reduce' });
        await page.locator('[data-incident]').first().waitFor();
        await idle(page);
        assert.deepEqual(await objections(page), [], `${path} ${JSON.stringify(options)}`);
        assert.equal(await overhang(page), 0, `${path} ${JSON.stringify(options)}`);
        await close(page);
      }
  });
});

it('nothing was complained about: no error on the console, no request to elsewhere', () => {
  assert.deepEqual(complaints, []);
});
