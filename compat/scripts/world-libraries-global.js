// Libraries that look for a global, change prototypes, or wait for a define that is not there.
import './lib/vendor/polyfill.js';
import moment from './lib/vendor/clock.js';
import { clamp } from './lib/vendor/clock.js';
import lodashLike from './lib/vendor/chain.js';

export const options = { iterations: 1 };

export default function () {
  console.log('abc'.shout(), [3, 1, 2].sum(), typeof globalThis.installed, globalThis.installed === global.installed);
  console.log(moment(0).format('YYYY-MM-DD'), moment.version, moment.clamp(5, 1, 3), typeof clamp);
  console.log(lodashLike([1, 2, 3, 4]).filter((n) => n % 2).map((n) => n * 10).value().join(), lodashLike.noConflict === undefined);
}
