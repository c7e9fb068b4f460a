// A script in CommonJS.
const { check } = require('k6');
const http = require('k6/http');
const counter = require('./lib/counter.cjs.js');
const double = require('./lib/function.cjs.js');
const live = require('./lib/live.js');

exports.options = { iterations: 2 };

exports.default = function () {
  console.log(counter.next(), counter.name, double(21), double.label, live.inner, typeof live.default);
  console.log(typeof (http.get || http.default.get), require === undefined);
  check(1, { works: true });
};
