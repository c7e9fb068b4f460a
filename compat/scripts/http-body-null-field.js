// A form's field that is null.
import http from 'k6/http';

export default function () {
  console.log(http.post(`${__ENV.BASE}/post`, { nothing: null }).json('form.nothing'));
}
