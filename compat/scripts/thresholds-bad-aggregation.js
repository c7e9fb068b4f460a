// A threshold whose aggregation the metric does not have.
export const options = { thresholds: { iterations: ['p(95)<1'] } };

export default function () {}
