// The page in headless Chromium, and what it complained about.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { binary } from './support.mjs';

const CHROMIUM =
  process.env.CHROMIUM_BIN ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 20_000;

if (!existsSync(binary))
  throw new Error(
    `there is no program at ${binary}: build it (make build) or name it in FLYBALL_BIN`,
  );

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** A page of the server. Errors on its console and requests to elsewhere are put with the complaints. */
export async function openPage(browser, address, complaints, path = '/', options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
    colorScheme: 'light',
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.on(
    'console',
    (message) =>
      ['error', 'warning'].includes(message.type()) &&
      complaints.push(`${message.type()}: ${message.text()}`),
  );
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${address}/`)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(address + path);
  return page;
}
export const close = (page) => page.context().close();

/** What axe objects to, in words. */
export async function objections(page) {
  const script = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(script, 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(
    (v) =>
      `${v.id}: ${v.help}\n${v.nodes
        .slice(0, 3)
        .map((n) => n.html)
        .join('\n')}`,
  );
}

/** By how many pixels the page is wider than its window. */
export const overhang = (page) =>
  page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
