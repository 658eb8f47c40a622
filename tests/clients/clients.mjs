// The vendors' own client libraries, pointed at the gateway in front of the mock vendor: what applications do must work as if
// nothing stood in between, and what they spend must be counted to the last digit.
//   FLYBALL_BIN=build/release/flyball tests/clients/run
import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { makeWorld } from './world.mjs';

const TOOL = {
  name: 'weather',
  description: 'The weather of a place',
  schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
};

let world;
let gateway;
let openai;
let anthropic;
let broke; // a key whose budget has no room

before(async () => {
  world = await makeWorld({
    script: { rules: [{ match: { model: 'gpt-4o-mini' }, tool_call: true }, { match: { model: 'claude-haiku-*' }, tool_call: true }] },
    budgets:
      '  - {scope: team=search, amount: 1000, window: month}\n' +
      '  - {scope: team=broke, amount: 0.000001, window: month}\n',
  });
  gateway = await world.startGateway();
  const key = await world.createKey('--team', 'search');
  broke = await world.createKey('--team', 'broke');
  openai = new OpenAI({ apiKey: key, baseURL: `${world.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: key, baseURL: world.url, maxRetries: 0 });
  await world.knows(broke);
});
after(async () => {
  await gateway?.stop();
  await world?.vendor.stop();
  await world?.remove();
});

describe('the OpenAI library', () => {
  it('lists the models', async () => {
    for await (const model of openai.models.list()) assert.equal(model.object, 'model');
  });

  it('holds a conversation', async () => {
    const messages = [
      { role: 'system', content: 'You are brief.' },
      { role: 'user', content: 'Hello' },
    ];
    const first = await openai.chat.completions.create({ model: 'gpt-4o', messages, max_tokens: 50 });
    assert.equal(first.choices[0].finish_reason, 'stop');
    assert.ok(first.usage.total_tokens > 0);
    messages.push(first.choices[0].message, { role: 'user', content: 'And then? 你好 🙂' });
    const second = await openai.chat.completions.create({ model: 'gpt-4o', messages });
    assert.ok(second.choices[0].message.content.length > 0);
  });

  it('streams, and sees the usage only when it asked for it', async () => {
    const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }], stream: true };
    let text = '';
    for await (const chunk of await openai.chat.completions.create(ask)) {
      assert.equal(chunk.usage ?? undefined, undefined);
      text += chunk.choices[0].delta.content ?? '';
    }
    assert.ok(text.length > 0);
    let usage;
    const options = { ...ask, stream_options: { include_usage: true } };
    for await (const chunk of await openai.chat.completions.create(options)) usage = chunk.usage ?? usage;
    assert.ok(usage.completion_tokens > 0);
  });

  it('calls a tool, whole and in a stream', async () => {
    const ask = {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'The weather in Bern?' }],
      tools: [{ type: 'function', function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema } }],
    };
    const answer = await openai.chat.completions.create(ask);
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, TOOL.name);
    JSON.parse(call.function.arguments);
    let streamed = '';
    for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) {
      streamed += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
    }
    assert.deepEqual(JSON.parse(streamed), JSON.parse(call.function.arguments));
    const messages = [...ask.messages, answer.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'sunny' }];
    assert.ok(await openai.chat.completions.create({ ...ask, messages }));
  });

  it('uses the responses API, whole and as a stream', async () => {
    const answer = await openai.responses.create({ model: 'gpt-4o', input: 'Hello', max_output_tokens: 64 });
    assert.equal(answer.status, 'completed');
    assert.ok(answer.output_text.length > 0);
    let last;
    for await (const event of await openai.responses.create({ model: 'gpt-4o', input: 'Hello', stream: true })) last = event;
    assert.equal(last.type, 'response.completed');
  });

  it('embeds', async () => {
    const answer = await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] });
    assert.equal(answer.data.length, 2);
    assert.equal(typeof answer.data[0].embedding[0], 'number');
  });

  it('raises a refusal by a budget as its own rate limit error, and does not try again', async () => {
    const client = new OpenAI({ apiKey: broke, baseURL: `${world.url}/v1`, maxRetries: 5 });
    const before = await metric('flyball_gateway_refused_budget_total');
    await assert.rejects(
      client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }),
      (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.match(error.message, /team=broke/);
        assert.equal(error.code, 'budget_exceeded');
        assert.ok(Date.parse(error.headers.get('x-flyball-resets-at')) > Date.now());
        return true;
      },
    );
    assert.equal((await metric('flyball_gateway_refused_budget_total')) - before, 1);
  });
});

describe('the Anthropic library', () => {
  const ask = { model: 'claude-sonnet-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };

  it('holds a conversation', async () => {
    const first = await anthropic.messages.create(ask);
    assert.equal(first.stop_reason, 'end_turn');
    const messages = [...ask.messages, { role: 'assistant', content: first.content }, { role: 'user', content: 'More' }];
    assert.ok((await anthropic.messages.create({ ...ask, messages })).usage.output_tokens > 0);
  });

  it('streams', async () => {
    const stream = anthropic.messages.stream(ask);
    let text = '';
    stream.on('text', (piece) => (text += piece));
    const whole = await stream.finalMessage();
    assert.equal(whole.content[0].text, text);
    assert.ok(whole.usage.output_tokens > 0);
  });

  it('calls a tool', async () => {
    const tools = [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.schema }];
    const answer = await anthropic.messages.create({ ...ask, model: 'claude-haiku-4-5', tools });
    assert.equal(answer.stop_reason, 'tool_use');
    const streamed = await anthropic.messages.stream({ ...ask, model: 'claude-haiku-4-5', tools }).finalMessage();
    assert.equal(streamed.content.find((block) => block.type === 'tool_use').name, TOOL.name);
  });

  it('counts tokens without being charged', async () => {
    const before = (await world.budgets()).get('team=search').settled;
    const { max_tokens: _, ...rest } = ask;
    assert.ok((await anthropic.messages.countTokens(rest)).input_tokens > 0);
    assert.equal((await world.budgets()).get('team=search').settled, before);
  });

  it('raises a refusal by a budget as its own rate limit error', async () => {
    const client = new Anthropic({ apiKey: broke, baseURL: world.url, maxRetries: 5 });
    await assert.rejects(client.messages.create(ask), (error) => {
      assert.ok(error instanceof Anthropic.RateLimitError);
      assert.match(error.message, /team=broke/);
      return true;
    });
  });
});

it('counted all of it to the last digit', async () => {
  const budgets = await world.budgets();
  assert.equal(budgets.get('team=search').settled, await world.billed());
  assert.equal(budgets.get('team=search').held, 0n);
  assert.equal(budgets.get('team=broke').settled, 0n);
});

async function metric(name) {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
}
