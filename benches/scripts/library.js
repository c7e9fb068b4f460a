// VUs that mostly wait, as in idle.js, with a large library of which they use a few functions by name.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Basket0, LIMITS_0, clamp1, label2, price5, scale0, sum3 } from './lib.js';

export const options = {
  scenarios: { library: { executor: 'per-vu-iterations', vus: 2000, iterations: 1, maxDuration: '2m' } },
};

export default function () {
  const animal = http.get(__ENV.BASE).json();
  const basket = new Basket0('animals');
  basket.add({ count: scale0(animal.age), price: clamp1(animal.id) });
  check(animal, {
    'has a label': (a) => label2(a).startsWith('crocodile'),
    'has a price': (a) => price5({ count: a.age, price: LIMITS_0.high }) > 0,
    'counts': () => sum3(basket.items) > 0 && basket.total() > 0,
  });
  sleep(Number(__ENV.SECONDS));
}
