// A function with properties, exported the universal way.
;(function (global, factory) {
  typeof exports === 'object' && typeof module !== 'undefined' ? module.exports = factory() :
  typeof define === 'function' && define.amd ? define(factory) :
  global.clock = factory()
}(this, (function () { 'use strict';
  function clock(at) { if (!(this instanceof clock)) return new clock(at); this.at = new Date(at); }
  clock.prototype.format = function (pattern) {
    var at = this.at, two = function (n) { return ('0' + n).slice(-2); };
    return pattern.replace('YYYY', at.getUTCFullYear()).replace('MM', two(at.getUTCMonth() + 1)).replace('DD', two(at.getUTCDate()));
  };
  clock.version = '1.0';
  clock.clamp = function (n, low, high) { return Math.min(Math.max(n, low), high); };
  return clock;
})));
