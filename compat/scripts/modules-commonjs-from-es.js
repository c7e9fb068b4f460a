// CommonJS and UMD modules imported from an ES module.
import counter, { name } from './lib/counter.cjs.js';
import double from './lib/function.cjs.js';
import umd from './lib/umd.js';
import * as all from './lib/counter.cjs.js';

export default function () {
  console.log(counter.next(), counter.next(), name, double(4), double.label, umd.hello('you'), typeof all.next);
}
