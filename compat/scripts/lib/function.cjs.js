// A CommonJS module that is a function.
module.exports = function double(n) {
  return n * 2;
};
module.exports.label = 'doubles';
