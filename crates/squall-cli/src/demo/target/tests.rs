//! The demo's target, over real sockets.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::*;

fn start() -> Target {
    Target::start(([127, 0, 0, 1], 0).into()).expect("a free port")
}

/// Sends one request and gives status and body back.
fn exchange(target: &Target, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(target.address).expect("the target listens");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the target reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the target answers");
    let (head, body) = response.split_once("\r\n\r\n").expect("a whole response");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

#[test]
fn answers_what_the_demo_asks() {
    let target = start();
    let json = |(status, body): (u16, String)| -> (u16, Value) {
        (status, serde_json::from_str(&body).expect("JSON"))
    };
    assert_eq!(exchange(&target, "GET", "/", "").0, 200);
    let (status, page) = json(exchange(&target, "GET", "/api/items?page=2", ""));
    assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(20)));
    assert_eq!(page["items"][0]["id"], 21);
    let (status, item) = json(exchange(&target, "GET", "/api/items/7", ""));
    assert_eq!((status, &item["name"]), (200, &json!("Item 7")));
    let (status, created) = json(exchange(&target, "POST", "/api/items", r#"{"name":"x"}"#));
    assert_eq!((status, &created["id"]), (201, &json!(1001)));
    let (status, login) = json(exchange(&target, "POST", "/login", r#"{"user":"me"}"#));
    assert_eq!((status, &login["token"]), (200, &json!("token-of-me")));
    assert_eq!(exchange(&target, "GET", "/slow", "").0, 200);
}

#[test]
fn refuses_what_makes_no_sense() {
    let target = start();
    for (method, path, body, status) in [
        ("GET", "/nowhere", "", 404),
        ("GET", "/api/items?page=0", "", 404),
        ("GET", "/api/items?page=99999999999999999999", "", 404),
        ("GET", "/api/items/0", "", 404),
        ("GET", "/api/items/x", "", 404),
        ("DELETE", "/", "", 404),
        ("POST", "/api/items", "not json", 400),
        ("POST", "/login", "{}", 401),
    ] {
        assert_eq!(exchange(&target, method, path, body).0, status, "{method} {path}");
    }
}

#[test]
fn fails_once_in_a_hundred() {
    let target = start();
    let failures = (0..200).filter(|_| exchange(&target, "GET", "/api/items/1", "").0 == 503).count();
    assert_eq!(failures, 2);
}
