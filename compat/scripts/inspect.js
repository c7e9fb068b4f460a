// The options of a script as JSON.
// command: inspect
// compare: exit, stdout
export const options = {
  scenarios: { a: { executor: 'per-vu-iterations', vus: 2, iterations: 3, tags: { b: 'c' }, env: { D: 'e' } } },
  thresholds: { iterations: ['count>1', { threshold: 'count>2', abortOnFail: true, delayAbortEval: '10s' }] },
  tags: { f: 'g' },
};

export default function () {}
