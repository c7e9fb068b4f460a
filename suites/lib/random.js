// Random numbers from a seed: the same seed gives the same numbers in every run, in Squall and in k6. Only integer
// arithmetic and exact operations are used (no logarithm, no sine), so that every engine agrees to the last bit.
//
//   const random = seeded(SEED, __VU);
//   random.int(1, 6); random.pick(['tea', 'coffee']); random.weighted({ read: 80, write: 20 });

/** The seed of this run: `SEED` of the environment, or 1. */
export const SEED = __ENV.SEED || '1';

/** A source of random numbers. Sources with different seeds are independent of each other. */
export function seeded(...seeds) {
  const text = seeds.join('/');
  let [x, y, z, w] = [1, 2, 3, 4].map((lane) => hash(`${lane}:${text}`));

  // xorshift128 of G. Marsaglia, "Xorshift RNGs" (2003), section 4.
  function bits() {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  }

  const random = {
    /** From 0 to 1, without 1. */
    next: () => bits() / 4294967296,

    /** A number from `low` to `high`, without `high`. */
    between: (low, high) => low + (high - low) * random.next(),

    /** A whole number from `low` to `high`, both included. */
    int: (low, high) => low + Math.floor(random.next() * (high - low + 1)),

    /** True in this share of cases: 0.2 is one in five. */
    chance: (share) => random.next() < share,

    /** One of a list. */
    pick: (list) => list[Math.floor(random.next() * list.length)],

    /** A key of `{ key: weight }`, each as often as its weight says. */
    weighted(weights) {
      const keys = Object.keys(weights);
      let left = random.next() * keys.reduce((sum, key) => sum + weights[key], 0);
      for (const key of keys) {
        left -= weights[key];
        if (left < 0) return key;
      }
      return keys[keys.length - 1];
    },

    /** Normally distributed to within what twelve summed uniforms can be (never beyond six deviations). */
    normal(mean = 0, deviation = 1) {
      let sum = -6;
      for (let i = 0; i < 12; i++) sum += random.next();
      return mean + deviation * sum;
    },
  };
  return random;
}

// FNV-1a with 32 bits, then mixed so that texts that differ in their end differ everywhere.
function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 13), 0x45d9f3b);
  return (h ^ (h >>> 16)) | 1;
}
