// A text summary as shared libraries make it of handleSummary's data.
var forEach = function (obj, callback) { for (var key in obj) { if (obj.hasOwnProperty(key)) { if (callback(key, obj[key])) break; } } };
var palette = { bold: 1, red: 31, green: 32 };
var groupPrefix = '█', detailsPrefix = '↳', succMark = '✓', failMark = '✗';

function decorate(options) {
  return options.enableColors ? (text, color) => '\x1b[' + palette[color] + 'm' + text + '\x1b[0m' : (text) => text;
}

function checks(indent, group, paint) {
  var lines = [];
  group.checks.forEach(function (check) {
    if (check.fails == 0) return lines.push(indent + paint(succMark + ' ' + check.name, 'green'));
    var percent = Math.floor((100 * check.passes) / (check.passes + check.fails));
    lines.push(indent + paint(failMark + ' ' + check.name, 'red'), indent + ' ' + detailsPrefix + '  ' + percent + '%');
  });
  group.groups.forEach((inner) => { lines.push(indent + groupPrefix + ' ' + inner.name); lines = lines.concat(checks(indent + '  ', inner, paint)); });
  return lines;
}

function metrics(options, data, paint) {
  var names = [], lines = [];
  forEach(data.metrics, (name) => { names.push(name); });
  names.sort((a, b) => (a.split('{', 1)[0] === b.split('{', 1)[0] ? a.length - b.length : a < b ? -1 : 1));
  names.forEach(function (name) {
    var metric = data.metrics[name], mark = ' ';
    if (metric.thresholds) { mark = succMark; forEach(metric.thresholds, (_, threshold) => { if (!threshold.ok) { mark = failMark; return true; } }); }
    var keys = Object.keys(metric.values).sort().join(' ');
    lines.push(options.indent + paint(mark, 'bold') + ' ' + name + ': ' + metric.type + '/' + metric.contains + ' ' + keys);
  });
  return lines;
}

function textSummary(data, options) {
  var merged = Object.assign({ indent: ' ', enableColors: true, summaryTimeUnit: null }, data.options, options);
  var paint = decorate(merged);
  return [].concat(checks(merged.indent + '    ', data.root_group, paint), metrics(merged, data, paint)).join('\n');
}

exports.humanizeValue = (value) => value.toFixed(2);
exports.textSummary = textSummary;
