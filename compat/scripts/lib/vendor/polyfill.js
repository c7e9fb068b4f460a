// Changes what everybody shares, as old helpers do.
(function (scope) {
  scope.installed = (scope.installed || 0) + 1;
  String.prototype.shout = function () { return this.toUpperCase() + '!'; };
  if (!Array.prototype.sum) Object.defineProperty(Array.prototype, 'sum', { value: function () { return this.reduce(function (a, b) { return a + b; }, 0); } });
})(typeof globalThis !== 'undefined' ? globalThis : typeof window !== 'undefined' ? window : this);
