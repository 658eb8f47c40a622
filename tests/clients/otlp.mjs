// OpenTelemetry's own exporters, pointed at flyball serve by an application that calls the vendor by itself: what the vendor bills
// for is charged to the last digit, once, whichever form of the wire it comes in.
import { SpanKind } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { makeWorld, start, units } from './world.mjs';

const HOUR_MS = 3_600_000;
// In an hour that is closed already.
const begun = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;

let world;
let server;
let token;
let openai;
let gateway;

before(async () => {
  world = await makeWorld({ script: { default: { cached_percent: 50 } }, budgets: '  - {scope: team=shop, amount: 1000, window: month}\n' });
  server = await start(['serve', '--home', world.home, '--listen', '127.0.0.1:0']);
  token = (await readFile(join(world.home, 'token'), 'utf8')).split('\n')[0];
  openai = new OpenAI({ apiKey: 'of the vendor', baseURL: `${world.vendor.address}/v1`, maxRetries: 0 });
});
after(async () => {
  await gateway?.stop();
  await server?.stop();
  await world?.vendor.stop();
  await world?.remove();
});

/** A tracer whose spans leave at their end, and what the exporter said. */
function tracer(Exporter, options = {}) {
  const results = [];
  const exporter = new Exporter({
    url: `${server.address}/v1/traces`,
    headers: { authorization: `Bearer ${token}` },
    timeoutMillis: 10_000,
    ...options,
  });
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      results.push(result);
      done(result);
    });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', team: 'shop' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  return { provider, exporter, results, spans: provider.getTracer('test') };
}

/** Calls the vendor in a span, as an instrumentation does; returns the span. */
async function chat(spans, client = openai, more = {}) {
  const span = spans.startSpan('chat gpt-4o', { kind: SpanKind.CLIENT, startTime: begun });
  const answer = await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] });
  span.setAttributes({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.response.model': answer.model,
    'gen_ai.response.id': answer.id,
    'gen_ai.usage.input_tokens': answer.usage.prompt_tokens,
    'gen_ai.usage.cache_read.input_tokens': answer.usage.prompt_tokens_details.cached_tokens,
    'gen_ai.usage.output_tokens': answer.usage.completion_tokens,
    'gen_ai.input.messages': 'nobody reads this '.repeat(1000),
    ...more,
  });
  span.end(begun + 1000);
  return span;
}

const publish = async () => {
  // The server publishes by itself at its start: one at a time.
  const once = () => world.flyball('publish', '--format', 'json').catch((error) => {
    if (!/is held by process/.test(error.stderr)) throw error;
  });
  let told;
  while ((told = await once()) === undefined) await sleep(50);
  const { months } = JSON.parse(told);
  return months.find((month) => month.source === 'otlp');
};
const okay = (results, count) => assert.deepEqual(results, Array(count).fill({ code: 0 }));

describe('OpenTelemetry exporters', () => {
  for (const [name, Exporter, options] of [
    ['protobuf', ProtobufExporter, {}],
    ['protobuf, packed', ProtobufExporter, { compression: 'gzip' }],
    ['JSON', JsonExporter, {}],
    ['JSON, packed', JsonExporter, { compression: 'gzip' }],
  ]) {
    it(`are understood: ${name}`, async () => {
      const { provider, results, spans } = tracer(Exporter, options);
      await chat(spans);
      spans.startSpan('GET /', { startTime: begun }).end(begun + 1);
      await provider.forceFlush();
      okay(results, 2);
    });
  }

  it('charge what the vendor bills, to the last digit', async () => {
    const month = await publish();
    assert.equal(month.calls, 4);
    assert.equal(units(month.billed_cost), await world.billed());
    const query = await world.flyball('query', '--measures', 'billed_cost', '--by', 'team,model', '--format', 'json');
    const { rows } = JSON.parse(query);
    assert.deepEqual(rows.map((row) => row.team), ['shop']);
  });

  it('may send a span twice', async () => {
    const first = tracer(ProtobufExporter);
    const span = await chat(first.spans);
    await first.provider.forceFlush();
    const again = tracer(JsonExporter);
    await new Promise((done) => again.exporter.export([span], done));
    okay([...first.results, ...again.results], 2);
    const month = await publish();
    assert.equal(month.calls, 5);
    assert.equal(units(month.billed_cost), await world.billed());
  });

  it('are refused without a token', async () => {
    const { provider, results, spans } = tracer(ProtobufExporter, { headers: {} });
    spans.startSpan('chat', { startTime: begun }).end(begun + 1);
    await provider.forceFlush().catch(() => {});
    assert.equal(results[0].code, 1);
    assert.equal(results[0].error.code, 401);
  });
});

it('a call through the gateway is charged there, not a second time', async () => {
  const estate = join(world.home, 'estate.yaml');
  const { host, hostname, port } = new URL(world.url);
  await writeFile(estate, (await readFile(estate, 'utf8')).replace('gateway:\n', `gateway:\n  listen: ${host}\n`));
  gateway = await world.startGateway();
  const key = await world.createKey('--team', 'shop');
  await world.knows(key);
  const client = new OpenAI({ apiKey: key, baseURL: `${world.url}/v1`, maxRetries: 0 });
  const { provider, results, spans } = tracer(ProtobufExporter);
  await chat(spans, client, { 'server.address': hostname, 'server.port': Number(port) });
  await provider.forceFlush();
  okay(results, 1);
  const month = await publish();
  assert.equal(month.calls, 5);
  assert.equal(month.gateway, 1);
});
