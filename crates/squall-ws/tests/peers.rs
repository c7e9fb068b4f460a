//! Against a server of other people's making: tungstenite, on a thread of its own.

use std::{net::SocketAddr, rc::Rc, sync::Arc};

use squall_net::{Dialer, NetConfig, Traffic};
use squall_ws::{Connected, Event, Failed, Handshake, Message, connect};
use tokio_tungstenite::tungstenite::{
    self,
    handshake::server::{ErrorResponse, Request, Response},
};
use url::Url;

/// Echoes one connection after another. A text `close` is answered with a farewell, `ping` with a ping.
fn serve() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || converse(stream.unwrap()));
        }
    });
    address
}

#[expect(clippy::result_large_err, reason = "tungstenite's signature")]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == "/refuse" {
        return Err(http::Response::builder().status(403).body(Some("not you".to_owned())).unwrap());
    }
    if let Some(offered) = request.headers().get("sec-websocket-protocol") {
        let first = offered.to_str().unwrap().split(',').next().unwrap().trim().to_owned();
        response.headers_mut().insert("sec-websocket-protocol", first.parse().unwrap());
    }
    if let Some(cookie) = request.headers().get("cookie") {
        response.headers_mut().insert("x-cookie", cookie.clone());
    }
    Ok(response)
}

fn converse(stream: std::net::TcpStream) {
    let Ok(mut socket) = tungstenite::accept_hdr(stream, choose) else { return };
    while let Ok(message) = socket.read() {
        let said = match &message {
            tungstenite::Message::Text(text) if text.as_str() == "close" => {
                let frame =
                    tungstenite::protocol::CloseFrame { code: 4001.into(), reason: "as you wish".into() };
                socket.close(Some(frame))
            }
            tungstenite::Message::Text(text) if text.as_str() == "ping" => {
                socket.send(tungstenite::Message::Ping(b"are you there"[..].into()))
            }
            tungstenite::Message::Text(_) | tungstenite::Message::Binary(_) => socket.send(message),
            tungstenite::Message::Pong(payload) => socket.send(tungstenite::Message::Binary(payload.clone())),
            _ => socket.flush(),
        };
        if said.is_err() {
            return;
        }
    }
}

async fn open(address: SocketAddr, path: &str, protocols: &[String]) -> Result<Connected, Failed> {
    let dialer = Arc::new(Dialer::new(NetConfig::default()).unwrap());
    let url: Url = format!("ws://{address}{path}").parse().unwrap();
    let handshake = Handshake {
        url: &url,
        headers: &[("X-Mine".to_owned(), "1\r\nX-Forged: 1".to_owned())],
        protocols,
        offers_deflate: true,
        user_agent: "squall",
        cookies: "a=b",
    };
    connect(&dialer, 1, &Rc::new(Traffic::default()), handshake).await
}

#[tokio::test]
async fn texts_and_bytes_come_back_in_order() {
    let mut socket = open(serve(), "/", &[]).await.unwrap().socket;
    let large = vec![7; 300_000];
    socket.send(Message::Text("grüß dich"));
    socket.send(Message::Binary(&large));
    socket.send(Message::Text(""));
    assert_eq!(socket.next().await, Event::Text("grüß dich".to_owned()));
    assert_eq!(socket.next().await, Event::Binary(large));
    assert_eq!(socket.next().await, Event::Text(String::new()));
    assert_eq!(socket.unsent_bytes(), 0);
}

#[tokio::test]
async fn pings_are_answered_both_ways() {
    let mut socket = open(serve(), "/", &[]).await.unwrap().socket;
    socket.ping(b"1");
    assert_eq!(socket.next().await, Event::Pong(b"1".to_vec()));
    socket.send(Message::Text("ping"));
    assert_eq!(socket.next().await, Event::Ping(b"are you there".to_vec()));
    assert_eq!(socket.next().await, Event::Binary(b"are you there".to_vec()));
}

#[tokio::test]
async fn the_server_may_say_farewell() {
    let mut socket = open(serve(), "/", &[]).await.unwrap().socket;
    socket.send(Message::Text("close"));
    assert_eq!(socket.next().await, Event::Closing(4001, "as you wish".to_owned()));
    assert_eq!(socket.next().await, Event::End);
}

#[tokio::test]
async fn so_may_we() {
    let mut socket = open(serve(), "/", &[]).await.unwrap().socket;
    socket.close(1000, &"ü".repeat(100));
    socket.send(Message::Text("too late"));
    assert_eq!(socket.next().await, Event::Closing(1000, "ü".repeat(61)));
    assert_eq!(socket.next().await, Event::End);
}

#[tokio::test]
async fn the_handshake_carries_what_it_should() {
    let connected = open(serve(), "/a?b=c", &["v2".to_owned(), "v1".to_owned()]).await.unwrap();
    assert_eq!(connected.response.status, 101);
    assert_eq!(connected.response.header("Sec-WebSocket-Protocol"), Some("v2"));
    assert_eq!(connected.response.header("X-Cookie"), Some("a=b"));
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_body() {
    let failed = open(serve(), "/refuse", &[]).await.unwrap_err();
    let response = failed.response.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (403, &b"not you"[..]));
    assert!(failed.error.text.contains("bad handshake"), "{}", failed.error.text);
}

#[tokio::test]
async fn nobody_there_is_an_error_and_no_response() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failed = open(address, "/", &[]).await.unwrap_err();
    assert!(failed.response.is_none());
    assert_eq!(failed.error.code, 1212);
}
