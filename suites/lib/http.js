// What every test of an HTTP API needs.

/** The service under test, without a slash at its end. */
export function baseUrl(fallback = 'http://127.0.0.1:8080') {
  return (__ENV.BASE_URL || fallback).replace(/\/+$/, '');
}

/** Parameters of a request: the headers that JSON and a sign-in need, and a name under which its URL is grouped. */
export function params({ token, json, name, headers = {}, ...more } = {}) {
  const all = { ...headers };
  if (json) all['Content-Type'] = 'application/json';
  if (token) all.Authorization = `Bearer ${token}`;
  return { headers: all, ...(name && { tags: { name } }), ...more };
}

/** The field of a JSON answer at `path`, or undefined when there is no JSON: a refused request must not end the iteration. */
export function field(response, path) {
  try {
    return response.json(path);
  } catch {
    return undefined;
  }
}

/** A word that is different for each run, so that runs against the same service do not meet each other's data. */
export function newRun() {
  return Date.now().toString(36);
}
