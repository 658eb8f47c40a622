// Notifications at the other end: the public verifier of signed webhooks, a mail server, Alertmanager itself, and catchers of what
// Slack, Teams and PagerDuty would get (there is nothing of theirs to run here).
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { binary, freePort, makeWorld, start } from './world.mjs';

const run = promisify(execFile);
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const LIMIT_MS = 20_000;

/** Waits until `what` is truthy; only the limit fails. */
async function until(what, of) {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(50)) {
    const value = await what();
    if (value) return value;
  }
  throw new Error(`no ${of} in ${LIMIT_MS} ms`);
}

/** An HTTP server that keeps what it gets; `answer(request)` is the status. */
function catcher() {
  const caught = { requests: [], answer: () => 200 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data));
    request.on('end', () => {
      const seen = { path: request.url, headers: request.headers, body };
      caught.requests.push(seen);
      response.writeHead(caught.answer(seen)).end('ok');
    });
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      caught.url = `http://127.0.0.1:${server.address().port}`;
      caught.close = () => server.close();
      resolve(caught);
    }),
  );
}

function mailServer() {
  const mails = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      username === 'flyball' && password === 'mail-password' ? done(null, { user: username }) : done(new Error('no')),
    onRcptTo: ({ address }, _, done) => done(address.startsWith('nobody@') ? new Error('unknown') : undefined),
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (data) => (text += data));
      stream.on('end', () => {
        mails.push({ text, from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((to) => to.address) });
        done();
      });
    },
  });
  return new Promise((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () =>
      resolve({ mails, port: listening.address().port, close: () => server.close() }),
    );
  });
}

let dir, hooks, smtp;
const environment = { ...process.env, HOOK_KEY: SECRET, PD_KEY: 'routing', MAIL_PASSWORD: 'mail-password' };
const flyball = (...args) =>
  run(binary, [...args, '--home', join(dir, 'home')], { env: environment }).catch((failed) => failed);
const estate = (notify) => writeFile(join(dir, 'home', 'estate.yaml'), `notify:\n${notify}`);

before(async () => {
  dir = await mkdtemp(join(process.env.TMPDIR || tmpdir(), 'flyball-notify-'));
  await mkdir(join(dir, 'home'));
  hooks = await catcher();
  smtp = await mailServer();
  environment.SLACK_URL = `${hooks.url}/slack`;
  environment.TEAMS_URL = `${hooks.url}/teams`;
});
after(async () => {
  hooks.close();
  smtp.close();
  await rm(dir, { recursive: true, force: true });
});

const caughtAt = (path) => hooks.requests.filter((request) => request.path === path);
const receivers = () => `  page_url: http://127.0.0.1:8080
  receivers:
    - { name: hook, kind: webhook, url: "${hooks.url}/hook", secret_env: HOOK_KEY }
    - { name: chat, kind: slack, url_env: SLACK_URL }
    - { name: team, kind: teams, url_env: TEAMS_URL }
    - { name: oncall, kind: pagerduty, url: "${hooks.url}", key_env: PD_KEY }
    - { name: mail, kind: email, server: "smtp://127.0.0.1:${smtp.port}", user: flyball, password_env: MAIL_PASSWORD,
        from: flyball@acme.example, to: [ana@acme.example, bo@acme.example] }
`;

