// An import of a file that is not there.
import { nothing } from './lib/no-such-file.js';

export default function () {
  console.log(nothing);
}
