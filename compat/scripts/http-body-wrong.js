// A body that is none.
import http from 'k6/http';

export default function () {
  for (const body of [5, true, [1, 2]]) {
    try {
      const res = http.post(`${__ENV.BASE}/post`, body);
      console.log(typeof body, res.status, typeof res.error);
    } catch (error) {
      console.log(typeof body, 'throws');
    }
  }
}
