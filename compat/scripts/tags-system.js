// Only the system tags that are asked for.
// flags: --system-tags scenario,iter,vu,check
import { check, group } from 'k6';

export const options = { iterations: 2 };

export default function () {
  group('g', () => check(1, { one: true }));
}
