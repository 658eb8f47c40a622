// An invented enterprise for developing the page without a server. Never shipped.
export interface Charge {
  day: string;
  [dimension: string]: string;
}

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Line {
  provider: string;
  service: string;
  category: string;
  source: string;
  driver: string;
  stage: string;
  ai: string;
  team: string;
  project: string;
  use_case: string;
  model: string;
  environment: string;
  unit: string;
  day: number; // cost of a day in 2025-11
  growth: number; // a month
  price: number;
  from?: number; // first month
  to?: number; // month after the last
  discount?: number;
}

const A = 'Amazon Web Services', Z = 'Microsoft Azure', G = 'Google Cloud';
const gen = 'generative AI', ai = 'other AI', other = 'other compute';
const L = (
  provider: string, service: string, category: string, source: string, driver: string, stage: string, aiClass: string,
  team: string, project: string, use_case: string, model: string, environment: string, unit: string,
  day: number, growth: number, price: number, more: Partial<Line> = {},
): Line => ({
  provider, service, category, source, driver, stage, ai: aiClass, team, project, use_case, model, environment, unit,
  day, growth, price, ...more,
});

const LINES: Line[] = [
  L(A, 'Amazon Bedrock', 'AI and Machine Learning', 'aws', 'model inference', 'serve', gen, 'support', 'helpdesk', 'answer-bot', 'claude-sonnet-4', 'production', '1000 Tokens', 2900, 0.075, 0.009),
  L('OpenAI', 'API', 'AI and Machine Learning', 'openai', 'model inference', 'serve', gen, 'search', 'semantic-search', 'answers', 'gpt-5', 'production', '1000 Tokens', 2350, 0.06, 0.007),
  L('Anthropic', 'Claude API', 'AI and Machine Learning', 'anthropic', 'model inference', 'build', gen, 'platform', 'developer-tools', 'code-assistant', 'claude-opus-4', 'development', '1000 Tokens', 1500, 0.11, 0.02),
  L('OpenAI', 'API', 'AI and Machine Learning', 'openai', 'fine-tuning', 'fine-tune', gen, 'search', 'semantic-search', 'answers', 'gpt-5-mini', 'research', '1000 Tokens', 310, 0.02, 0.012),
  L(Z, 'Azure OpenAI', 'AI and Machine Learning', 'azure', 'model inference', 'serve', gen, 'marketing', 'campaigns', 'copywriter', 'gpt-5', 'production', '1000 Tokens', 820, 0.04, 0.0075),
  L('Northwind Cluster A', 'GPU pool H100', 'Compute', 'gpu-cluster-a', 'model training', 'train', gen, 'research', 'foundation', 'domain-model', 'nw-llm-7b', 'own cluster', 'GPU Hours', 3600, 0.012, 2.1),
  L('Northwind Cluster A', 'GPU pool H100', 'Compute', 'gpu-cluster-a', 'hardware', 'operate', other, 'platform', 'clusters', '', '', 'own cluster', 'GPU Hours', 1450, 0, 1.2),
  L('Northwind Cluster B', 'GPU pool L40S', 'Compute', 'gpu-cluster-b', 'model inference', 'serve', ai, 'risk', 'scoring', 'fraud-score', 'nw-fraud-2', 'own cluster', 'GPU Hours', 940, 0.015, 0.7),
  L('Northwind Cluster B', 'Power', 'Other', 'gpu-cluster-b', 'energy', 'operate', other, 'platform', 'clusters', '', '', 'own cluster', 'kWh', 520, 0.01, 0.19),
  L('Northwind Cluster A', 'Colocation', 'Other', 'gpu-cluster-a', 'data centre', 'operate', other, 'platform', 'clusters', '', '', 'own cluster', 'Rack Months', 610, 0, 1900),
  L(A, 'Amazon EC2', 'Compute', 'aws', 'cloud service', 'operate', other, 'platform', 'landing-zone', '', '', 'production', 'Hours', 3900, 0.008, 0.41, { discount: 0.31 }),
  L(A, 'Amazon EKS', 'Compute', 'aws', 'cloud service', 'serve', other, 'search', 'semantic-search', 'answers', '', 'production', 'Hours', 1150, 0.02, 0.1, { discount: 0.2 }),
  L(A, 'Amazon S3', 'Storage', 'aws', 'storage', 'operate', other, 'data', 'lake', '', '', 'production', 'GB-Months', 980, 0.02, 0.023),
  L(A, 'AWS Data Transfer', 'Networking', 'aws', 'network', 'serve', other, '', '', '', '', 'production', 'GB', 430, 0.015, 0.09),
  L(G, 'BigQuery', 'Analytics', 'gcp', 'data preparation', 'build', ai, 'data', 'lake', 'forecasting', '', 'production', 'TiB', 890, 0.025, 5),
  L(G, 'Vertex AI', 'AI and Machine Learning', 'gcp', 'model training', 'train', ai, 'risk', 'scoring', 'churn', 'nw-churn-4', 'research', 'Node Hours', 640, -0.01, 3.2),
  L(G, 'Vertex AI', 'AI and Machine Learning', 'gcp', 'model inference', 'explore', gen, 'research', 'foundation', 'multimodal', 'gemini-3-pro', 'research', '1000 Tokens', 260, 0.13, 0.006),
  L(G, 'Cloud Storage', 'Storage', 'gcp', 'storage', 'train', other, 'research', 'foundation', 'domain-model', '', 'research', 'GB-Months', 370, 0.03, 0.02),
  L(Z, 'Virtual Machines', 'Compute', 'azure', 'cloud service', 'build', other, 'finance', 'close', '', '', 'staging', 'Hours', 760, -0.015, 0.3, { discount: 0.25 }),
  L(Z, 'Azure Databricks', 'Analytics', 'azure', 'data preparation', 'build', ai, 'data', 'lake', 'forecasting', '', 'production', 'DBU Hours', 720, 0.01, 0.55),
  L(Z, 'Microsoft Defender', 'Security', 'azure', 'security and compliance', 'operate', other, '', '', '', '', 'production', 'Hours', 210, 0.005, 0.02),
  L('Scale Labelers', 'Annotation', 'Other', 'labelling', 'data collection', 'explore', gen, 'research', 'foundation', 'domain-model', '', 'research', 'Tasks', 340, 0.02, 0.6, { from: 3 }),
  L('Northwind Mainframe', 'z/OS MSU', 'Compute', 'mainframe', 'cloud service', 'operate', other, 'finance', 'core-banking', 'claims-triage', '', 'mainframe', 'MSU', 1650, 0.002, 95),
  L('Northwind Mainframe', 'Software licences', 'Other', 'mainframe', 'licence', 'operate', other, 'finance', 'core-banking', '', '', 'mainframe', 'Months', 480, 0, 480),
  L('Northwind', 'AI engineering', 'Other', 'people', 'people', 'build', gen, 'platform', 'developer-tools', 'code-assistant', '', 'people', 'Hours', 900, 0.01, 95),
  L(A, 'Amazon SageMaker', 'AI and Machine Learning', 'aws', 'model training', 'train', gen, 'research', 'foundation', 'domain-model', 'nw-llm-70b', 'research', 'Hours', 1500, 0.02, 12, { from: 11, to: 13 }),
  L(A, 'Amazon Kendra', 'AI and Machine Learning', 'aws', 'cloud service', 'retire', ai, 'support', 'helpdesk', 'answer-bot', '', 'production', 'Hours', 240, -0.06, 1.1, { to: 11 }),
  L('OpenAI', 'API', 'AI and Machine Learning', 'openai', 'model inference', 'serve', gen, '', '', '', 'gpt-5-mini', 'production', '1000 Tokens', 390, 0.05, 0.001),
];

