// require() in the init context of an ES module.
import { check } from 'k6';

const double = require('./lib/function.cjs.js');
const { sorted } = require('./lib/shape.js');
const same = typeof require('k6').check === typeof check;

export default function () {
  console.log(double(3), sorted({ b: 1, a: 2 }), same);
}
