//! Basic and digest authentication.

use squall_http::{Auth, Method, Request};
use squall_testing::Target;

use crate::{Vu, body_json, get, request, run};

fn with_userinfo(url: String, userinfo: &str) -> String {
    url.replace("://", &format!("://{userinfo}@"))
}

#[test]
fn basic_credentials_are_sent_at_once() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let url = with_userinfo(target.url("/basic-auth/user/pass"), "user:pass");
        assert_eq!(body_json(&vu.get(url).await)["authenticated"], true);
        assert_eq!(vu.hops(), ["GET /basic-auth/user/pass 200"]);
        assert_eq!(vu.get(target.url("/basic-auth/user/pass")).await.exchange.status, 401);
    });
}

#[test]
fn digest_takes_two_requests_and_the_first_may_fail() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        for (path, method) in
            [("/digest-auth/auth/u/p", Method::GET), ("/digest-auth/none/u/p?q=1", Method::POST)]
        {
            let url = with_userinfo(target.url(path), "u:p");
            let response = vu.send(&Request { auth: Auth::Digest, ..request(method, url) }).await;
            assert_eq!(body_json(&response)["authenticated"], true, "{path}");
            let marks: Vec<_> = vu
                .exchanges
                .borrow()
                .iter()
                .map(|exchange| (exchange.status, exchange.expected_401))
                .collect();
            assert_eq!(marks, [(401, true), (200, false)]);
        }
    });
}

#[test]
fn a_wrong_password_is_a_failure() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let url = with_userinfo(target.url("/digest-auth/auth/u/p"), "u:wrong");
        let response = vu.send(&Request { auth: Auth::Digest, ..get(url) }).await;
        assert_eq!((response.exchange.status, response.exchange.expected_401), (401, false));
        assert_eq!(vu.hops().len(), 2);
    });
}
