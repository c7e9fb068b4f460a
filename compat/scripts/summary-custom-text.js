// A summary of the script's own making, from the data.
// compare: exit, console, stdout
import { Trend } from 'k6/metrics';

const trend = new Trend('waiting_time');

export const options = { iterations: 4, thresholds: { waiting_time: ['max<2'] } };

export default function () {
  trend.add(__ITER);
}

export function handleSummary(data) {
  const lines = Object.entries(data.metrics)
    .filter(([, metric]) => metric.thresholds)
    .flatMap(([name, metric]) => Object.entries(metric.thresholds).map(([text, { ok }]) => `${name} ${text} ${ok ? 'holds' : 'fails'} max=${metric.values.max}`));
  return { stdout: `${lines.join('\n')}\n` };
}
