// What the errors of host functions look like.
import { check, fail, group } from 'k6';

export default function () {
  const calls = {
    fail: () => fail('reason'),
    'fail without reason': () => fail(),
    'group name': () => group('a::b', () => {}),
    'check name': () => check(1, { 'a::b': true }),
    'group async': () => group('g', async () => {}),
    'check without set': () => check(1),
  };
  for (const [name, call] of Object.entries(calls)) {
    try {
      console.log(name, call());
    } catch (error) {
      console.log(name, 'throws', error instanceof Error, typeof error.message, typeof error.stack);
    }
  }
}
