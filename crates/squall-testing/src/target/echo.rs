//! What a request looked like, as JSON.

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// Everything about the request, in httpbin's shape.
pub(super) fn request(parts: &Parts, body: &Bytes, scheme: &str) -> Value {
    let content_type = header(&parts.headers, "content-type");
    let (mut data, mut files, mut form, mut json) = (String::new(), json!({}), json!({}), Value::Null);
    if content_type.starts_with("application/x-www-form-urlencoded") {
        form = pairs(body);
    } else if let Some(boundary) = boundary(content_type) {
        (form, files) = multipart(body, boundary);
    } else {
        data = String::from_utf8_lossy(body).into_owned();
        json = serde_json::from_slice(body).unwrap_or(Value::Null);
    }
    json!({
        "args": args(parts),
        "data": data,
        "files": files,
        "form": form,
        "headers": headers(&parts.headers),
        "json": json,
        "method": parts.method.as_str(),
        "url": url(parts, scheme),
    })
}

/// The query's parameters.
pub(super) fn args(parts: &Parts) -> Value {
    pairs(parts.uri.query().unwrap_or_default().as_bytes())
}

/// The headers: canonical names in alphabetical order, values joined with commas.
pub(super) fn headers(headers: &HeaderMap) -> Value {
    let mut names: Vec<_> = headers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let entries = names.into_iter().map(|name| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        (canonical(name.as_str()), Value::from(values.join(",")))
    });
    Value::Object(entries.collect())
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

fn url(parts: &Parts, scheme: &str) -> String {
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => header(&parts.headers, "host"),
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{scheme}://{host}{path}")
}

/// A key that occurs once has a string, one that repeats a list.
fn pairs(text: &[u8]) -> Value {
    let mut object = Map::new();
    for (key, value) in form_urlencoded::parse(text) {
        add(&mut object, &key, value.into_owned());
    }
    Value::Object(object)
}

fn add(object: &mut Map<String, Value>, key: &str, value: String) {
    match object.get_mut(key) {
        None => {
            object.insert(key.to_owned(), value.into());
        }
        Some(Value::Array(values)) => values.push(value.into()),
        Some(first) => *first = json!([first.take(), value]),
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameters = content_type.strip_prefix("multipart/form-data")?;
    let (_, boundary) = parameters.split_once("boundary=")?;
    Some(boundary.split(';').next().unwrap_or_default().trim().trim_matches('"'))
}

/// Fields and files of a form.
fn multipart(body: &[u8], boundary: &str) -> (Value, Value) {
    let (mut fields, mut files) = (Map::new(), Map::new());
    let body = String::from_utf8_lossy(body);
    for part in body.split(&format!("--{boundary}")) {
        let Some((head, data)) = part.split_once("\r\n\r\n") else { continue };
        let data = data.strip_suffix("\r\n").unwrap_or(data).to_owned();
        let Some(name) = parameter(head, "; name=\"") else { continue };
        let into = if head.contains("; filename=\"") { &mut files } else { &mut fields };
        add(into, name, data);
    }
    (Value::Object(fields), Value::Object(files))
}

fn parameter<'a>(head: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(start)?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(content_type: &str, body: &str, expected: Value) {
        let request_head = Request::post("/p?a=1&a=2&b").header("content-type", content_type);
        let (parts, ()) = request_head.header("host", "h").body(()).unwrap().into_parts();
        let echo = request(&parts, &Bytes::copy_from_slice(body.as_bytes()), "http");
        assert_eq!((&echo["url"], &echo["method"]), (&"http://h/p?a=1&a=2&b".into(), &"POST".into()));
        assert_eq!(echo["args"], json!({ "a": ["1", "2"], "b": "" }));
        assert_eq!(echo["headers"], json!({ "Content-Type": content_type, "Host": "h" }));
        let body = json!([echo["data"], echo["json"], echo["form"], echo["files"]]);
        assert_eq!(body, expected);
    }

    #[test]
    fn bodies_are_shown_by_their_type() {
        check("text/plain", "[1]", json!(["[1]", [1], {}, {}]));
        check("application/x-www-form-urlencoded", "x=1+2", json!(["", null, { "x": "1 2" }, {}]));
        let form = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\ndata\r\n\
            --B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--B--\r\n";
        check("multipart/form-data; boundary=B", form, json!(["", null, { "x": "1" }, { "f": "data" }]));
    }
}
