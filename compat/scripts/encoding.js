// k6/encoding: base64 in its variants.
import encoding, { b64decode, b64encode } from 'k6/encoding';

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

export default function () {
  const text = 'hello ?>~ é 漢';
  for (const variant of [undefined, 'std', 'rawstd', 'url', 'rawurl']) {
    const encoded = b64encode(text, variant);
    console.log(variant, encoded, b64decode(encoded, variant, 's') === text, hex(b64decode(encoded, variant)));
  }
  console.log(b64encode(new Uint8Array([0, 255, 16]).buffer), b64encode(''), b64decode('', 'std', 's') === '');
  console.log(encoding.b64encode('a'), typeof encoding.b64decode);
  try {
    b64decode('not base64 !');
    console.log('fine');
  } catch (error) {
    console.log('throws');
  }
}