const DAY = 86_400_000;
export function charges(): Charge[] {
  const next = random(20261122);
  const out: Charge[] = [];
  const first = Date.UTC(2025, 9, 1);
  const last = Date.UTC(2026, 10, 22);
  for (let at = first; at <= last; at += DAY) {
    const date = new Date(at);
    const day = date.toISOString().slice(0, 10);
    const month = (date.getUTCFullYear() - 2025) * 12 + date.getUTCMonth() - 9;
    const weekend = date.getUTCDay() % 6 === 0;
    LINES.forEach((line, index) => {
      if ((line.from ?? 0) > month || (line.to ?? 99) <= month) return;
      let cost = line.day * (1 + line.growth) ** month * (0.92 + 0.16 * next());
      if (weekend && line.unit === '1000 Tokens') cost *= 0.55;
      if (index === 2 && day >= '2026-10-14' && day <= '2026-10-17') cost *= 4.4; // an agent ran away
      if (index === 5 && month % 4 === 2) cost *= 1.35;
      let price = line.price;
      if (index === 1 && month >= 12) price *= 0.82;
      if (index === 1 && month >= 12) cost *= 0.86;
      const list = cost / (1 - (line.discount ?? 0.04));
      const fix = (x: number, digits: number) => x.toFixed(digits);
      out.push({
        day,
        provider: line.provider, service: line.service, service_category: line.category, source: line.source,
        driver: line.driver, stage: line.stage, ai_class: line.ai, team: line.team, project: line.project,
        use_case: line.use_case, model: line.model, environment: line.environment, unit: line.unit,
        account: `${line.source}-${(index % 3) + 1}`, region: ['eu-central-1', 'us-east-1', 'eu-west-1'][index % 3]!,
        charge_category: 'Usage', sku: `SKU-${1000 + index}`, resource: `res-${index}-${(date.getUTCDate() % 4) + 1}`,
        currency: 'USD',
        effective_cost: fix(cost, 6), billed_cost: fix(cost * 0.97, 6), list_cost: fix(list, 6),
        contracted_cost: fix(list * 0.97, 6), usage: fix(cost / price, 4), line: String(out.length + 2),
      });
    });
  }
  return out;
}

