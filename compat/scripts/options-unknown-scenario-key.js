// An unknown key in a scenario is fatal.
export const options = { scenarios: { a: { executor: 'per-vu-iterations', iteration: 2 } } };

export default function () {}
