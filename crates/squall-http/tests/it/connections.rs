//! Which connections are used again, and what happens when one has gone stale.

use bytes::Bytes;
use squall_http::{ClientConfig, Method, Request};
use squall_net::NetConfig;
use squall_testing::{ScriptedServer, Signal, Step, Target};

use crate::{Vu, body_text, error, get, request, run};

fn answer(body: &str) -> Step {
    Step::write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

#[test]
fn connections_are_used_again() {
    let script = vec![Step::read_head(), answer("one"), Step::read_head(), answer("two")];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let first = vu.get(server.url("/")).await;
        let second = vu.get(server.url("/")).await;
        assert_eq!([body_text(&first), body_text(&second)], ["one", "two"]);
        assert!(!first.exchange.timings.connecting.is_zero());
        assert!(second.exchange.timings.connecting.is_zero());
        assert_eq!(second.exchange.remote, Some(server.address()));
        let (sent, received) = vu.connections.traffic().take();
        assert_eq!(sent as usize, server.received(0).len());
        assert_eq!(received, 2 * (answer_bytes("one") as u64));
    });
}

fn answer_bytes(body: &str) -> usize {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).len()
}

#[test]
fn without_reuse_each_request_has_a_connection_and_says_so() {
    let scripts = vec![vec![Step::read_head(), answer("")]; 2];
    let server = ScriptedServer::start(scripts);
    let config = ClientConfig { no_connection_reuse: true, ..ClientConfig::default() };
    run(async {
        let vu = Vu::with(NetConfig::default(), config);
        for number in 0..2 {
            assert_eq!(vu.get(server.url("/")).await.exchange.status, 200);
            assert!(server.received_text(number).contains("\r\nConnection: close\r\n"));
        }
    });
}

#[test]
fn closed_idle_connections_are_replaced() {
    let scripts = vec![vec![Step::read_head(), answer("")]; 2];
    let server = ScriptedServer::start(scripts);
    run(async {
        let vu = Vu::new();
        vu.get(server.url("/")).await;
        assert_eq!(vu.connections.idle_count(), 1);
        vu.connections.close_idle();
        assert_eq!(vu.connections.idle_count(), 0);
        assert_eq!(vu.get(server.url("/")).await.exchange.status, 200);
    });
}

/// The server answers once and closes as soon as the second request has come.
fn closes_on_the_second_request() -> ScriptedServer {
    ScriptedServer::start(vec![
        vec![Step::read_head(), answer("one"), Step::read_head()],
        vec![Step::read_head(), answer("two")],
    ])
}

#[test]
fn a_get_on_a_stale_connection_is_sent_again() {
    let server = closes_on_the_second_request();
    run(async {
        let vu = Vu::new();
        vu.get(server.url("/")).await;
        let second = vu.get(server.url("/")).await;
        assert_eq!((body_text(&second).as_str(), vu.hops().len()), ("two", 1));
    });
}

#[test]
fn a_post_on_a_stale_connection_is_not() {
    let server = closes_on_the_second_request();
    run(async {
        let vu = Vu::new();
        vu.get(server.url("/")).await;
        let post = Request { body: Some(Bytes::from_static(b"x")), ..request(Method::POST, server.url("/")) };
        let response = vu.send(&post).await;
        let (code, text) = error(&response);
        assert!(matches!((code, text.as_str()), (1000, "EOF") | (1220, _)), "{code} {text}");
    });
}

#[test]
fn a_fresh_connection_that_breaks_is_an_error() {
    let server = ScriptedServer::start(vec![vec![Step::read_head()], vec![]]);
    run(async {
        let vu = Vu::new();
        let response = vu.get(server.url("/")).await;
        assert_eq!(error(&response), (1000, "EOF".to_owned()));
        assert_eq!(vu.connections.idle_count(), 0);
    });
}

#[test]
fn a_connection_closed_while_idle_is_noticed_before_use() {
    let (close, closed) = (Signal::new(), Signal::new());
    let server = ScriptedServer::start(vec![
        vec![
            Step::read_head(),
            answer("one"),
            Step::Wait(close.clone()),
            Step::Shutdown,
            Step::Fire(closed.clone()),
            Step::ReadToEnd,
        ],
        vec![Step::Read(19), Step::ReadUntil(Bytes::from_static(b"\r\n\r\nx")), answer("two")],
    ]);
    run(async {
        let vu = Vu::new();
        vu.get(server.url("/")).await;
        close.fire();
        closed.wait().await;
        // The socket's event is taken by the runtime's next turn.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        let post = Request { body: Some(Bytes::from_static(b"x")), ..request(Method::POST, server.url("/")) };
        assert_eq!(body_text(&vu.send(&post).await), "two");
    });
}

#[test]
fn bytes_nobody_asked_for_end_a_connection() {
    let pipelined = Step::write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\n");
    let server = ScriptedServer::start(vec![
        vec![Step::read_head(), pipelined, Step::ReadToEnd],
        vec![Step::read_head(), answer("two")],
    ]);
    run(async {
        let vu = Vu::new();
        assert_eq!(body_text(&vu.get(server.url("/")).await), "one");
        assert_eq!(vu.connections.idle_count(), 0);
        assert_eq!(body_text(&vu.get(server.url("/")).await), "two");
    });
}

#[test]
fn idle_connections_are_limited() {
    let target = Target::start();
    let config = ClientConfig { idle_max: 3, idle_per_host_max: 2, ..ClientConfig::default() };
    run(async {
        let vu = Vu::with(NetConfig::default(), config);
        let request = get(target.url("/get"));
        let mut ignore = |_: &_| {};
        let mut ignore_too = |_: &_| {};
        let mut ignore_three = |_: &_| {};
        tokio::join!(
            vu.client.send(&vu.connections, &request, &mut ignore),
            vu.client.send(&vu.connections, &request, &mut ignore_too),
            vu.client.send(&vu.connections, &request, &mut ignore_three),
        );
        assert_eq!(vu.connections.idle_count(), 2);
    });
}

#[test]
fn an_early_answer_ends_the_sending() {
    let rest = Signal::new();
    let script = vec![
        Step::read_head(),
        Step::write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"),
        Step::Wait(rest.clone()),
    ];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let post = Request {
            body: Some(Bytes::from(vec![b'x'; 32 << 20])),
            ..request(Method::POST, server.url("/"))
        };
        let response = vu.send(&post).await;
        assert_eq!((response.exchange.status, body_text(&response).as_str()), (413, "no"));
        assert_eq!(vu.connections.idle_count(), 0, "half a request is still on its way");
    });
    rest.fire();
}

#[test]
fn an_echo_that_answers_while_it_reads_gets_everything() {
    let size = 8 << 20;
    let script = vec![
        Step::read_head(),
        Step::write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nstart", 5 + 3)),
        Step::Read(size),
        Step::write("end"),
    ];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let post =
            Request { body: Some(Bytes::from(vec![b'x'; size])), ..request(Method::POST, server.url("/")) };
        assert_eq!(body_text(&vu.send(&post).await), "startend");
    });
}
