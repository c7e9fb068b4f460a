// A scenario's name has letters, digits, - and _ only.
export const options = { scenarios: { 'not good!': { executor: 'per-vu-iterations' } } };

export default function () {}
