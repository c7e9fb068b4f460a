// A throw inside a group or a check: what was measured stays.
import { check, group } from 'k6';

export const options = { iterations: 1 };

export default function () {
  try {
    group('broken', () => {
      check(1, { before: true });
      throw new Error('in group');
    });
  } catch (error) {
    console.log('group threw', error.message);
  }
  try {
    check(1, {
      first: true,
      second: () => {
        throw new Error('in check');
      },
      third: true,
    });
  } catch (error) {
    console.log('check threw', error.message);
  }
  check(1, { after: true });
}
