// A template engine as old ones were: `new Function`, `with`, text glued together.
exports.compile = function (text) {
  var body = "var out = ''; with (data) {";
  text.split(/(<%=?[\s\S]+?%>)/).forEach(function (part) {
    var code = /^<%(=?)([\s\S]+?)%>$/.exec(part);
    if (!code) body += 'out += ' + JSON.stringify(part) + ';';
    else if (code[1]) body += 'out += (' + code[2] + ');';
    else body += code[2];
  });
  return new Function('data', body + '} return out;');
};
exports.escape = (text) => String(text).replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
