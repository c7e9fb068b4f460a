// `throw` for one request; without it the run goes on.
import http from 'k6/http';

export default function () {
  console.log(http.get('http://127.0.0.1:1/').status);
  http.get('http://127.0.0.1:1/', { throw: true });
  console.log('never');
}
