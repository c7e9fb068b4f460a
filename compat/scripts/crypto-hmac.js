// k6/crypto: HMAC, and hashing in steps.
import { createHash, createHMAC, hmac } from 'k6/crypto';

export default function () {
  for (const name of ['md4', 'md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha512_224', 'sha512_256', 'ripemd160']) {
    const steps = createHash(name);
    steps.update('hello ');
    steps.update(new Uint8Array([119, 111]).buffer);
    const keyed = createHMAC(name, 'key');
    keyed.update('data');
    console.log(name, steps.digest('hex'), keyed.digest('base64') === hmac(name, 'key', 'data', 'base64'));
    console.log(hmac(name, 'secret', 'message', 'hex'), hmac(name, new Uint8Array([1]).buffer, 'x', 'base64rawurl'));
  }
  const twice = createHash('sha1');
  twice.update('a');
  console.log(twice.digest('hex') === twice.digest('hex'));
  try {
    hmac('nonsense', 'k', 'd', 'hex');
    console.log('fine');
  } catch (error) {
    console.log('throws');
  }
}
