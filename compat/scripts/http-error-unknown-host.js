// A host that does not exist.
// compare: exit, console, errors, counts
import http from 'k6/http';

export default function () {
  const res = http.get('http://no-such-host.invalid/');
  console.log(res.status, res.error_code, res.error.length > 0);
}
