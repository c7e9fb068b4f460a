// What guard.rs needs of the realm whose VUs share it: a function, and objects that are special.
(function () {
  'use strict';
  const { defineProperty, freeze, getPrototypeOf, setPrototypeOf } = Object;

  // Whoever assigns to the property of an heir makes it the heir's own.
  const makeOverridable = (home, key, value, enumerable) => {
    const get = () => value;
    const { set } = {
      set(own) {
        if (this === home) throw new TypeError(`'${String(key)}' is read-only`);
        defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true });
      },
    };
    defineProperty(home, key, { get: freeze(get), set: freeze(set), enumerable, configurable: false });
  };

  // What makes functions of text could make one that writes to globals. Names lead to it in no script that shares a realm;
  // computed names find this instead.
  const refuse = (made) => {
    const prototype = getPrototypeOf(made);
    const { name } = prototype.constructor;
    const constructor = { [name]: function () { throw new EvalError('code cannot be made from text here'); } }[name];
    defineProperty(constructor, 'prototype', { value: prototype, writable: false });
    defineProperty(prototype, 'constructor', { value: constructor });
    return constructor;
  };
  const refusing = refuse(function () {});
  for (const made of [function* () {}, async function () {}, async function* () {}]) {
    setPrototypeOf(refuse(made), refusing);
  }
  defineProperty(globalThis, 'Function', { value: refusing });

  // Their setters write to the realm, whatever class inherits them.
  for (const key of ['stackTraceLimit', 'prepareStackTrace']) makeOverridable(Error, key, Error[key], false);

  return [makeOverridable, Object.prototype, Function.prototype, Error.prototype, Array.prototype];
})
