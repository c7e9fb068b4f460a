// Whatever is thrown or rejected, the iteration counts.
import { fail } from 'k6';

export const options = { iterations: 6 };

export default function () {
  switch (__ITER) {
    case 0:
      throw 'text';
    case 1:
      throw { an: 'object' };
    case 2:
      return Promise.reject(new Error('rejected'));
    case 3:
      return fail('given up');
    case 4:
      return undefined.property;
    default:
      console.log('last');
  }
}
