// Test data of a JSON file in a SharedArray, dealt to VUs by number.
// order: any
import { SharedArray } from 'k6/data';
import { vu, scenario } from 'k6/execution';

const data = new SharedArray('words', function () {
  const file = JSON.parse(open('./lib/vendor/items.json'));
  return file.items.filter((item) => item.price > 1).map((item, index) => ({ ...item, index }));
});

export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 3, iterations: 2 } } };

export default function () {
  const item = data[(vu.idInTest - 1 + __ITER) % data.length];
  console.log(vu.idInTest, __ITER, item.name, item.tags.join('+'), Object.isFrozen(item), scenario.name);
  try {
    item.name = 'changed';
  } catch (error) {
    console.log('no change', error.name);
  }
  for (const one of data) if (one === undefined) throw new Error('a hole');
}
