// A scenario whose function is not exported.
export const options = { scenarios: { a: { executor: 'per-vu-iterations', exec: 'elsewhere' } } };

export default function () {}
