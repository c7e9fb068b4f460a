// What scripts select from JSON answers.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

const data = {
  items: [
    { id: 1, name: 'pen', tags: ['a', 'b'], price: 2.5, stock: { here: 3, 'far.away': 4 } },
    { id: 2, name: 'ink', tags: [], price: 10, stock: { here: 0 } },
    { id: 3, name: 'cap', price: 7, last: true, big: 12345678901234567890, text: 'é"\n' },
  ],
  'key with space': 1, empty: {}, nothing: null, count: 3,
};

export default function () {
  const res = http.post(`${__ENV.BASE}/post`, JSON.stringify(data), { headers: { 'Content-Type': 'application/json' } });
  const paths = ['items.#', 'items.0.name', 'items.#.id', 'items.#.tags', 'items.#(name=="ink").price', 'items.#(price>5)#.name', 'items.-1', 'items.9', 'items.1.stock.here',
    'items.0.stock.far\\.away', 'key with space', 'empty', 'nothing', 'missing', 'items.2.big', 'items.2.text', 'items.2.last', 'items.#.stock.here', 'count', 'items.@reverse.0.id', 'items.#(tags.#>1).id', 'i*.0.id', '', 'items.0.stock|@keys', 'items.0.stock.@values', 'items.@keys', 'items.0.stock|@tostr', 'items.#.stock|@values|1.here', 'count|@keys', 'items.0.name|@fromstr', 'missing|@keys', 'items|@keys|#'];
  for (const path of paths) {
    let value;
    try {
      value = res.json(`json.${path}`);
    } catch (error) {
      value = 'throws';
    }
    console.log(path, sorted(value), typeof value);
  }
}
