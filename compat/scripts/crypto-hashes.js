// k6/crypto: every hash in every encoding.
import crypto, { md4, md5, ripemd160, sha1, sha256, sha384, sha512, sha512_224, sha512_256 } from 'k6/crypto';

const hashes = { md4, md5, ripemd160, sha1, sha256, sha384, sha512, sha512_224, sha512_256 };
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

export default function () {
  for (const [name, hash] of Object.entries(hashes)) {
    console.log(name, hash('hello é', 'hex'), hash('', 'hex'));
    console.log(hash('hello', 'base64'), hash('hello', 'base64url'), hash('hello', 'base64rawurl'));
    console.log(hex(hash('hello', 'binary')) === hash('hello', 'hex'));
    console.log(hash(new Uint8Array([1, 2, 3]).buffer, 'hex') === crypto[name](new Uint8Array([1, 2, 3]), 'hex'));
  }
  console.log(crypto.hexEncode('abc'), crypto.hexEncode(new Uint8Array([255, 0]).buffer));
  console.log(crypto.randomBytes(16).byteLength);
  for (const bad of [() => sha256('x', 'nonsense'), () => crypto.randomBytes(0), () => crypto.randomBytes(-1)]) {
    try {
      console.log('fine', typeof bad());
    } catch (error) {
      console.log('throws');
    }
  }
}
