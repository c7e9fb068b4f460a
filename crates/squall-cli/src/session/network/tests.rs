//! Scripts that import over https, from a server in this process.

use squall_testing::{Authority, ScriptedServer, Step, Validity};

use crate::{
    exit_code::ExitCode,
    testing::{Output, Sandbox},
};

fn found(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

fn missing() -> String {
    "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned()
}

/// A server that gives these answers, one a connection.
fn server(authority: &Authority, answers: &[String]) -> ScriptedServer {
    let config = authority.server(&["localhost"], Validity::Current).server_config(&["http/1.1"], None);
    let script = |answer: &String| vec![Step::read_head(), Step::write(answer)];
    ScriptedServer::start_tls(config, answers.iter().map(script).collect())
}

/// A sandbox that trusts `authority` and has its cache of modules inside.
fn sandbox(authority: &Authority) -> Sandbox {
    let sandbox = Sandbox::new().file("ca.pem", &authority.pem());
    let (ca, cache) = (sandbox.path("ca.pem"), sandbox.path("cache"));
    let utf8 = |path: &std::path::Path| path.to_str().expect("it is UTF-8").to_owned();
    sandbox.env("SSL_CERT_FILE", &utf8(&ca)).env("XDG_CACHE_HOME", &utf8(&cache))
}

/// A script that imports `value` from a URL and logs it while it is loaded, which happens on the test's thread.
fn importing(url: &str) -> String {
    format!("import {{ value }} from '{url}'; console.log('got', value); export default () => {{}};")
}

fn run_with_import(sandbox: Sandbox, url: &str) -> Output {
    sandbox.file("a.js", &importing(url)).run("run --quiet a.js")
}

#[test]
fn remote_modules_are_fetched_once_and_then_come_from_the_cache() {
    let authority = Authority::new();
    let module = "import { one } from './parts/one.js'; import { two } from './two.cjs'; export const value = one + two;";
    let answers =
        [found(module), found("export const one = 1;"), found("const other = 2; exports.two = other;")];
    let server = server(&authority, &answers);
    let sandbox = sandbox(&authority).file("a.js", &importing(&server.https_url("/lib/main.js")));
    let output = sandbox.run("run --quiet a.js");
    assert_eq!(output.exit_code, ExitCode::Success, "{}", output.stderr);
    assert!(output.stderr.contains("got 3"), "{}", output.stderr);
    let asked = |number| server.received_text(number).lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        [asked(0), asked(1), asked(2)],
        ["/lib/main.js", "/lib/parts/one.js", "/lib/two.cjs"]
            .map(|path| format!("GET {path}?_k6=1 HTTP/1.1"))
    );
    drop(server);
    let again = sandbox.run("run --quiet a.js");
    assert!(again.stderr.contains("got 3"), "{}", again.stderr);
}

#[test]
fn a_server_that_does_not_know_k6_is_asked_again() {
    let authority = Authority::new();
    let server = server(&authority, &[missing(), found("export const value = 1;")]);
    let output = run_with_import(sandbox(&authority), &server.https_url("/a.js?v=2"));
    assert!(output.stderr.contains("got 1"), "{}", output.stderr);
    assert!(server.received_text(0).starts_with("GET /a.js?v=2&_k6=1 "));
    assert!(server.received_text(1).starts_with("GET /a.js?v=2 "));
}

#[test]
fn what_cannot_be_fetched_ends_the_run() {
    let authority = Authority::new();
    let check = |sandbox: Sandbox, url: &str, reason: &str| {
        let output = run_with_import(sandbox, url);
        assert_eq!(output.exit_code, ExitCode::ScriptException, "{}", output.stderr);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
    };
    let without = server(&authority, &[missing(), missing()]);
    check(sandbox(&authority), &without.https_url("/a.js"), "the server answered 404 Not Found");
    let untrusted = server(&authority, &[missing(), missing()]);
    check(sandbox(&Authority::new()), &untrusted.https_url("/a.js"), "x509: unknown authority");
    check(sandbox(&authority), "http://localhost/a.js", "https");
}
