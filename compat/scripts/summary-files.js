// handleSummary writes files, texts and bytes, and the standard streams.
// compare: +files, +stdout
export default function () {}

export function handleSummary() {
  return {
    stdout: 'first line\nno newline at the end',
    'text.txt': 'content é',
    'bytes.bin': new Uint8Array([104, 105, 10]).buffer,
    'sub.json': JSON.stringify({ a: 1 }),
  };
}
