//! `res.json(path)`: GJSON paths. The `gjson` library reads them; the modifiers of Go's GJSON that it lacks are here.

use rquickjs::{Ctx, Result, Value};

/// The part of a JSON text that a path selects; undefined where there is none.
pub(super) fn select<'js>(ctx: &Ctx<'js>, body: &str, path: &str) -> Result<Value<'js>> {
    let found = gjson::valid(body).then(|| selected(body, path)).flatten();
    found.map_or_else(|| Ok(Value::new_undefined(ctx.clone())), |json| ctx.json_parse(json))
}

fn selected(json: &str, path: &str) -> Option<String> {
    let Some(Step { before, modify, after }) = first_modifier(path) else {
        let found = gjson::get(json, path);
        return found.exists().then(|| found.json().to_owned());
    };
    // As in Go a modifier makes something of nothing: the keys of what is missing are an empty list.
    let value = if before.is_empty() { json.to_owned() } else { selected(json, before).unwrap_or_default() };
    let value = modify(&value);
    match after {
        "" => gjson::valid(&value).then_some(value),
        _ => selected(&value, after),
    }
}

type Modify = fn(&str) -> String;

const MODIFIERS: [(&str, Modify); 4] =
    [("@keys", keys), ("@values", values), ("@tostr", to_str), ("@fromstr", from_str)];

/// A path around one of our modifiers.
struct Step<'p> {
    before: &'p str,
    modify: Modify,
    after: &'p str,
}

/// The first of our modifiers that stands for itself: not in quotes or brackets, and not after a `#`, which
/// applies to each element what follows a dot.
fn first_modifier(path: &str) -> Option<Step<'_>> {
    let (mut depth, mut is_quoted, mut is_escaped, mut has_each) = (0_usize, false, false, false);
    let mut starts_part = true;
    for (index, byte) in path.bytes().enumerate() {
        let is_start = std::mem::replace(&mut starts_part, false);
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match byte {
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' if depth == 0 => has_each = true,
            b'|' if depth == 0 => (has_each, starts_part) = (false, true),
            b'.' if depth == 0 => starts_part = !has_each,
            b'@' if is_start => {
                if let Some((modify, after)) = modifier(&path[index..]) {
                    return Some(Step { before: &path[..index.saturating_sub(1)], modify, after });
                }
            }
            _ => {}
        }
    }
    None
}

/// The modifier that a path starts with, and the path after it.
fn modifier(path: &str) -> Option<(Modify, &str)> {
    MODIFIERS.iter().find_map(|&(name, modify)| {
        let after = path.strip_prefix(name)?;
        let rest = after.strip_prefix(['.', '|']).unwrap_or(after);
        (after.is_empty() || rest.len() < after.len()).then_some((modify, rest))
    })
}

/// The keys of an object; other values have as many nulls as elements.
fn keys(json: &str) -> String {
    let value = gjson::parse(json);
    let mut keys = Vec::new();
    let is_object = value.kind() == gjson::Kind::Object;
    each(&value, |key, _| keys.push(if is_object { key.json().to_owned() } else { "null".to_owned() }));
    format!("[{}]", keys.join(","))
}

/// The values of an object or array.
fn values(json: &str) -> String {
    let value = gjson::parse(json);
    let mut values = Vec::new();
    each(&value, |_, value| values.push(value.json().to_owned()));
    format!("[{}]", values.join(","))
}

/// What is in a value; one that holds nothing is its own only element.
fn each(value: &gjson::Value, mut visit: impl FnMut(&gjson::Value, &gjson::Value)) {
    match value.kind() {
        gjson::Kind::Object | gjson::Kind::Array => value.each(|key, value| {
            visit(&key, &value);
            true
        }),
        _ if value.exists() => visit(value, value),
        _ => {}
    }
}

/// The JSON text as a string.
fn to_str(json: &str) -> String {
    serde_json::Value::from(json).to_string()
}

/// A string's JSON text; of others their own.
fn from_str(json: &str) -> String {
    gjson::parse(json).str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_of_gos_library() {
        let json = r#"{"a":{"x":1,"y":[true,null]},"s":"{\"in\":[7]}","list":[{"k":1},{"k":2}],"@keys":3}"#;
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(selected(json, path).as_deref(), expected, "{path}");
        };
        check("a|@keys", Some(r#"["x","y"]"#));
        check("a.@keys.1", Some(r#""y""#));
        check("a|@values|1|0", Some("true"));
        check("a.@values", Some("[1,[true,null]]"));
        check("@keys|#", Some("4"));
        check("list|@keys", Some("[null,null]"));
        check("list.#.k|@values", Some("[1,2]"));
        check("a.x.@keys", Some("[null]"));
        check("a.y|@tostr", Some(r#""[true,null]""#));
        check("s|@fromstr|in.0", Some("7"));
        check("missing|@keys", Some("[]"));
        check("a.x|@fromstr", Some("1"));
        check("list.0|@tostr|@fromstr|k", Some("1"));
        check("missing|@fromstr", None);
        check("a|@keysmith", None);
        check(r"\@keys", Some("3"));
        check("list|@reverse|0.k", Some("2"));
    }
}
