//! Sockets of scripts, against a server of this process. What k6 does too is in `compat/scripts`.

use squall_metrics::builtin;
use squall_testing::Target;

use crate::harness::run_connected;

/// A script of one VU whose default function is `body`.
fn script(target: &Target, iterations: u32, before: &str, body: &str) -> String {
    let url = target.url("").replace("http", "ws");
    format!(
        "import {{ Blob, WebSocket }} from 'k6/websockets';
        import ws from 'k6/ws';
        import {{ sleep }} from 'k6';
        import http from 'k6/http';
        const url = '{url}';
        export const options = {{ vus: 1, iterations: {iterations} }};
        {before}
        export default function () {{ {body} }}"
    )
}

#[test]
fn a_socket_outlives_its_iteration_when_the_script_says_so() {
    let target = Target::start();
    let body = "
        if (!socket) {
            socket = new WebSocket(`${url}/ws/echo`, null, { keepAcrossIterations: true });
            socket.onclose = () => console.log('never');
            return new Promise((resolve) => (socket.onopen = () => { console.log(`${__ITER} open`); resolve(); }));
        }
        console.log(`${__ITER} ${socket.readyState}`);
        socket.send(`${__ITER}`);
        return new Promise((resolve) => {
            socket.onmessage = ({ data }) => { console.log(`${__ITER} heard ${data}`); resolve(); };
        });";
    let ran = run_connected(&script(&target, 3, "let socket;", body));
    ran.check_log(&["info 0 open", "info 1 1", "info 1 heard 1", "info 2 1", "info 2 heard 2"]);
    assert_eq!(ran.count(builtin::WS_SESSIONS), 1);
    assert_eq!(ran.count(builtin::WS_SESSION_DURATION), 1, "it is closed when the VU's work is over");
}

#[test]
fn what_comes_between_iterations_is_handled_by_the_next() {
    let target = Target::start();
    let body = "
        if (socket) return new Promise((resolve) => (hear = resolve));
        socket = new WebSocket(`${url}/ws/echo`, null, { keepAcrossIterations: true });
        socket.onmessage = ({ data }) => { console.log(`${__ITER} heard ${data}`); hear(); };
        return new Promise((resolve) => (socket.onopen = resolve)).then(() => socket.send('late'));";
    let ran = run_connected(&script(&target, 2, "let socket, hear;", body));
    ran.check_log(&["info 1 heard late"]);
}

#[test]
fn a_socket_that_outlives_iterations_holds_none() {
    let target = Target::start();
    let body = "
        new WebSocket(`${url}/ws/silent`, null, { keepAcrossIterations: true });
        console.log(__ITER);";
    let ran = run_connected(&script(&target, 2, "", body));
    ran.check_log(&["info 0", "info 1"]);
}

#[test]
fn a_socket_of_setup_ends_with_it() {
    let target = Target::start();
    let before = "export function setup() {
        const socket = new WebSocket(`${url}/ws/echo`, null, { keepAcrossIterations: true });
        return new Promise((resolve) => (socket.onopen = () => resolve('open')));
    }";
    let ran = run_connected(&script(&target, 1, before, "console.log('iterates')"));
    ran.check_log(&["info iterates"]);
    assert_eq!(ran.count(builtin::WS_SESSION_DURATION), 1);
}

#[test]
fn messages_wait_while_the_script_sleeps() {
    let target = Target::start();
    let body = "
        const socket = new WebSocket(`${url}/ws/count/3`);
        let slept = false;
        socket.onopen = () => { sleep(0.1); slept = true; };
        socket.onmessage = ({ data }) => console.log(slept, data);
        socket.onclose = ({ code }) => console.log(slept, code);";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info true 0", "info true 1", "info true 2", "info true 1000"]);
}

#[test]
fn what_is_said_on_opening_is_said_though_the_server_has_left() {
    let target = Target::start();
    let body = "
        // What the server says, its farewell too, has come when the others are through.
        const socket = new WebSocket(`${url}/ws/count/1`);
        socket.onopen = () => { socket.send('hello'); console.log('said'); };
        socket.onmessage = ({ data }) => console.log(data);
        for (let i = 0; i < 3; i++) ws.connect(`${url}/ws/count/1`, () => {});";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info said", "info 0"]);
    assert_eq!(ran.count(builtin::WS_MSGS_SENT), 1);
}

