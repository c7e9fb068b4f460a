// A table reader in the shape in which browser libraries are published: minified by hand, universal, one global.
!function (root, make) { 'object' == typeof exports && 'undefined' != typeof module ? make(exports) : 'function' == typeof define && define.amd ? define(['exports'], make) : make((root = root || self).Table = {}); }(this, function (exports) {
  'use strict';
  var defaults = { header: !1, delimiter: ',' };
  function Reader(options) { this.options = Object.assign({}, defaults, options); }
  Reader.prototype.read = function (text) {
    var self = this, rows = [], row = [], cell = '', quoted = !1;
    for (var i = 0; i < text.length; i++) {
      var c = text[i];
      if (quoted) { if (c !== '"') cell += c; else if (text[i + 1] === '"') { cell += '"'; i++; } else quoted = !1; }
      else if (c === '"') quoted = !0;
      else if (c === self.options.delimiter) { row.push(cell); cell = ''; }
      else if (c === '\n') { row.push(cell); rows.push(row); row = []; cell = ''; }
      else cell += c;
    }
    if (cell || row.length) { row.push(cell); rows.push(row); }
    if (!self.options.header) return { data: rows, meta: { fields: null } };
    var fields = rows.shift();
    return { data: rows.map(function (r) { return r.reduce(function (o, v, n) { return (o[fields[n]] = v), o; }, {}); }), meta: { fields: fields } };
  };
  exports.parse = function (text, options) { return new Reader(options).read(text); };
  exports.Reader = Reader;
  Object.defineProperty(exports, '__esModule', { value: !0 });
});
