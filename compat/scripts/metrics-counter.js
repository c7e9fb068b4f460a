// A counter adds up whatever is a number.
import { Counter } from 'k6/metrics';

const plain = new Counter('plain_counter');
const negative = new Counter('negative_counter');

export default function () {
  for (const value of [1, 2.5, '3', true, false, 0]) console.log(`${value}: ${plain.add(value)}`);
  for (const value of [NaN, undefined, null, 'text', {}]) console.log(`${value}: ${plain.add(value)}`);
  console.log(negative.add(-5), plain.name);
}
