// With `throw` a bad value throws.
// flags: --throw
import { Counter } from 'k6/metrics';

const counter = new Counter('strict');

export default function () {
  try {
    counter.add(NaN);
    console.log('fine');
  } catch (error) {
    console.log('throws');
  }
  console.log(counter.add(1));
}
