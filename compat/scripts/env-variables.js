// __ENV: from flags, and from the system.
// flags: -e GREETING=hello -e EMPTY= -e EQUALS=a=b
// env: FROM_SYSTEM=yes
export default function () {
  console.log(__ENV.GREETING, `[${__ENV.EMPTY}]`, __ENV.EQUALS, __ENV.FROM_SYSTEM, typeof __ENV.NOT_SET);
  __ENV.GREETING = 'changed';
  console.log(__ENV.GREETING);
  // What is written becomes text.
  Object.assign(__ENV, { NUMBER: 5, NOTHING: null, MISSING: undefined, LIST: [1, 2], TRUTH: true });
  __ENV.NUMBER += 1;
  delete __ENV.EQUALS;
  const { NUMBER, NOTHING, MISSING, LIST, TRUTH, EQUALS } = __ENV;
  console.log([NUMBER, NOTHING, MISSING, LIST, TRUTH, EQUALS].map((it) => `${typeof it} ${it}`).join());
  for (const property of [{ get: () => 1 }, { writable: false }]) {
    try {
      Object.defineProperty(__ENV, 'GREETING', property);
    } catch (error) {
      console.log(error.name, __ENV.GREETING);
    }
  }
}
