//! Each phase is measured where it happens: a server that waits in one phase makes that one long.

use std::rc::Rc;
use std::time::Duration;

use squall_http::Request;
use squall_net::Link;
use squall_options::{FromText as _, Network};
use squall_testing::{ScriptedServer, Signal, Step};
use tokio::time::Instant;

use crate::{Vu, error, get, run};

/// Long against everything else on loopback, short for a test.
const PAUSE: Duration = Duration::from_millis(20);

/// Fires `go_on` a pause after the server has come to `here`.
async fn pause(here: &Signal, go_on: &Signal) {
    here.wait().await;
    tokio::time::sleep(PAUSE).await;
    go_on.fire();
}

#[test]
fn a_late_first_byte_is_waiting_and_a_late_rest_receiving() {
    let [asked, first, answered, rest] = [(); 4].map(|()| Signal::new());
    let script = vec![
        Step::read_head(),
        Step::Fire(asked.clone()),
        Step::Wait(first.clone()),
        Step::write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"),
        Step::Fire(answered.clone()),
        Step::Wait(rest.clone()),
        Step::write("b"),
    ];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let pauses = async {
            pause(&asked, &first).await;
            pause(&answered, &rest).await;
        };
        let (response, ()) = tokio::join!(vu.get(server.url("/")), pauses);
        let timings = response.exchange.timings;
        assert!(timings.waiting >= PAUSE / 2, "{timings:?}");
        assert!(timings.receiving >= PAUSE / 2, "{timings:?}");
        assert!(timings.blocked >= timings.connecting, "{timings:?}");
        assert!(timings.tls_handshaking.is_zero(), "{timings:?}");
        assert_eq!(timings.duration(), timings.sending + timings.waiting + timings.receiving);
    });
}

#[test]
fn a_call_that_ends_while_it_connects_tells_the_networks_part() {
    let server = ScriptedServer::start(vec![]);
    run(async {
        let vu = Vu::new();
        let network = Network::from_text(r#"{"latency": 60000}"#).expect("a network");
        let profile = network.of_scenario("any").expect("for everyone").of_vu(1, 0);
        vu.connections.traffic().set_link(Some(Rc::new(Link::new(profile, 0, 1, Instant::now()))));
        let response = vu.send(&Request { timeout: PAUSE, ..get(server.url("/")) }).await;
        assert_eq!(error(&response).0, 1050);
        let delay = response.exchange.network_delay.expect("there is a profile");
        // All of the time but that until the dial began.
        assert!(delay.connecting >= PAUSE / 2, "{delay:?}");
        assert!(delay.transfer.is_zero(), "{delay:?}");
    });
}
