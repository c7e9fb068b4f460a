// library.js with the library imported as one namespace.
import http from 'k6/http';
import { check, sleep } from 'k6';
import * as lib from './lib.js';

export const options = {
  scenarios: { library: { executor: 'per-vu-iterations', vus: 2000, iterations: 1, maxDuration: '2m' } },
};

export default function () {
  const animal = http.get(__ENV.BASE).json();
  const basket = new lib.Basket0('animals');
  basket.add({ count: lib.scale0(animal.age), price: lib.clamp1(animal.id) });
  check(animal, {
    'has a label': (a) => lib.label2(a).startsWith('crocodile'),
    'has a price': (a) => lib.price5({ count: a.age, price: lib.LIMITS_0.high }) > 0,
    'counts': () => lib.sum3(basket.items) > 0 && basket.total() > 0,
  });
  sleep(Number(__ENV.SECONDS));
}
