// Random helpers as a bundler writes CommonJS: getters on exports, k6 modules required late.
(() => {
  var known = { 7: (module) => { module.exports = require('k6/execution'); } }, loaded = {};
  function need(id) { return loaded[id] || (known[id]((loaded[id] = { exports: {} })), (loaded[id] = loaded[id].exports)); }
  var out = {};
  var define = (target, getters) => { for (var name in getters) Object.defineProperty(target, name, { enumerable: true, get: getters[name] }); };
  define(out, { pick: () => pick, between: () => between, text: () => text, uuid: () => uuid, whose: () => whose });
  function between(low, high) { return Math.floor(Math.random() * (high - low + 1) + low); }
  function pick(list) { return list[between(0, list.length - 1)]; }
  function text(length, letters = 'abc') { let s = ''; while (length--) s += letters[(Math.random() * letters.length) | 0]; return s; }
  function uuid() { return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (c) => { const r = (Math.random() * 16) | 0; return (c === 'x' ? r : (r & 3) | 8).toString(16); }); }
  function whose() { return need(7).vu.idInTest; }
  var target = exports;
  for (var name in out) target[name] = out[name];
  if (out.__esModule) Object.defineProperty(target, '__esModule', { value: true });
})();
