// Two hundred clients, a hostile vendor, and processes that are killed: the vendor's bill never passes what is counted, and what
// is counted never passes a hard budget.
//   FLYBALL_STORM_SECONDS=120 FLYBALL_BIN=build/release/flyball tests/clients/run PROGRAM storm.mjs     (15 without it)
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeWorld, start, units } from './world.mjs';

const SECONDS = Number(process.env.FLYBALL_STORM_SECONDS ?? 15);
const CLIENTS = 200;
const LIMIT = '0.4';
const RAISED = '0.8';

const SCRIPT = {
  rules: [
    { match: { model: 'gpt-4o-mini' }, chance_percent: 5, status: 500 },
    { match: { model: 'gpt-4o-mini' }, chance_percent: 5, status: 429 },
    { chance_percent: 10, reset_after_frames: 3 },
    { chance_percent: 10, no_usage: true },
    { match: { model: 'claude-*' }, chance_percent: 30, cached_percent: 50, cache_write_5m_tokens: 10 },
    { chance_percent: 50, frame_ms: 5, bill_after_disconnect: true },
  ],
  default: { frames: 24 },
};

/** One client: asks again and again, and sometimes leaves in the middle of an answer. */
async function client(number, world, keys, tally, running) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let n = 0; running(); ++n) {
    const kind = (number + n) % 4;
    const messages = kind === 3;
    const body = JSON.stringify({
      model: messages ? 'claude-haiku-4-5' : 'gpt-4o-mini',
      max_tokens: 32,
      stream: kind % 2 === 1,
      messages: [{ role: 'user', content: `${number}.${n}` }],
    });
    const status = await ask(agent, world.url + (messages ? '/v1/messages' : '/v1/chat/completions'), keys[number % 2], body, n % 7 === 0);
    tally.set(status, (tally.get(status) ?? 0) + 1);
    if (status !== 200) await sleep(20);
  }
  agent.destroy();
}
function ask(agent, url, key, body, leaves) {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const asked = request(url, { method: 'POST', agent, headers, timeout: 20_000 }, (answer) => {
      answer.on('data', () => leaves && asked.destroy());
      answer.on('end', () => resolve(answer.statusCode));
      answer.on('close', () => resolve(answer.complete ? answer.statusCode : 'broken'));
      answer.on('error', () => resolve('broken'));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve('none'));
    asked.end(body);
  });
}

it(`keeps hard budgets for ${SECONDS} s of ${CLIENTS} clients and kills`, { timeout: SECONDS * 1000 + 120_000 }, async () => {
  const world = await makeWorld({
    script: SCRIPT,
    budgets:
      `  - {name: all, scope: organisation, amount: ${LIMIT}, window: year}\n` +
      `  - {name: one, scope: team=one, amount: ${LIMIT}, window: day}\n`,
  });
  let gateway = await world.startGateway();
  let server;
  try {
    const keys = [await world.createKey('--team', 'one'), await world.createKey('--team', 'two')];
    for (const key of keys) await world.knows(key);
    const tally = new Map();
    const until = Date.now() + SECONDS * 1000;
    const clients = Promise.all(
      Array.from({ length: CLIENTS }, (_, number) => client(number, world, keys, tally, () => Date.now() < until)),
    );
    let kills = 0;
    let raised = false;
    while (Date.now() < until) {
      server ??= await start(['serve', '--home', world.home, '--listen', '127.0.0.1:0']);
      await sleep(Math.min(1000 + 500 * (kills % 4), Math.max(until - Date.now(), 0)));
      if (!raised && Date.now() > until - SECONDS * 500) {
        raised = true;
        await world.flyball('budgets', 'set', '--name', 'all', '--scope', 'organisation', '--window', 'year', '--amount', RAISED, '--hard');
      }
      if (kills++ % 3 === 2) {
        await server.kill();
        server = undefined;
      } else {
        await gateway.kill();
        gateway = await world.startGateway();
      }
    }
    await clients;
    await gateway.stop(); // what still streams is finished first
    await server?.stop();
    server = undefined;
    await sleep(500); // the vendor finishes what nobody listens to
    gateway = await world.startGateway();
    const billed = await world.billed();
    const budgets = await world.budgets();
    const all = budgets.get('organisation');
    console.log(
      `${kills} kills; answers: ${[...tally].map(([status, n]) => `${status} x${n}`).join(', ')}; billed ${billed}, settled ${all.settled}, held ${all.held} of ${all.limit}`,
    );
    assert.equal(all.limit, units(RAISED));
    assert.ok(billed > 0n && tally.get(200) > CLIENTS && kills >= 3);
    assert.ok(tally.get(429) > 0, 'the budget was reached');
    assert.ok(billed <= all.settled + all.held, `billed ${billed}, counted ${all.settled} + ${all.held}`);
    assert.ok(all.settled + all.held <= all.limit, `counted ${all.settled} + ${all.held} of ${all.limit}`);
    for (const budget of budgets.values()) assert.equal(budget.max_overspend.amount ?? budget.max_overspend, '0');
  } finally {
    await gateway.kill();
    await server?.kill();
    await world.vendor.stop();
    await world.remove();
  }
});
