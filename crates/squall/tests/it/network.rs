//! Bad networks from flag, variable and options to metrics and error codes.
//!
//! The scripts judge themselves with thresholds: exit code 0 says that they hold.

use squall_testing::Target;

use crate::sandbox::{Output, Sandbox};

/// Requests over HTTP/1.1, HTTP/2 and a WebSocket.
const ALL_PROTOCOLS: &str = "
    import http from 'k6/http';
    import ws from 'k6/ws';
    export const options = {
        iterations: 1, insecureSkipTLSVerify: true,
        thresholds: {
            'http_req_duration{network:hut}': ['min>=150', 'max<3000'],
            'network_delay{network:hut}': ['min>=150', 'max<3000'],
            'network_connect_delay{proto:HTTP/1.1}': ['max>=150', 'min==0'],
            'network_connect_delay{proto:HTTP/2.0}': ['max>=340', 'min==0'],
            http_req_tls_handshaking: ['max>=190'],
            ws_connecting: ['min>=300'],
        },
    };
    export default function () {
        const plain = http.get(`${__ENV.PLAIN}/bytes/30000`, { responseType: 'binary' });
        if (plain.body.byteLength !== 30000) throw new Error(`got ${plain.body.byteLength} bytes`);
        http.post(`${__ENV.PLAIN}/post`, 'x'.repeat(5000));
        for (let i = 0; i < 2; i++) {
            const secure = http.get(`${__ENV.SECURE}/get`);
            if (secure.proto !== 'HTTP/2.0') throw new Error(`spoke ${secure.proto}`);
        }
        const started = Date.now();
        ws.connect(`${__ENV.PLAIN.replace('http', 'ws')}/ws/echo`, (socket) => {
            socket.on('open', () => socket.send('hello'));
            socket.on('message', (text) => { console.log(`said ${text}`); socket.close(); });
        });
        if (Date.now() - started < 450) throw new Error('three round trips, and it was faster');
    }";

const HUT: &str = r#"{ "name": "hut", "latency": "150ms", "jitter": "0s", "tls": { "delay": "40ms" } }"#;

fn sandbox(target: &Target, script: &str) -> Sandbox {
    Sandbox::with_script(script).env("PLAIN", target.url("")).env("SECURE", target.https_url(""))
}

#[track_caller]
fn check_all_protocols(output: &Output) {
    output.check(0, "said hello");
    output.check_iterations(1);
}

#[test]
fn a_flag_may_name_a_file() {
    let target = Target::start();
    let sandbox = sandbox(&target, ALL_PROTOCOLS).file("hut.json", HUT);
    check_all_protocols(&sandbox.run(&["--network", "hut.json"]));
}

#[test]
fn a_variable_may_hold_json() {
    let target = Target::start();
    check_all_protocols(&sandbox(&target, ALL_PROTOCOLS).env("SQUALL_NETWORK", HUT).run(&[]));
}

#[test]
fn without_a_profile_nothing_shows() {
    let target = Target::start();
    let script = "import http from 'k6/http';
        export const options = { network: 'satellite', iterations: 1, thresholds: { http_req_duration: ['max<300'] } };
        export default () => http.get(`${__ENV.PLAIN}/get`);";
    let output = sandbox(&target, script).run(&["--network", "none"]);
    output.check(0, "");
    assert!(
        output.stdout.contains("http_req_duration") && !output.stdout.contains("network_"),
        "{}",
        output.stdout
    );
}

