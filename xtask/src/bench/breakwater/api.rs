//! The few requests that prepare a case, or look at it: a small HTTP/1.1 client, a connection a request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A service by its address.
pub(in crate::bench) struct Api {
    pub(in crate::bench) address: SocketAddr,
}

impl Api {
    /// The JSON that it answers, null if it is none; another status than 2xx is an error.
    pub(in crate::bench) fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let text = self.ask_text(method, path, token, body)?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What it answers, as text.
    pub(in crate::bench) fn ask_text(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<String> {
        let body = body.map_or(String::new(), Value::to_string);
        let token = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).with_context(|| format!("{method} {path}"))?;
        let (status, body) =
            parts(&answer).with_context(|| format!("{method} {path}: not HTTP: {answer}"))?;
        ensure!((200..300).contains(&status), "{method} {path}: {status}: {body}");
        Ok(body.to_owned())
    }
}

/// The status and the body of a response whose end is the connection's.
fn parts(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_response_apart() {
        let answer = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parts(answer), Some((201, "{}")));
        assert_eq!(parts("HTTP/1.1 201 Created\r\n"), None);
    }
}