const named = (id: string, name: string, owner = '') => ({ id, name, owner });
export const ESTATE = {
  name: 'Northwind Mutual',
  currency: 'USD',
  environments: [
    named('production', 'Production'), named('staging', 'Staging'), named('development', 'Development'),
    named('research', 'Research'), named('own cluster', 'Own GPU clusters'), named('mainframe', 'Mainframe'), named('people', 'People'),
  ],
  teams: [
    named('search', 'Search'), named('support', 'Customer support'), named('platform', 'AI platform'), named('research', 'Applied research'),
    named('risk', 'Risk'), named('data', 'Data'), named('finance', 'Finance'), named('marketing', 'Marketing'),
  ],
  projects: [],
  models: [named('claude-sonnet-4', 'Claude Sonnet 4'), named('gpt-5', 'GPT-5')],
  sources: [
    named('aws', ''), named('azure', ''), named('gcp', ''), named('openai', ''), named('anthropic', ''),
    named('gpu-cluster-a', ''), named('gpu-cluster-b', ''), named('mainframe', ''), named('labelling', ''), named('people', ''),
  ].map((s) => ({ name: s.id, title: '' })),
  use_cases: [
    ['answer-bot', 'Answer bot for claims', 'Mira Okafor', 'support', 'Halve the time to first answer', 'serve', 'running', '', '120000', '1400000'],
    ['answers', 'Answers in search', 'Jonas Weber', 'search', 'More self-service, fewer calls', 'serve', 'running', '', '150000', '2100000'],
    ['code-assistant', 'Code assistant', 'Li Na', 'platform', 'A fifth more change for the same people', 'build', 'running', '', '90000', '1900000'],
    ['domain-model', 'Language model for insurance', 'Ana Sousa', 'research', 'Own a model for regulated text', 'train', 'running', '', '160000', '900000'],
    ['copywriter', 'Campaign copywriter', 'Paul Reyes', 'marketing', 'Campaigns in a day', 'serve', 'running', '', '40000', '350000'],
    ['fraud-score', 'Fraud score', 'Ines Duarte', 'risk', 'Stop more fraud before payment', 'serve', 'running', '', '36000', '4200000'],
    ['forecasting', 'Claims forecasting', 'Tom Lindqvist', 'data', 'Reserves within one per cent', 'operate', 'running', '', '60000', '800000'],
    ['churn', 'Churn model', 'Ines Duarte', 'risk', 'Keep good customers', 'train', 'paused', 'Waits for consent of the works council', '15000', '300000'],
    ['multimodal', 'Damage from photos', 'Ana Sousa', 'research', 'Settle small claims in minutes', 'explore', 'proposed', '', '20000', '1100000'],
    ['claims-triage', 'Claims triage on the mainframe', 'Greta Holm', 'finance', 'Fewer manual routings', 'retire', 'stopped', 'Replaced by the answer bot', '', ''],
  ].map(([id, name, owner, team, objective, stage, status, status_reason, target_cost, expected_value]) => ({
    id, name, owner, team, project: '', objective, stage, status, status_reason, target_cost: target_cost || null,
    target_unit_cost: null, unit: '', expected_value: expected_value || null,
  })),
};
