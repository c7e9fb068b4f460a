use rquickjs::{Ctx, Result};

use super::{exports, web_crypto};
use crate::testing::evaluate;

fn install(ctx: &Ctx) -> Result<()> {
    ctx.globals().set("k6", exports(ctx)?)?;
    ctx.globals().set("crypto", web_crypto(ctx)?)?;
    ctx.eval(
        "const { subtle } = crypto;
         const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
         const text = (buffer) => String.fromCharCode(...new Uint8Array(buffer));
         const hmacKey = (usages) => subtle.importKey('raw', bytes('key'), { name: 'HMAC', hash: 'SHA-256' }, true, usages);",
    )
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(evaluate(install, script), expected);
}

#[test]
fn output_encodings() {
    check(
        "['hex', 'base64', 'base64url', 'base64rawurl'].map((encoding) => k6.md5('5', encoding))",
        r#"["e4da3b7fbbce2345d7772b0674a318d5","5No7f7vOI0XXdysGdKMY1Q==","5No7f7vOI0XXdysGdKMY1Q==","5No7f7vOI0XXdysGdKMY1Q"]"#,
    );
    check("k6.sha1('a', 'binary').byteLength", "20");
    check("k6.sha1('a')", "GoError: invalid output encoding: ");
    check("k6.sha1('a', 'other')", "GoError: invalid output encoding: other");
}

#[test]
fn hashing_in_steps() {
    check(
        "const hash = k6.createHash('sha256'); hash.update('a'); const early = hash.digest('hex'); hash.update(bytes('b').buffer);
         [early === k6.sha256('a', 'hex'), hash.digest('hex') === k6.sha256('ab', 'hex')]",
        "[true,true]",
    );
    check(
        "const hash = k6.createHMAC('md5', 'k'); hash.update('a'); hash.digest('hex') === k6.hmac('md5', 'k', 'a', 'hex')",
        "true",
    );
}

#[test]
fn bad_arguments_throw() {
    for script in ["k6.createHash('x')", "k6.createHMAC('x', 'k')", "k6.hmac('x', 'k', 'd', 'hex')"] {
        check(script, "GoError: invalid algorithm: x");
    }
    check(
        "k6.hmac('md5', 5, 'd', 'hex')",
        "GoError: invalid type int: expected a string, an ArrayBuffer or a typed array",
    );
    for script in ["k6.randomBytes()", "k6.randomBytes(0)", "k6.randomBytes(-1)", "k6.randomBytes(1e20)"] {
        check(script, "GoError: invalid size: randomBytes makes at least 1 byte");
    }
}

#[test]
fn bytes() {
    check("[k6.hexEncode('az'), k6.hexEncode(new Uint8Array([255, 0]).buffer)]", r#"["617a","ff00"]"#);
    check("k6.randomBytes(8).byteLength", "8");
}

#[test]
fn random_values_and_uuids() {
    check(
        "const array = new Uint32Array(8); [crypto.getRandomValues(array) === array, array.some((value) => value > 255)]",
        "[true,true]",
    );
    check(
        "const array = new Uint8Array(64); crypto.getRandomValues(array.subarray(32)); [array.slice(0, 32).some((byte) => byte), array.slice(32).some((byte) => byte)]",
        "[false,true]",
    );
    check(
        "crypto.getRandomValues(new Float32Array(1))",
        "TypeMismatchError: getRandomValues() fills typed arrays of integers only",
    );
    check(
        "crypto.getRandomValues(new Uint8Array(65537))",
        "QuotaExceededError: getRandomValues() fills at most 65536 bytes",
    );
    check(
        "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
        "true",
    );
}

#[test]
fn subtle_digest() {
    check(
        "subtle.digest('SHA-256', bytes('abc')).then((hash) => text(hash) === text(k6.sha256('abc', 'binary')))",
        "true",
    );
    check("subtle.digest({ name: 'sha-1' }, bytes('a').buffer).then((hash) => hash.byteLength)", "20");
    check("subtle.digest('MD5', bytes('a'))", "NotSupportedError: hash MD5 is not supported");
    check("subtle.digest('SHA-1', 'a')", "TypeError: data must be an ArrayBuffer or a view of one");
}

#[test]
fn subtle_hmac() {
    check(
        "(async () => {
           const key = await hmacKey(['sign', 'verify']);
           const signature = await subtle.sign('HMAC', key, bytes('data'));
           return [
             text(signature) === text(k6.hmac('sha256', 'key', 'data', 'binary')),
             await subtle.verify('HMAC', key, signature, bytes('data')),
             await subtle.verify('HMAC', key, signature, bytes('other')),
           ];
         })()",
        "[true,true,false]",
    );
}

#[test]
fn subtle_keys() {
    check(
        "hmacKey(['sign']).then(({ type, extractable, algorithm, usages }) => ({ type, extractable, algorithm, usages }))",
        r#"{"type":"secret","extractable":true,"algorithm":{"name":"HMAC","length":24,"hash":{"name":"SHA-256"}},"usages":["sign"]}"#,
    );
    check(
        "hmacKey(['sign']).then((key) => subtle.exportKey('jwk', key))",
        r#"{"kty":"oct","k":"a2V5","alg":"HS256","ext":true,"key_ops":["sign"]}"#,
    );
    check(
        "hmacKey(['sign']).then((key) => subtle.verify('HMAC', key, bytes(''), bytes('')))",
        "InvalidAccessError: the key is not for this algorithm and operation",
    );
    check("hmacKey([])", r#"SyntaxError: a key's usages are some of ["sign", "verify"]"#);
    check(
        "subtle.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt'])",
        "OperationError: keys cannot have this length",
    );
    check(
        "subtle.generateKey({ name: 'RSA-OAEP' }, true, ['encrypt'])",
        "NotSupportedError: algorithm RSA-OAEP is not supported",
    );
    check("subtle.wrapKey()", "NotSupportedError: this version of Squall does not support the operation");
}

#[test]
fn subtle_aes() {
    for (algorithm, encrypted_bytes) in [
        ("{ name: 'AES-CBC', iv: new Uint8Array(16) }", 16),
        ("{ name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }", 5),
        ("{ name: 'AES-GCM', iv: new Uint8Array(12), additionalData: bytes('x') }", 21),
    ] {
        for length_bits in [128, 192, 256] {
            let script = format!(
                "(async () => {{
                   const algorithm = {algorithm};
                   const key = await subtle.generateKey({{ name: algorithm.name, length: {length_bits} }}, true, ['encrypt', 'decrypt']);
                   const encrypted = await subtle.encrypt(algorithm, key, bytes('hello'));
                   return [encrypted.byteLength, text(await subtle.decrypt(algorithm, key, encrypted))];
                 }})()"
            );
            check(&script, &format!(r#"[{encrypted_bytes},"hello"]"#));
        }
    }
}
