// --no-thresholds skips them, even wrong ones.
// flags: --no-thresholds
export const options = { iterations: 2, thresholds: { iterations: ['count>100'], no_such_metric: ['count>0'] } };

export default function () {}
