// What older libraries lean on: `new Function`, indirect eval.
var implicit = (function () {
  return this === globalThis;
})();

exports.default = function () {
  console.log(typeof implicit, new Function('a', 'return a * 2')(4), (0, eval)('1 + 1'));
};
