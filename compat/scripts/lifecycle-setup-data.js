// Setup's data reaches every iteration and teardown as JSON.
// order: any
export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 2, iterations: 2 } } };

export function setup() {
  console.log(`setup VU ${__VU}`);
  return { list: [1, 2], nothing: null, nested: { a: 'é', deep: [{ b: true }] }, number: 1.5, big: 12345678901 };
}

export default function (data) {
  console.log(`iteration ${__ITER} ${data.list.length} ${data.nothing} ${data.nested.a} ${data.nested.deep[0].b}`);
  console.log(data.number + 1, data.big + 1, Object.keys(data).sort().join());
}

export function teardown(data) {
  console.log(`teardown ${data.list.length} VU ${__VU}`);
}
