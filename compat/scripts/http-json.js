// Parsed bodies and GJSON selectors.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default function () {
  const res = http.get(`${__ENV.BASE}/json`);
  console.log(JSON.stringify(res.json().slideshow.slides[1].items));
  for (const path of [
    'slideshow.author',
    'slideshow.slides.1.title',
    'slideshow.slides.#',
    'slideshow.slides.#.title',
    'slideshow.slides.1.items.-1',
    'slideshow.slides.#(title=="Wind").type',
    'slideshow.slides.#(type=="all")#.title',
    'slideshow.*thor',
    'slideshow.slides.1.items|0',
    'slideshow.{author,title}',
    'missing.path',
    '@this.slideshow.date',
    'slideshow.slides.1.items|@reverse',
  ]) {
    console.log(path, sorted(res.json(path)));
  }
  console.log(typeof http.get(`${__ENV.BASE}/anything?n=1`).json('args.n'), http.get(`${__ENV.BASE}/get`).json('json'));
}
