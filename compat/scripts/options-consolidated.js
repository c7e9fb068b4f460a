// The exported options hold, once VUs run, what flags made of them.
// flags: --tag run=1 --max-redirects 3
import http from 'k6/http';

export const options = {
  scenarios: { one: { executor: 'per-vu-iterations', vus: 1, iterations: 1 } },
  thresholds: { iterations: ['count>0'] },
  maxRedirects: 5,
  setupTimeout: 7000,
};

const atFirst = JSON.stringify([options.maxRedirects, options.setupTimeout, options.tags]);

function show(stage) {
  const { maxRedirects, setupTimeout, tags, thresholds, userAgent } = options;
  console.log(stage, JSON.stringify([maxRedirects, setupTimeout, tags, thresholds, userAgent]));
}

export function setup() {
  show('setup');
}

export default function () {
  console.log('init', atFirst);
  show('iteration');
}

export function teardown() {
  show('teardown');
}
