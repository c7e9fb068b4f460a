// Scenarios that share functions through env and tags, and a module's state a VU.
// order: any
import exec from 'k6/execution';
import { check } from 'k6';

let calls = 0;
const seen = {};

const scenario = (env, more) => ({ executor: 'per-vu-iterations', vus: 2, iterations: 2, env, tags: { tier: env.TIER }, ...more });

export const options = {
  scenarios: {
    browse: scenario({ TIER: 'web' }),
    api: scenario({ TIER: 'api' }, { exec: 'api', startTime: '400ms' }),
  },
  thresholds: { 'checks{tier:api}': ['rate==1'], 'checks{scenario:browse}': ['rate==1'], 'iterations{tier:web}': ['count==4'] },
};

function step() {
  calls += 1;
  seen[__ENV.TIER] = (seen[__ENV.TIER] || 0) + 1;
  check(__ENV.TIER, { 'tier is the tag': (tier) => exec.vu.metrics.tags.tier === tier });
}

export default function () {
  step();
  console.log(`${exec.scenario.name} ${exec.vu.iterationInScenario} ${calls}`);
}

export function api() {
  step();
  console.log(`${exec.scenario.name} ${exec.vu.iterationInScenario} ${seen.api}`);
}
