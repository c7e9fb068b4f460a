// Makes what the VUs of a realm share unwritable: an object, and all that it leads to.
(function (isProxy, assignedNames) {
  'use strict';
  const { defineProperty, freeze, getOwnPropertyDescriptors, getPrototypeOf, hasOwn, isExtensible, preventExtensions,
    setPrototypeOf } = Object;
  const { ownKeys } = Reflect;
  const assigned = new Set(assignedNames);

  // Assigning to a property that an object inherits makes it the object's own, but not when it inherits something
  // unwritable. So where scripts do that, what is inherited becomes an accessor that does it for them: wherever they assign
  // to such a name, and whatever the name where names often come from data.
  const isPrototype = (home) => typeof home === 'object' && hasOwn(home, 'constructor');
  const isOverridden = (home, key) => assigned.has(typeof key === 'symbol' ? key.description : key)
    || (assigned.has('*') && isPrototype(home)) || home === Object.prototype || home === Function.prototype
    || home === Error.prototype || home instanceof Error;

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

  const guard = (value) => {
    if (Object(value) !== value || isProxy(value) || !isExtensible(value)) return;
    // Seen from now on.
    preventExtensions(value);
    guard(getPrototypeOf(value));
    const properties = getOwnPropertyDescriptors(value);
    for (const key of ownKeys(properties)) {
      const property = properties[key];
      guard(property.value);
      guard(property.get);
      guard(property.set);
      if (property.writable && property.configurable && value !== globalThis && isOverridden(value, key)) {
        makeOverridable(value, key, property.value, property.enumerable);
      } else if ('get' in property) {
        defineProperty(value, key, { configurable: false });
      } else if (value !== Array.prototype || key !== 'length') {
        // Except where lists that are no arrays inherit their length, and assign to it.
        defineProperty(value, key, { writable: false, configurable: false });
      }
    }
  };
  return guard;
})
