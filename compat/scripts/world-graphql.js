// GraphQL over HTTP: queries in template literals, variables, errors inside of a 200.
import http from 'k6/http';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

const failed = new Rate('graphql_errors');

const query = `
  query Items($first: Int!, $after: String) {
    items(first: $first, after: $after) { nodes { id ...parts } }
  }
  fragment parts on Item { name }`;

export const options = { iterations: 2, thresholds: { graphql_errors: ['rate==0'] } };

const send = (operationName, variables) =>
  http.post(`${__ENV.BASE}/post`, JSON.stringify({ operationName, query, variables }), {
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-Request-Id': `${__VU}-${__ITER}` },
    tags: { name: `graphql ${operationName}`, operation: operationName },
    timeout: '10s',
  });

export default function () {
  const res = send('Items', { first: 10, after: __ITER ? 'cursor' : null });
  const body = res.json('json');
  const ok = check(res, {
    'no errors': () => !('errors' in body) && body.errors?.length === undefined,
    'variables as sent': (r) => r.json('json.variables.first') === 10 && r.json('json.variables.after') === (__ITER ? 'cursor' : null),
    'query as sent': () => body.query === query,
  });
  failed.add(!ok);
  console.log(res.json('json.query.#'), res.json('json.variables|@keys'), res.json('headers.X-Request-Id'));
}
