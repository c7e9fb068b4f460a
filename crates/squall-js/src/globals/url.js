// URL and URLSearchParams, over functions that parse and write URLs and queries.
(function (native) {
  // Whatever a script passes, as text without halves of surrogate pairs.
  const text = (value) => `${value}`.toWellFormed();

  const need = (count, given) => {
    if (given.length < count) throw new TypeError(`${count} arguments are needed, but only ${given.length} present`);
  };

  // Let one class reach the private parts of the other.
  let readPairs, bindToUrl, queryChanged;

  class URLSearchParams {
    // Lists of a name and a value.
    #pairs = [];
    // The URL whose query this is, if any.
    #url = null;

    static {
      readPairs = (params, query) => { params.#pairs = native.parseQuery(query); };
      bindToUrl = (params, url) => { params.#url = url; };
    }

    constructor(init = '') {
      if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
        this.#pairs = native.parseQuery(text(init).replace(/^\?/, ''));
      } else if (init[Symbol.iterator] != null) {
        for (const entry of init) {
          const pair = Array.from(entry, text);
          if (pair.length !== 2) throw new TypeError('each entry must be a name and a value');
          this.#pairs.push(pair);
        }
      } else {
        for (const name of Object.keys(init)) this.#put(text(name), text(init[name]));
      }
    }

    get size() { return this.#pairs.length; }

    append(name, value) {
      need(2, arguments);
      this.#pairs.push([text(name), text(value)]);
      this.#changed();
    }

    delete(name, value = undefined) {
      need(1, arguments);
      this.#pairs = this.#pairs.filter((pair) => !matches(pair, name, value));
      this.#changed();
    }

    get(name) {
      need(1, arguments);
      const found = this.#pairs.find((pair) => matches(pair, name));
      return found === undefined ? null : found[1];
    }

    getAll(name) {
      need(1, arguments);
      return this.#pairs.filter((pair) => matches(pair, name)).map((pair) => pair[1]);
    }

    has(name, value = undefined) {
      need(1, arguments);
      return this.#pairs.some((pair) => matches(pair, name, value));
    }

    set(name, value) {
      need(2, arguments);
      this.#put(text(name), text(value));
      this.#changed();
    }

    sort() {
      // By UTF-16 code units, which is how strings compare; pairs with equal names keep their order.
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }

    forEach(callback, receiver = undefined) {
      if (typeof callback !== 'function') throw new TypeError('forEach() needs a function');
      for (const [name, value] of this) callback.call(receiver, value, name, this);
    }

    // Iteration is live: what is appended meanwhile is seen.
    *entries() { for (let i = 0; i < this.#pairs.length; i += 1) yield [...this.#pairs[i]]; }
    *keys() { for (const [name] of this.entries()) yield name; }
    *values() { for (const [, value] of this.entries()) yield value; }
    [Symbol.iterator]() { return this.entries(); }

    toString() { return native.serializeQuery(this.#pairs); }

    // Sets the first pair of that name and drops its others.
    #put(name, value) {
      const first = this.#pairs.find((pair) => pair[0] === name);
      if (first === undefined) {
        this.#pairs.push([name, value]);
      } else {
        first[1] = value;
        this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== name);
      }
    }

    #changed() {
      if (this.#url !== null) queryChanged(this.#url, this.toString());
    }
  }

  // Without a value, any value matches.
  const matches = (pair, name, value) => pair[0] === text(name) && (value === undefined || pair[1] === text(value));

  const WRITABLE = ['hash', 'host', 'hostname', 'href', 'password', 'pathname', 'port', 'protocol', 'search', 'username'];

  class URL {
    #href;
    // Made when first asked for.
    #params = null;

    constructor(url, base = undefined) {
      need(1, arguments);
      this.#href = native.parse(text(url), base === undefined ? undefined : text(base));
    }

    static {
      queryChanged = (url, query) => { url.#href = native.write(url.#href, 'search', query); };
      for (const part of WRITABLE) {
        Object.defineProperty(this.prototype, part, {
          get() { return native.read(this.#href, part); },
          set(value) {
            this.#href = native.write(this.#href, part, text(value));
            this.#refreshParams();
          },
          enumerable: true,
          configurable: true,
        });
      }
    }

    static canParse(url, base = undefined) {
      need(1, arguments);
      return URL.parse(url, base) !== null;
    }

    static parse(url, base = undefined) {
      need(1, arguments);
      try {
        return new URL(text(url), base);
      } catch {
        return null;
      }
    }

    get origin() { return native.read(this.#href, 'origin'); }

    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams();
        this.#refreshParams();
        bindToUrl(this.#params, this);
      }
      return this.#params;
    }

    toString() { return this.#href; }
    toJSON() { return this.#href; }

    #refreshParams() {
      if (this.#params !== null) readPairs(this.#params, native.read(this.#href, 'search').slice(1));
    }
  }

  for (const made of [URL, URLSearchParams]) {
    Object.defineProperty(made.prototype, Symbol.toStringTag, { value: made.name, configurable: true });
  }
  return { URL, URLSearchParams };
})
