//! Each phase is measured where it happens: a server that waits in one phase makes that one long.

use std::time::Duration;

use squall_testing::{ScriptedServer, Signal, Step};

use crate::{Vu, run};

/// Long against everything else on loopback, short for a test.
const PAUSE: Duration = Duration::from_millis(20);

/// Fires a signal after a pause of the client's.
async fn fire_later(signal: Signal) {
    tokio::time::sleep(PAUSE).await;
    signal.fire();
}

#[test]
fn a_late_first_byte_is_waiting_and_a_late_rest_receiving() {
    let (first, rest) = (Signal::new(), Signal::new());
    let script = vec![
        Step::read_head(),
        Step::Wait(first.clone()),
        Step::write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"),
        Step::Wait(rest.clone()),
        Step::write("b"),
    ];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let fire = async {
            fire_later(first).await;
            fire_later(rest).await;
        };
        let (response, ()) = tokio::join!(vu.get(server.url("/")), fire);
        let timings = response.exchange.timings;
        assert!(timings.waiting >= PAUSE / 2, "{timings:?}");
        assert!(timings.receiving >= PAUSE / 2, "{timings:?}");
        assert!(timings.sending < PAUSE / 2, "{timings:?}");
        assert!(timings.blocked >= timings.connecting, "{timings:?}");
        assert!(timings.tls_handshaking.is_zero(), "{timings:?}");
        assert_eq!(timings.duration(), timings.sending + timings.waiting + timings.receiving);
    });
}
