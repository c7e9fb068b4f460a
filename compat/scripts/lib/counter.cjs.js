// A CommonJS module.
exports.next = function next() {
  exports.count += 1;
  return exports.count;
};
exports.count = 0;
exports.name = module.exports === exports ? 'same' : 'other';
