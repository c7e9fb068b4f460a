// A path goes out as it is, dots and all.
import http from 'k6/http';

export default function () {
  for (const path of ['/anything//double/../up', '/anything/./here', '/anything?x=é']) {
    const res = http.get(`${__ENV.BASE}${path}`, { tags: { name: 'dots' } });
    console.log(path, res.status, res.json('url').replace(__ENV.BASE, ''));
  }
}