test('every kind of receiver takes a test message', async () => {
  await estate(receivers());
  const { stdout, code } = await flyball('notify', 'test', '--format', 'json');
  assert.equal(code, undefined, stdout);
  assert.deepEqual(
    JSON.parse(stdout).map(({ receiver, sent }) => [receiver, sent]),
    ['hook', 'chat', 'team', 'oncall', 'mail'].map((name) => [name, true]),
  );
  const [hook] = caughtAt('/hook');
  const body = new Webhook(SECRET).verify(hook.body, hook.headers); // throws where the signature is not right
  assert.equal(body.notices[0].kind, 'test');
  assert.throws(() => new Webhook(SECRET).verify(hook.body.replace('test', 'tess'), hook.headers));
  assert.match(JSON.parse(caughtAt('/slack')[0].body).text, /This is a test of Flyball/);
  assert.equal(JSON.parse(caughtAt('/teams')[0].body).attachments[0].content.type, 'AdaptiveCard');
  const events = caughtAt('/v2/enqueue').map((event) => JSON.parse(event.body));
  assert.deepEqual(
    events.map((event) => [event.event_action, event.routing_key]),
    [
      ['trigger', 'routing'],
      ['resolve', 'routing'],
    ],
  );
  assert.equal(events[0].dedup_key, events[1].dedup_key);
  const [mail] = smtp.mails;
  assert.equal(mail.from, 'flyball@acme.example');
  assert.deepEqual(smtp.mails.map(({ to }) => to[0]).sort(), ['ana@acme.example', 'bo@acme.example']);
  const [head, text] = mail.text.split('\r\n\r\n');
  assert.match(head, /^Subject: =\?UTF-8\?B\?/m);
  assert.match(Buffer.from(text, 'base64').toString(), /This is a test of Flyball/);
});

test('a failure says what the receiver answered, and no secret', async () => {
  await estate(receivers());
  hooks.answer = ({ path }) => (path === '/slack' ? 404 : 200);
  environment.MAIL_PASSWORD = 'wrong-password';
  const { stdout, stderr, code } = await flyball('notify', 'test', 'chat', 'mail', '--format', 'json');
  hooks.answer = () => 200;
  environment.MAIL_PASSWORD = 'mail-password';
  assert.equal(code, 1);
  const [chat, mail] = JSON.parse(stdout);
  assert.match(chat.fault, /404/);
  assert.equal(mail.sent, false);
  assert.doesNotMatch(stdout + stderr, /wrong-password|\/slack|MfKQ9r8/);
  delete environment.PD_KEY;
  const unset = await flyball('notify', 'test', 'oncall', '--format', 'json');
  environment.PD_KEY = 'routing';
  assert.equal(unset.code, 1);
  assert.match(unset.stdout, /PD_KEY.*is not set/);
});

test('an address that the mail server refuses is said, and the others have the mail', async () => {
  const before = smtp.mails.length;
  await estate(receivers().replace('bo@', 'nobody@'));
  const { stdout, code } = await flyball('notify', 'test', 'mail', '--format', 'json');
  assert.equal(code, 1);
  assert.match(JSON.parse(stdout)[0].fault, /nobody@acme\.example: .*5\d\d/);
  assert.deepEqual(
    smtp.mails.slice(before).map(({ to }) => to),
    [['ana@acme.example']],
  );
});

/** Alertmanager as Debian has it: on the path, or unpacked by tests/clients/run; undefined where it can't be had. */
const alertmanager = [process.env.FLYBALL_ALERTMANAGER, '/usr/bin/prometheus-alertmanager'].find(
  (path) => path && existsSync(path),
);

test(
  'Alertmanager takes an alert and its end',
  { skip: !alertmanager && 'there is no prometheus-alertmanager here' },
  async () => {
    const config = join(dir, 'alertmanager.yml');
    await writeFile(config, 'route: { receiver: none }\nreceivers: [ { name: none } ]\n');
    const port = await freePort();
    const server = spawn(alertmanager, [
      `--config.file=${config}`,
      `--storage.path=${join(dir, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ]);
    try {
      const alerts = () =>
        fetch(`http://127.0.0.1:${port}/api/v2/alerts`).then(
          (answer) => answer.json(),
          () => undefined,
        );
      await until(alerts, 'answer of Alertmanager');
      await estate(`  receivers:\n    - { name: am, kind: alertmanager, url: "http://127.0.0.1:${port}" }\n`);
      const { stdout, code } = await flyball('notify', 'test', '--format', 'json');
      assert.equal(code, undefined, stdout);
      // A test is resolved at once, and what is resolved is not listed any more.
      assert.deepEqual(await until(alerts, 'answer of Alertmanager'), []);
      const { alertmanager_alerts_received_total: received } = Object.fromEntries(
        [...(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).matchAll(
          /^(alertmanager_alerts_received_total)\{status="resolved",version="v2"\} (\d+)/gm,
        )].map(([, name, value]) => [name, Number(value)]),
      );
      assert.equal(received, 1);
    } finally {
      server.kill('SIGKILL');
    }
  },
);

