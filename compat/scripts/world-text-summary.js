// handleSummary with a shared library's text, JSON in a file and a page from a template.
// compare: exit, console, files, stdout, counts, checks, thresholds
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { textSummary } from './lib/vendor/summary.js';
import { compile, escape } from './lib/vendor/template.js';

const waiting = new Trend('waiting_ms', true);
const sizes = new Trend('sizes');
const errors = new Rate('errors');
const orders = new Counter('orders');
const stock = new Gauge('stock');

export const options = {
  iterations: 4,
  summaryTrendStats: ['min', 'med', 'avg', 'p(90)', 'p(95)', 'p(99.99)', 'max', 'count'],
  thresholds: { waiting_ms: ['p(95)<30', 'max<100'], errors: ['rate<0.5'], 'orders{kind:big}': ['count>1'], checks: ['rate>0.6'] },
};

export default function () {
  waiting.add(10 * (__ITER + 1));
  sizes.add(__ITER * 1.5);
  errors.add(__ITER === 3);
  orders.add(1, { kind: __ITER % 2 ? 'big' : 'small' });
  stock.add(7 - __ITER);
  group('shop', () => {
    group('cart', () => check(__ITER, { 'is <even>': (n) => n % 2 === 0 }));
    check(null, { always: () => true });
  });
}

const page = compile('<h1><%= title %></h1><% for (var i = 0; i < rows.length; i++) { %><li><%= rows[i].name %>: <%= rows[i].text %></li><% } %>');

export function handleSummary(data) {
  const p95 = data.metrics.waiting_ms.values['p(95)'];
  const rows = Object.keys(data.metrics)
    .filter((name) => data.metrics[name].thresholds)
    .sort()
    .map((name) => ({ name, text: Object.entries(data.metrics[name].thresholds).sort().map(([text, { ok }]) => `${escape(text)} ${ok}`).join(', ') }));
  console.log(p95, data.metrics.sizes.values.count, data.metrics.sizes.values['p(99.99)'].toFixed(3), data.metrics.orders.values.count);
  console.log(typeof data.state.testRunDurationMs, data.state.isStdOutTTY, data.root_group.groups[0].groups[0].path, data.root_group.groups.length);
  return {
    stdout: `${textSummary(data, { indent: '→', enableColors: false })}\n`,
    'page.html': page({ title: 'Run', rows }),
    'short.json': JSON.stringify({ p95, passes: data.metrics.checks.values.passes, fails: data.metrics.checks.values.fails }),
  };
}
