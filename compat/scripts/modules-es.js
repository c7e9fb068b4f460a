// ES modules: live bindings, re-exports, namespaces, cycles, one instance each.
import Greeter, { count, increase, inner, renamed } from './lib/live.js';
import * as live from './lib/live.js';
import { a } from './lib/cycle-a.js';
import k6, { check } from 'k6';
import * as metrics from 'k6/metrics';

export default function () {
  console.log(count, inner, renamed, new Greeter().greet());
  increase();
  console.log(count, live.count, Object.keys(live).sort().join());
  console.log(a(), k6.check === check, Object.keys(metrics).sort().join());
}
