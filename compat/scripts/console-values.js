// Plain values and texts in console output; levels.
export default function () {
  console.log('text', 1, 1.5, -0, 1e21, true, null, undefined, NaN, Infinity);
  console.log();
  console.log('');
  console.log('%s and %d', 'text', 5);
  console.log('line one\nline two\ttab "quote" \\ é 漢 🙂');
  console.info('info');
  console.warn('warn');
  console.error('error');
  console.debug('not shown');
  console.log(Symbol('s').toString(), 10n);
}
