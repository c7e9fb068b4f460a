// Less than a second is too short for looping VUs.
export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '200ms' } } };

export default function () {}
