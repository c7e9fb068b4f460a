// Calls for the init context only throw in an iteration.
import { Counter } from 'k6/metrics';
import { SharedArray } from 'k6/data';

export default function () {
  for (const [name, fn] of Object.entries({
    open: () => open('./lib/words.txt'),
    require: () => require('./lib/shape.js'),
    counter: () => new Counter('late'),
    shared: () => new SharedArray('late', () => [1]),
  })) {
    try {
      fn();
      console.log(name, 'is allowed');
    } catch (error) {
      console.log(name, 'throws');
    }
  }
}
