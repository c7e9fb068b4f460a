// Helpers from a bundle that requires k6/execution when first used, imported by name.
import { between, pick, text, uuid, whose } from './lib/vendor/random.js';

export const options = { iterations: 1 };

export default function () {
  const n = between(3, 5);
  console.log(n >= 3 && n <= 5, ['a', 'b'].includes(pick(['a', 'b'])), text(8).length, text(3, 'z'));
  console.log(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid()));
  try {
    console.log(whose());
  } catch (error) {
    console.log('too late to require');
  }
}
