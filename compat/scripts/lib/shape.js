// What a value is made of, without the numbers that depend on timing.

export function shape(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value === 'object') {
    const out = {};
    for (const key of Object.keys(value).sort()) out[key] = shape(value[key]);
    return out;
  }
  return typeof value;
}

// JSON with the keys in order.
export function sorted(value) {
  return JSON.stringify(value, (_, inner) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const out = {};
    for (const key of Object.keys(inner).sort()) out[key] = inner[key];
    return out;
  });
}

// What a function throws, as text; 'nothing' when it returns.
export function thrown(fn) {
  try {
    fn();
    return 'nothing';
  } catch (error) {
    return `${error.name}`;
  }
}
