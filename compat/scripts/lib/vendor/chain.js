// A wrapper found through `root`, `self` or `this`, with eval-ish detection of the global object.
;(function () {
  var freeGlobal = typeof global == 'object' && global && global.Object === Object && global;
  var freeSelf = typeof self == 'object' && self && self.Object === Object && self;
  var root = freeGlobal || freeSelf || Function('return this')();
  var freeExports = typeof exports == 'object' && exports && !exports.nodeType && exports;
  var freeModule = freeExports && typeof module == 'object' && module && !module.nodeType && module;
  function chain(list) { return { filter: function (f) { return chain(list.filter(f)); }, map: function (f) { return chain(list.map(f)); }, value: function () { return list; } }; }
  if (freeModule) { (freeModule.exports = chain)._ = chain; freeExports._ = chain; } else { root._ = chain; }
}.call(this));
