// ES modules: live bindings, re-exports, namespaces, cycles, one instance each.
import Greeter, { count, increase, inner, renamed } from './lib/live.js';
import * as live from './lib/live.js';
import { a } from './lib/cycle-a.js';
import k6 from 'k6';
import * as metrics from 'k6/metrics';

export default function () {
  console.log(count, inner, renamed, new Greeter().greet());
  increase();
  console.log(count, live.count, Object.keys(live).sort().join());
  console.log(a(), typeof k6.check, Object.keys(metrics).filter((name) => name !== 'default').sort().join());
}
