// Gives functions of the host the prototype that functions of their realm have: rquickjs makes them all with that of the
// first realm in the runtime.
(function (ofFirstRealm) {
  'use strict';
  const adopt = (value) => {
    const isFunction = typeof value === 'function';
    if (isFunction ? Object.getPrototypeOf(value) !== ofFirstRealm : value === null || typeof value !== 'object') return;
    if (isFunction) Object.setPrototypeOf(value, Function.prototype);
    if (seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      const { value: held, get, set } = Object.getOwnPropertyDescriptor(value, key);
      for (const it of [held, get, set]) adopt(it);
    }
  };
  let seen;
  return (value) => {
    seen = new WeakSet();
    // Of the global object what the host has put there: the rest would come into being by being looked at.
    const roots = value === globalThis ? [console, open, performance, queueMicrotask, require, Math.random] : [value];
    roots.forEach(adopt);
  };
})
