// What batch refuses, and a request in it that fails.
import http from 'k6/http';

export default function () {
  for (const make of [() => http.batch(), () => http.batch(5), () => http.batch([]).length, () => Object.keys(http.batch({})).length]) {
    try {
      console.log(typeof make());
    } catch (error) {
      console.log('throws');
    }
  }
  const responses = http.batch([`${__ENV.BASE}/get`, 'http://127.0.0.1:1/']);
  console.log(responses[0].status, responses[1].status, responses[1].error_code);
}
