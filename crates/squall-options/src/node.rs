//! A JSON value that knows where it stands, so that every error can name its key path.

use serde_json::{Map, Value};

use crate::OptionsError;

/// A value inside the options and the path to it.
pub struct Node<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    /// The root of a tree; `name` starts every path.
    pub fn root(name: &str, value: &'a Value) -> Node<'a> {
        Node { path: name.to_owned(), value }
    }

    /// The JSON value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The value at `key` of an object.
    pub fn at(&self, key: &str, value: &'a Value) -> Node<'a> {
        Node { path: format!("{}.{key}", self.path), value }
    }

    /// The elements of an array.
    pub fn elements(&self) -> Result<impl Iterator<Item = Node<'a>>, OptionsError> {
        let list = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let path = self.path.clone();
        Ok(list.iter().enumerate().map(move |(i, value)| Node { path: format!("{path}[{i}]"), value }))
    }

    /// The members of an object. Like every reader of options, leaves out what is null.
    pub fn members(&self) -> Result<impl Iterator<Item = (&'a str, Node<'a>)>, OptionsError> {
        let map = self.object()?;
        let root = Node { path: self.path.clone(), value: self.value };
        Ok(map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(move |(key, value)| (key.as_str(), root.at(key, value))))
    }

    /// The map of an object.
    pub fn object(&self) -> Result<&'a Map<String, Value>, OptionsError> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// The text of a string.
    pub fn string(&self) -> Result<&'a str, OptionsError> {
        self.value.as_str().ok_or_else(|| self.expected("a string"))
    }

    /// An error that says what was expected here and what stands here instead.
    pub fn expected(&self, what: &str) -> OptionsError {
        self.error(format!("expected {what}, found {}", shown(self.value)))
    }

    /// An error about this value.
    pub fn error(&self, message: impl Into<String>) -> OptionsError {
        OptionsError::new(&self.path, message)
    }

    /// An error about what `key` of this object holds or lacks.
    pub fn error_at(&self, key: &str, message: impl Into<String>) -> OptionsError {
        OptionsError::new(format!("{}.{key}", self.path), message)
    }
}

/// A value in an error message: scalars as written (cut when long), the rest by kind.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => {
            let text = scalar.to_string();
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}
