// A whole test as CommonJS: exports for options, setup, scenarios and summary.
// compare: exit, console, counts, checks, files
'use strict';
const { check } = require('k6');
const { Counter } = require('k6/metrics');
const helpers = require('./lib/vendor/random.js');

const ran = new Counter('ran');

module.exports.options = {
  scenarios: {
    one: { executor: 'shared-iterations', vus: 1, iterations: 2, exec: 'first' },
    two: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'second', startTime: '300ms' },
  },
};

module.exports.setup = () => ({ list: [1, 2, 3] });

module.exports.first = function (data) {
  ran.add(1, { by: 'first' });
  check(data, { 'data is there': (d) => d.list.includes(helpers.pick(d.list)) });
};

exports.second = (data) => {
  ran.add(10, { by: 'second' });
  console.log(data.list.length, typeof this, typeof module, typeof exports);
};

module.exports.handleSummary = (data) => ({ 'out.txt': `${data.metrics.ran.values.count} ${data.root_group.checks[0].passes}` });
