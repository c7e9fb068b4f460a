// Each VU has a copy of setup's data.
// order: any
export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 2, iterations: 1 } } };

export function setup() {
  return { count: 0, nested: { count: 0 } };
}

export default function (data) {
  data.count += 1;
  data.nested.count += 1;
  console.log(data.count, data.nested.count);
}

export function teardown(data) {
  console.log('teardown', data.count, data.nested.count);
}
