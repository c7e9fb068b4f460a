// A module in the universal shape that libraries ship.
(function (root, factory) {
  if (typeof define === 'function' && define.amd) {
    define([], factory);
  } else if (typeof module === 'object' && module.exports) {
    module.exports = factory();
  } else {
    root.umd = factory();
  }
})(this, function () {
  return { hello: (who) => `hello ${who}` };
});
