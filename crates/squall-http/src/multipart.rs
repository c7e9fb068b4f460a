//! `multipart/form-data` bodies, laid out as k6 sends them.

use std::fmt::Write as _;

use bytes::Bytes;

/// Collects parts and renders them.
#[derive(Clone, Debug)]
pub struct Multipart {
    boundary: String,
    body: Vec<u8>,
}

impl Multipart {
    /// A form with a random boundary.
    pub fn new() -> Self {
        Self::with_boundary(random_boundary())
    }

    /// A form with a given boundary, which must not occur in any part.
    pub fn with_boundary(boundary: String) -> Self {
        Self { boundary, body: Vec::new() }
    }

    /// Adds a plain field.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        let disposition = format!("form-data; name=\"{}\"", escape_quotes(name));
        self.part(&disposition, None, value);
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, filename: &str, content_type: &str, data: &[u8]) {
        let disposition =
            format!("form-data; name=\"{}\"; filename=\"{}\"", escape_quotes(name), escape_quotes(filename));
        self.part(&disposition, Some(content_type), data);
    }

    fn part(&mut self, disposition: &str, content_type: Option<&str>, data: &[u8]) {
        let start = if self.body.is_empty() { "" } else { "\r\n" };
        let mut head = format!("{start}--{}\r\nContent-Disposition: {disposition}\r\n", self.boundary);
        if let Some(content_type) = content_type {
            head.push_str("Content-Type: ");
            head.push_str(content_type);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(data);
    }

    /// The value for `Content-Type`.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The whole body.
    pub fn finish(mut self) -> Bytes {
        self.body.extend_from_slice(format!("\r\n--{}--\r\n", self.boundary).as_bytes());
        self.body.into()
    }
}

impl Default for Multipart {
    fn default() -> Self {
        Self::new()
    }
}

/// 60 random hexadecimal digits, as Go's `mime/multipart` makes them.
pub fn random_boundary() -> String {
    let bytes: [u8; 30] = rand::random();
    bytes.iter().fold(String::with_capacity(60), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A quoted string may not end early nor smuggle a header line in.
fn escape_quotes(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_are_laid_out_as_k6_does() {
        let mut form = Multipart::with_boundary("b".into());
        form.field("a", b"1");
        form.file("f\"", "n\\.txt", "text/plain", b"data");
        assert_eq!(form.content_type(), "multipart/form-data; boundary=b");
        assert_eq!(
            form.finish(),
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\
             \r\n--b\r\nContent-Disposition: form-data; name=\"f\\\"\"; filename=\"n\\\\.txt\"\r\n\
             Content-Type: text/plain\r\n\r\ndata\r\n--b--\r\n"
        );
    }

    #[test]
    fn boundaries_are_sixty_hexadecimal_digits() {
        let boundary = random_boundary();
        assert_eq!(boundary.len(), 60);
        assert!(boundary.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
