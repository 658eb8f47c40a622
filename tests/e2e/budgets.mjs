// The page Budgets while money is spent: a gateway in front of the mock vendor, calls that settle and are refused, and the
// page that freezes and raises what they run into.
//   FLYBALL_BIN=build/release/flyball node --test tests/e2e/budgets.mjs
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decimal, makeWorld, start } from '../clients/world.mjs';
import { close, launch, objections, openPage, overhang } from './browser.mjs';

const complaints = [];
let world;
let gateway;
let server;
let browser;
let key;
let token;

const open = (options = {}) =>
  openPage(browser, server.address, complaints, '/?view=budgets', options);
const search = (page) => page.locator('.budget', { has: page.locator('h2', { hasText: 'search' }) });
const call = () =>
  fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
const settled = async () => (await world.budgets()).get('team=search').settled;

/** The browser itself reports a request that was refused for want of a token on its console. */
function forgiveRefusal() {
  const known = complaints.findIndex((text) => text.includes('401'));
  if (known >= 0) complaints.splice(known, 1);
}

before(async () => {
  world = await makeWorld({
    budgets: '  - {scope: team=search, amount: 0.0005, window: month, warn: [10]}\n',
  });
  gateway = await world.startGateway();
  key = await world.createKey('--team', 'search');
  await world.knows(key);
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

describe('a budget', () => {
  it('is seen to fill as calls settle, and to refuse', async () => {
    const page = await open();
    const budget = search(page);
    await budget.waitFor();
    assert.equal(await budget.getAttribute('data-state'), 'calm');
    const answer = await call();
    assert.equal(answer.status, 200, await answer.text());
    const spent = await settled();
    assert.ok(spent > 0n);
    const share = (text) => Number(text.replace(/[^\d.]/g, ''));
    await page.waitForFunction(
      () => !document.querySelector('.budget-share')?.textContent.startsWith('0'),
    );
    const first = share(await budget.locator('.budget-share').textContent());
    let refused = 0;
    for (let i = 0; i < 60 && refused === 0; ++i) {
      const next = await call();
      await next.arrayBuffer();
      if (next.status !== 200) refused = next.status;
    }
    assert.equal(refused, 429, 'sixty calls fit');
    await page.waitForFunction(
      (before) =>
        Number(document.querySelector('.budget-share').textContent.replace(/[^\d.]/g, '')) > before,
      first,
    );
    await page.waitForFunction(
      () =>
        ['warned', 'full'].includes(document.querySelector('.budget').dataset.state) &&
        [...document.querySelectorAll('.budget-facts div')].some(
          (fact) => /Calls refused/.test(fact.textContent) && /[1-9]/.test(fact.textContent),
        ),
    );
    // What is shown is what the guard counts, to the last digit.
    const row = (await world.budgets()).get('team=search');
    assert.ok(row.settled + row.held <= row.limit);
    await page.waitForFunction(
      (text) =>
        [...document.querySelectorAll('.budget-facts div')].some(
          (fact) => fact.textContent === text,
        ),
      `Settled${decimal(row.settled)} USD`,
    );
    await close(page);
  });

  it('is frozen and thawed from the page, with the token', async () => {
    const page = await open();
    const budget = search(page);
    await budget.getByRole('button', { name: 'Freeze' }).click();
    await page.getByLabel(/Changing a budget needs a token/).fill(token);
    await budget.getByRole('button', { name: 'Freeze' }).click();
    await page.waitForFunction(() => document.querySelector('.budget').dataset.state === 'frozen');
    assert.equal((await call()).status, 429);
    await budget.getByRole('button', { name: 'Unfreeze' }).click();
    await page.waitForFunction(() => document.querySelector('.budget').dataset.state !== 'frozen');
    forgiveRefusal();
    await close(page);
  });

  it('is raised on the page, and the next call passes', async () => {
    const page = await open();
    const budget = search(page);
    await budget.getByRole('button', { name: 'Change limit' }).click();
    await budget.getByLabel('New limit').fill('not money');
    assert.equal(await budget.getByRole('button', { name: 'Save' }).isDisabled(), true);
    await budget.getByLabel('New limit').fill('5');
    await budget.getByRole('button', { name: 'Save' }).click();
    await page.getByLabel(/Changing a budget needs a token/).fill(token);
    await budget.getByRole('button', { name: 'Change limit' }).click();
    await budget.getByLabel('New limit').fill('5');
    await budget.getByRole('button', { name: 'Save' }).click();
    await page.waitForFunction(() => document.querySelector('.budget').dataset.state === 'calm');
    const before = await settled();
    assert.equal((await call()).status, 200);
    assert.ok((await settled()) > before);
    forgiveRefusal();
    await close(page);
  });

  it('is readable for everybody', async () => {
    for (const options of [
      { colorScheme: 'dark', locale: 'zh-CN' },
      { viewport: { width: 390, height: 844 } },
    ]) {
      const page = await open({ ...options, reducedMotion: 'reduce' });
      await page.locator('.budget').first().waitFor();
      assert.deepEqual(await objections(page), [], JSON.stringify(options));
      assert.equal(await overhang(page), 0, JSON.stringify(options));
      await close(page);
    }
  });
});

it('nothing was complained about: no error on the console, no request to elsewhere', () => {
  assert.deepEqual(complaints, []);
});
