// An executor that does not exist.
export const options = { scenarios: { a: { executor: 'no-such-executor', vus: 1 } } };

export default function () {}
