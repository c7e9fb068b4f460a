// Options made from the environment with defaults, as most public scripts do.
// flags: -e VUS=2 -e RATE=0.5 -e NAMES=a,b -e EMPTY= -e FLAG=true
import { check } from 'k6';
import exec from 'k6/execution';

const config = {
  vus: parseInt(__ENV.VUS || '10', 10),
  perVu: Number(__ENV.PER_VU ?? 2),
  rate: parseFloat(__ENV.RATE) || 1,
  names: (__ENV.NAMES || '').split(','),
  empty: __ENV.EMPTY === '' ? 'empty' : typeof __ENV.EMPTY,
  flag: __ENV.FLAG === 'true',
  missing: __ENV.MISSING,
};

const profiles = {
  smoke: { executor: 'per-vu-iterations', vus: config.vus, iterations: config.perVu },
  load: { executor: 'constant-vus', vus: 50, duration: '1h' },
};
const profile = __ENV.PROFILE || 'smoke';

export const options = {
  scenarios: { [profile]: { ...profiles[profile], env: { WHO: profile }, tags: { profile } } },
  thresholds: { [`checks{profile:${profile}}`]: [`rate>=${config.rate}`] },
};

export default function () {
  check(config, { 'names split': (c) => c.names.length === 2 });
  if (exec.scenario.iterationInTest === 0) console.log(JSON.stringify(config), __ENV.WHO, 'MISSING' in __ENV, Object.keys(options.thresholds)[0]);
}