#[test]
fn pings_are_answered_while_the_script_waits_for_something_else() {
    let target = Target::start();
    let body = "
        const socket = new WebSocket(`${url}/ws/ping?timed`);
        socket.onopen = () => {
            socket.send('a');
            http.get(`${url.replace('ws', 'http')}/delay-ms/1000`);
        };
        socket.onmessage = ({ data }) => { console.log(Number(data) < 900); socket.close(); };";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info true"]);
}

#[test]
fn a_server_has_to_wait_for_a_script_that_does_not_listen() {
    let target = Target::start();
    // Far more than the socket and the system keep: the last of them can only be said when the script has woken up.
    let body = "
        const socket = new WebSocket(`${url}/ws/flood/1000/60000`);
        let [count, last] = [0, 0];
        socket.onmessage = ({ data }) => {
            last = Number(data);
            if (count++ == 0) sleep(0.5);
        };
        socket.onclose = () => console.log(count, last >= 400);";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info 1000 true"]);
}

#[test]
fn what_a_socket_is_and_takes() {
    let target = Target::start();
    let body = "
        const socket = new WebSocket(`${url}/ws/echo`, ['one', 'two']);
        console.log(WebSocket.OPEN, WebSocket.CLOSED, socket.CONNECTING, socket.onopen, socket.constructor === WebSocket);
        const heard = [];
        socket.onopen = () => {
            socket.send(new Blob(['bl', 'ob']));
            socket.send(new DataView(new Uint8Array([65, 66, 67]).buffer, 1));
            socket.send(new Uint16Array([0x4443]));
            socket.send('\\ud800');
            console.log(typeof socket.onopen);
        };
        socket.onmessage = async ({ data }) => {
            heard.push(typeof data === 'string' ? data : await data.text());
            if (heard.length == 4) { console.log(heard.sort().join()); socket.close(3001, 'enough'); }
        };
        socket.onclose = ({ code, reason }) => console.log(code, reason);";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info 1 3 0 null true", "info function", "info BC,CD,blob,\u{fffd}", "info 3001 enough"]);
}

#[test]
fn a_script_may_close_what_is_not_open_yet() {
    let target = Target::start();
    let body = "
        const socket = new WebSocket(`${url}/ws/echo`);
        socket.onopen = () => console.log('never');
        socket.onclose = ({ code, reason }) => console.log(code, reason, socket.readyState);
        socket.close(4000, 'no matter');
        console.log(socket.readyState);";
    let ran = run_connected(&script(&target, 1, "", body));
    ran.check_log(&["info 2", "info 4000 no matter 3"]);
}

#[test]
fn an_exception_ends_all_sockets_of_the_iteration_and_the_next_one_begins() {
    let target = Target::start();
    let body = "
        const other = new WebSocket(`${url}/ws/echo`);
        other.onclose = () => console.log('never');
        const socket = new WebSocket(`${url}/ws/count/1`);
        other.onopen = () => (socket.onmessage = () => { throw new Error(`boom ${__ITER}`); });
        socket.onmessage = () => { throw new Error(`boom ${__ITER}`); };";
    let ran = run_connected(&script(&target, 2, "", body));
    let errors: Vec<bool> = ran.log.iter().map(|line| line.starts_with("error Error: boom")).collect();
    assert_eq!(errors, [true, true], "{:?}", ran.log);
    assert_eq!(ran.count(builtin::ITERATIONS), 2);
}

#[test]
fn a_blocking_socket_s_first_exception_counts() {
    let target = Target::start();
    let body = "
        ws.connect(`${url}/ws/echo`, (socket) => {
            socket.on('close', (code) => { console.log(code); throw new Error('second'); });
            socket.on('open', () => { throw new Error('first'); });
        });";
    let ran = run_connected(&script(&target, 1, "", body));
    assert_eq!(ran.log[0], "info 1001");
    assert!(ran.log[1].starts_with("error Error: first"), "{:?}", ran.log);
}
