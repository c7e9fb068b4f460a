// An import of a k6 module that does not exist.
import nothing from 'k6/no-such-module';

export default function () {
  console.log(nothing);
}
