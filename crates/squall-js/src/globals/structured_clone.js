// structuredClone: a deep copy that keeps cycles, shared references and the types of built-in objects.
(function () {
  const refuse = (what) => { throw new DOMException(`${what} cannot be cloned`, 'DataCloneError'); };

  // Types with their ways to make a copy without what the object refers to, and to fill the copy with that.
  const TYPES = [
    [Date, (date) => new Date(date.getTime())],
    [RegExp, (pattern) => new RegExp(pattern.source, pattern.flags)],
    [ArrayBuffer, (buffer) => buffer.slice(0)],
    [Map, () => new Map(), (copy, map, clone) => {
      // Listed first: a getter of what is cloned may change the map.
      for (const [key, item] of [...map]) copy.set(clone(key), clone(item));
    }],
    [Set, () => new Set(), (copy, set, clone) => {
      for (const item of [...set]) copy.add(clone(item));
    }],
    ...[Boolean, Number, String, BigInt].map((wrapper) => [wrapper, (wrapped) => Object(wrapped.valueOf())]),
    ...[Promise, Symbol, WeakMap, WeakRef, WeakSet].map((type) => [type, () => refuse(`a ${type.name}`)]),
  ];

  const fillObject = (copy, object, clone) => {
    for (const key of Object.keys(object)) define(copy, key, clone(object[key]), true);
  };

  const fillError = (copy, error, clone) => {
    for (const key of ['message', 'cause']) {
      if (Object.hasOwn(error, key)) define(copy, key, clone(error[key]), false);
    }
    define(copy, 'stack', `${error.stack}`, false);
  };

  // Not by assignment, which would call the setter of `__proto__`.
  const define = (object, key, value, enumerable) => {
    Object.defineProperty(object, key, { value, writable: true, enumerable, configurable: true });
  };

  const errorType = (error) => {
    const types = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
    return types.find((type) => type.name === error.name) ?? Error;
  };

  // How to copy an object and how to fill the copy.
  const waysOf = (object, clone) => {
    if (Array.isArray(object)) return [() => new Array(object.length), fillObject];
    if (Error.isError(object)) return [() => new (errorType(object))(), fillError];
    // Views of one buffer stay views of one buffer.
    if (ArrayBuffer.isView(object)) {
      const { buffer, byteOffset, byteLength, length = byteLength } = object;
      return [() => new object.constructor(clone(buffer), byteOffset, length)];
    }
    const known = TYPES.find(([type]) => object instanceof type);
    return known === undefined ? [() => ({}), fillObject] : known.slice(1);
  };

  return function structuredClone(value, options = undefined) {
    if (arguments.length === 0) throw new TypeError('structuredClone() needs a value');
    // Copies of the objects so far.
    const copies = new Map();
    const clone = (value) => {
      if (typeof value === 'symbol' || typeof value === 'function') refuse(`a ${typeof value}`);
      if (typeof value !== 'object' || value === null) return value;
      if (copies.has(value)) return copies.get(value);
      const [make, fill] = waysOf(value, clone);
      const copy = make(value);
      copies.set(value, copy);
      fill?.(copy, value, clone);
      return copy;
    };
    const transferred = [...(options?.transfer ?? [])];
    if (!transferred.every((buffer) => buffer instanceof ArrayBuffer)) refuse('an entry of `transfer` that is no ArrayBuffer');
    const result = clone(value);
    // What was given away is emptied only when all went well.
    for (const buffer of transferred) buffer.transfer();
    return result;
  };
})