#[test]
fn faults_are_k6s_errors_and_are_counted() {
    let target = Target::start();
    let script = "
        import http from 'k6/http';
        const once = (exec) => ({ executor: 'shared-iterations', iterations: 4, exec });
        export const options = {
            insecureSkipTLSVerify: true,
            scenarios: {
                reset: once('reset'), unnamed: once('unnamed'), late: once('late'),
                fine: { ...once('fine'), network: 'none' },
            },
            network: { scenarios: {
                reset: { latency: 4, resets: '100%' },
                unnamed: { latency: 4, dns: { delay: '20ms', failure: 1 } },
                late: { latency: 4, stalls: { chance: 1, duration: '10s' } },
                fine: { latency: '10s' },
            } },
            thresholds: {
                'network_faults{scenario:reset,fault:reset}': ['count==4'],
                'network_faults{scenario:unnamed,fault:dns}': ['count==4'],
                'network_faults{scenario:late,fault:stall}': ['count==4'],
                'http_req_failed{scenario:fine}': ['rate==0'],
                'network_connect_delay{scenario:unnamed}': ['min>=20'],
                'network_delay{scenario:late}': ['min>=190'],
            },
        };
        const expect = (response, code) => {
            if (response.error_code !== code) throw new Error(`${response.error_code} ${response.error}`);
        };
        export const reset = () => expect(http.post(`${__ENV.PLAIN}/post`, 'x'), 1220);
        export const unnamed = () => expect(http.get(`${__ENV.SECURE}/get`), 1100);
        export const late = () => expect(http.get(`${__ENV.PLAIN}/get`, { timeout: '200ms' }), 1050);
        export const fine = () => expect(http.get(`${__ENV.PLAIN}/get`), 0);";
    let output = sandbox(&target, script).run(&[]);
    output.check(0, "");
    assert!(!output.stderr.contains("Error:"), "{}", output.stderr);
    output.check_iterations(16);
}

#[test]
fn shares_of_the_vus_have_networks_of_their_own() {
    let target = Target::start();
    let script = "
        import http from 'k6/http';
        export const options = {
            scenarios: { all: { executor: 'per-vu-iterations', vus: 10, iterations: 3 } },
            network: { seed: 5, shares: [
                { weight: 60, profile: { name: 'near', latency: 20 } },
                { weight: 40, profile: { name: 'far', latency: 90 } },
            ] },
            thresholds: {
                'http_reqs{network:near}': ['count>=15', 'count<=21'],
                'http_reqs{network:far}': ['count>=9', 'count<=15'],
                'network_delay{network:near}': ['min>=20', 'med<80'],
                'network_delay{network:far}': ['min>=90'],
            },
        };
        export default () => http.get(`${__ENV.PLAIN}/get`);";
    let output = sandbox(&target, script).run(&[]);
    output.check(0, "");
    output.check_iterations(30);
}

#[test]
fn events_count_from_the_start_of_the_test() {
    let target = Target::start();
    let script = "
        import http from 'k6/http';
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = {
            duration: '1500ms',
            network: { latency: 10, events: [{ at: '1s', resets: 1 }] },
            thresholds: { 'http_req_failed{late:false}': ['rate==0'], 'http_req_failed{late:true}': ['rate==1'] },
        };
        export const setup = () => sleep(0.4);
        export default () => {
            const now = exec.instance.currentTestRunDuration;
            // What is on the edge may be either.
            if (now > 700 && now < 1000) return sleep(0.35);
            http.post(`${__ENV.PLAIN}/post`, 'x', { tags: { late: String(now > 1000) } });
        };";
    let output = sandbox(&target, script).run(&[]);
    output.check(0, "Request Failed");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let script = "import { Trend } from 'k6/metrics'; const own = new Trend('network_delay');
        export const options = { iterations: 1, network: { scenarios: { nobody: '3g' } } };
        export default () => own.add(1);";
    let run = |arguments: &[&str]| Sandbox::with_script(script).run(arguments);
    run(&["--network", "5g"]).check(255, "--network: unknown network \\\"5g\\\" (expected none, slow-3g");
    run(&["--network", "nope.json"]).check(255, "/nope.json: No such file");
    run(&["--network", "3g"]).check(104, "metric 'network_delay' already exists");
    run(&[]).check(0, "options.network.scenarios.nobody has no effect: there is no such scenario");
    let variable = Sandbox::with_script(script).env("SQUALL_NETWORK", "{\"loss\": 7}").run(&[]);
    variable.check(104, "SQUALL_NETWORK: network.loss: expected a share");
}
