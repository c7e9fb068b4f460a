// Thresholds must be in a list.
export const options = { thresholds: { iterations: 'count>0' } };

export default function () {}
