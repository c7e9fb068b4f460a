// A threshold that cannot be parsed.
export const options = { thresholds: { iterations: ['count is large'] } };

export default function () {}