// Calls of the ordinary application take a quarter of a second and cost little; those of the agent come at once and are dear.
const SCRIPT = {
  models: ['gpt-4o', 'gpt-4o-mini'],
  rules: [
    { match: { model: 'gpt-4o-mini' }, first_byte_ms: 250, input_tokens: 2000 },
    { match: { model: 'gpt-4o' }, first_byte_ms: 20, input_tokens: 4000 },
  ],
};

test('a runaway agent is told at once; what a receiver did not take survives a kill; the end is told, too', async () => {
  const world = await makeWorld({ script: SCRIPT });
  const call = (key, model) =>
    fetch(`${world.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, max_tokens: 50, messages: [{ role: 'user', content: 'How fast?' }] }),
    }).then((answer) => answer.text());
  await appendFile(
    join(world.home, 'estate.yaml'),
    `notify:
  receivers:
    - { name: up, kind: webhook, url: "${hooks.url}/up", secret_env: HOOK_KEY }
    - { name: down, kind: webhook, url: "${hooks.url}/down", secret_env: HOOK_KEY }
`,
  );
  hooks.answer = ({ path }) => (path === '/down' ? 503 : 200);
  const keyOf = async (team) => JSON.parse(await world.flyball('keys', 'create', '--team', team, '--format', 'json'));
  const [search, agent] = [await keyOf('search'), await keyOf('labs')];
  const gateway = await world.startGateway();
  const serve = () => start(['serve', '--listen', '127.0.0.1:0', '--home', world.home], { HOOK_KEY: SECRET });
  let server = await serve();
  let running = true;
  const loops = [];
  try {
    for (let i = 0; i < 36; ++i) await call(search.key, 'gpt-4o-mini');
    const loop = async (key, model) => {
      while (running) await call(key, model);
    };
    const began = Date.now();
    loops.push(loop(search.key, 'gpt-4o-mini'), ...[1, 2, 3, 4].map(() => loop(agent.key, 'gpt-4o')));
    const at = (path, state) =>
      until(
        () =>
          hooks.requests
            .filter((request) => request.path === path)
            .map((request) => ({ id: request.headers['webhook-id'], ...new Webhook(SECRET).verify(request.body, request.headers) }))
            .find(({ notices: [notice] }) => notice.labels.key === agent.id && notice.state === state),
        `${state} notice at ${path}`,
      );
    const { notices } = await at('/up', 'open');
    console.log(`the runaway key was at the webhook after ${(Date.now() - began) / 1000} s`);
    running = false;
    await Promise.all(loops);
    assert.equal(notices[0].labels.team, 'labs');
    assert.equal(notices[0].currency, 'USD');
    assert.ok(Number(notices[0].amount) > 0);
    assert.equal(notices[0].detail.anomaly.suspect.value, agent.id);
    const refused = await at('/down', 'open');
    await server.kill();
    hooks.answer = () => 200;
    const before = hooks.requests.length;
    server = await serve();
    await until(
      () => hooks.requests.slice(before).some((request) => request.path === '/down' && request.headers['webhook-id'] === refused.id),
      'second try after the restart',
    );
    assert.ok(!hooks.requests.slice(before).some((request) => request.path === '/up'), 'what was taken is told once');
    const { incidents } = JSON.parse(await world.flyball('watch', 'list', '--format', 'json'));
    await world.flyball('watch', 'resolve', incidents[0].id, '--note', 'key revoked');
    await at('/up', 'resolved');
    await at('/down', 'resolved');
    const told = JSON.parse(await world.flyball('notify', 'list', '--format', 'json'));
    assert.equal(told.waiting, 0);
    assert.deepEqual([...new Set(told.deliveries.map(({ state }) => state))], ['sent']);
  } finally {
    running = false;
    hooks.answer = () => 200;
    await server.stop();
    await gateway.stop();
    await world.vendor.stop();
    await rm(world.home, { recursive: true, force: true });
  }
});
