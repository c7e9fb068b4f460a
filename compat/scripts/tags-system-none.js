// No system tags at all.
import { check } from 'k6';

export const options = { systemTags: [], tags: { own: '1' } };

export default function () {
  check(1, { one: true });
}
