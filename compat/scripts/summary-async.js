// handleSummary may be asynchronous.
// compare: +stdout
export default function () {}

export async function handleSummary(data) {
  await Promise.resolve();
  return { stdout: `iterations ${data.metrics.iterations.values.count}\n` };
}
