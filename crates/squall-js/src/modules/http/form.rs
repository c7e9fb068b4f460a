//! Bodies that are objects: forms, and multipart forms when one of the fields is a file.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rquickjs::{Class, Coerced, Ctx, IntoJs, JsLifetime, Object, Result, Value, class::Trace, function::Opt};
use squall_http::Multipart;
use url::form_urlencoded;

use crate::{classes, errors::throw_go, modules::bytes_of};

/// What `http.file` returns.
#[derive(JsLifetime, Trace)]
#[rquickjs::class]
pub(super) struct FileData {
    #[qjs(skip_trace)]
    bytes: Vec<u8>,
    #[qjs(skip_trace)]
    is_text: bool,
    #[qjs(skip_trace)]
    filename: String,
    #[qjs(skip_trace)]
    content_type: String,
}

#[rquickjs::methods(rename_all = "snake_case")]
impl FileData {
    #[qjs(get, enumerable)]
    fn data<'js>(&self, ctx: Ctx<'js>) -> Result<Value<'js>> {
        if self.is_text {
            return String::from_utf8_lossy(&self.bytes).into_js(&ctx);
        }
        Ok(rquickjs::ArrayBuffer::new_copy(ctx, &self.bytes)?.into_value())
    }

    #[qjs(get, enumerable)]
    fn filename(&self) -> &str {
        &self.filename
    }

    #[qjs(get, enumerable)]
    fn content_type(&self) -> &str {
        &self.content_type
    }
}

/// `http.file(data, filename, contentType)`.
pub(super) fn file<'js>(
    ctx: Ctx<'js>,
    data: Value<'js>,
    filename: Opt<Coerced<String>>,
    content_type: Opt<Coerced<String>>,
) -> Result<Class<'js, FileData>> {
    let Some(bytes) = bytes_of(&data)? else {
        let message = format!("http.file() needs a string or bytes, not {}", data.type_name());
        return Err(throw_go(&ctx, &message));
    };
    let unix_nanos =
        || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
    let file = FileData {
        bytes,
        is_text: data.is_string(),
        filename: filename.0.map_or_else(unix_nanos, |name| name.0),
        content_type: content_type.0.map_or_else(|| "application/octet-stream".to_owned(), |kind| kind.0),
    };
    classes::instance(&ctx, file)
}

/// A body and the `Content-Type` that goes with it.
pub(super) struct Encoded {
    pub(super) body: Bytes,
    pub(super) content_type: String,
}

/// Encodes an object: keys in order of the alphabet, arrays as repeated keys.
pub(super) fn encode<'js>(object: &Object<'js>) -> Result<Encoded> {
    let mut fields = Vec::new();
    for entry in object.props::<String, Value>() {
        fields.push(entry?);
    }
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    if fields.iter().any(|(_, value)| as_file(value).is_some()) {
        return multipart(&fields);
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (key, value) in &fields {
        match value.as_array() {
            Some(values) => {
                for value in values.iter::<Value>() {
                    form.append_pair(key, &field_text(key, &value?)?);
                }
            }
            None => {
                form.append_pair(key, &field_text(key, value)?);
            }
        }
    }
    Ok(Encoded { body: form.finish().into(), content_type: "application/x-www-form-urlencoded".to_owned() })
}

fn as_file<'js>(value: &Value<'js>) -> Option<Class<'js, FileData>> {
    value.as_object().and_then(Class::<FileData>::from_object)
}

fn multipart(fields: &[(String, Value)]) -> Result<Encoded> {
    let mut form = Multipart::new();
    for (key, value) in fields {
        match as_file(value) {
            Some(file) => {
                let file = file.borrow();
                form.file(key, &file.filename, &file.content_type, &file.bytes);
            }
            None => form.field(key, field_text(key, value)?.as_bytes()),
        }
    }
    Ok(Encoded { content_type: form.content_type(), body: form.finish() })
}

/// A field's value as text. Forms do not nest: an object gives nothing, and a warning.
fn field_text(key: &str, value: &Value) -> Result<String> {
    if value.is_null() || value.is_undefined() {
        return Ok(String::new());
    }
    if value.is_object() {
        tracing::warn!("form field {key:?} is an object, which a form cannot say: it is sent empty");
        return Ok(String::new());
    }
    Ok(value.get::<Coerced<String>>()?.0)
}
