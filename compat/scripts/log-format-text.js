// The default format is logfmt when no terminal is attached.
// flags: --log-format text
// compare: exit, console
export default function () {
  console.log('plain');
  console.warn('with "quotes" and = signs');
  console.error('line one\nline two');
}
