// Modern syntax and library that scripts use.
class Base {
  static count = 0;
  #secret = 5;
  static {
    Base.count = 3;
  }
  get secret() {
    return this.#secret;
  }
  static #hidden() {
    return 'hidden';
  }
  static reveal() {
    return Base.#hidden();
  }
}

function* numbers() {
  yield 1;
  yield* [2, 3];
}

export default function () {
  const object = { a: { b: null }, list: [3, 1, 2] };
  console.log(object?.a?.b ?? 'default', object.x?.y, object.list.at(-1), [...numbers()].join());
  console.log(new Base().secret, Base.count, Base.reveal());
  let value = null;
  value ??= 4;
  value ||= 5;
  value &&= 6;
  console.log(value, 2 ** 10, 1_000_000, 0b101, 0o17, 10n ** 20n);
  console.log('a-b-c'.replaceAll('-', '+'), 'x'.padStart(3, '.'), ' t '.trimEnd() + '|', [1, [2, [3]]].flat(Infinity).join());
  console.log([...'a1b2'.matchAll(/[a-z](\d)/g)].map((m) => m[1]).join(), '2024-05'.match(/(\d+)-(\d+)/)[2], 'price 5'.replace(/(?<=price )\d/, '6'));
  console.log(Object.fromEntries([['k', 'v']]).k, Object.hasOwn(object, 'a'), Object.entries({ z: 1 })[0].join());
  console.log([3, 1, 2].toSorted().join(), [1, 2, 3].findLast((n) => n < 3), [1, 2].with(0, 9).join());
  const tag = (strings, ...values) => strings.raw.join('|') + values.join();
  console.log(tag`a${1}b${2}c`, typeof Symbol.iterator, new Map([[1, 'm']]).get(1), new Set([1, 1]).size);
  const { a, ...rest } = object;
  console.log(Object.keys(rest).join(), ((x = 2, ...more) => x + more.length)(undefined, 1, 2), a.b);
  console.log(new Proxy({}, { get: (_, key) => `proxied ${String(key)}` }).anything, Reflect.ownKeys({ q: 1 }).join());
  label: for (let i = 0; i < 3; i += 1) {
    for (;;) {
      if (i === 1) break label;
      continue label;
    }
  }
  console.log(new Error('outer', { cause: 'inner' }).cause, [1, 2, 3].includes(2), Number.isInteger(5.0), Math.trunc(-4.7));
  console.log(JSON.stringify({ d: new Date(0), u: undefined, n: NaN, t: { toJSON: () => 'custom' } }));
  console.log(encodeURIComponent('a b&é'), decodeURIComponent('%C3%A9'), escape('é'), parseInt('12px', 10), parseFloat('1.5e3x'));
}
