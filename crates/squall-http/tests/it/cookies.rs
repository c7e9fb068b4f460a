//! Jars over redirects, and the jar's own operations.

use std::cell::RefCell;
use std::rc::Rc;

use squall_http::{CookieAttributes, CookieJar, Request, response_cookies};
use squall_testing::Target;
use url::Url;

use crate::{Vu, body_json, get, run};

#[test]
fn cookies_of_a_redirect_go_along() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let jar = Rc::new(RefCell::new(CookieJar::new()));
        let request = Request { jar: Some(jar.clone()), ..get(target.url("/cookies/set?a=1&b=2")) };
        let response = vu.send(&request).await;
        assert_eq!(body_json(&response)["cookies"], serde_json::json!({ "a": "1", "b": "2" }));
        let url = Url::parse(&target.url("/")).unwrap();
        assert_eq!(jar.borrow().cookies_for_url(&url), [("a", "1"), ("b", "2")]);
        let request = Request { jar: Some(jar.clone()), ..get(target.url("/cookies/delete?a")) };
        assert_eq!(body_json(&vu.send(&request).await)["cookies"], serde_json::json!({ "b": "2" }));
        let without_jar = vu.get(target.url("/cookies/set?a=1")).await;
        assert_eq!(body_json(&without_jar)["cookies"], serde_json::json!({}));
    });
}

#[test]
fn a_response_lists_its_cookies() {
    let target = Target::start();
    let path = "/response-headers?Set-Cookie=a%3D1%3B%20Path%3D/x%3B%20Domain%3Dd.test%3B%20Max-Age%3D5%3B%20Secure\
        &Set-Cookie=b%3D%222%22%3B%20HttpOnly%3B%20Expires%3DWed%2C%2021%20Oct%202015%2007%3A28%3A00%20GMT";
    let response = run(async { Vu::new().get(target.url(path)).await });
    let cookies = response_cookies(&response.headers);
    let [first, second] = &cookies[..] else { panic!("two cookies: {cookies:?}") };
    assert_eq!((first.name.as_str(), first.value.as_str(), first.path.as_str()), ("a", "1", "/x"));
    assert_eq!((first.domain.as_str(), first.max_age_s, first.secure), ("d.test", 5, true));
    assert_eq!(first.expires_ms, -6_795_364_578_871);
    assert_eq!((second.http_only, second.secure, second.max_age_s), (true, false, 0));
    assert_eq!(second.value, "2", "quotes are no part of a value");
    assert_eq!(second.expires_ms, 1_445_412_480_000);
}

#[test]
fn loopback_is_no_reason_to_send_secure_cookies_in_the_clear() {
    let jar = Rc::new(RefCell::new(CookieJar::new()));
    let site = Url::parse("https://127.0.0.1/").unwrap();
    jar.borrow_mut().set(&site, "s", "1", &CookieAttributes { secure: true, ..Default::default() });
    let header = |url: &str| Request { jar: Some(jar.clone()), ..get(url) }.cookie_header();
    assert_eq!((header("https://127.0.0.1/"), header("http://127.0.0.1/")), ("s=1".into(), String::new()));
}

#[test]
fn a_value_cannot_smuggle_attributes_in() {
    let url = Url::parse("http://a.test/dir/").unwrap();
    let mut jar = CookieJar::new();
    jar.set(&url, "a", "1; Path=/", &CookieAttributes::default());
    assert_eq!(jar.cookies_for_url(&url), [("a", "1; Path=/")]);
    assert!(jar.cookies_for_url(&Url::parse("http://a.test/").unwrap()).is_empty());
}

#[test]
fn a_jar_keeps_to_hosts_paths_and_schemes() {
    let url = |text| Url::parse(text).unwrap();
    let mut jar = CookieJar::new();
    let site = url("https://a.example.com/dir/page");
    let domain = Some("example.com".to_owned());
    jar.set(&site, "host", "1", &CookieAttributes::default());
    jar.set(&site, "domain", "2", &CookieAttributes { domain, path: Some("/".into()), ..Default::default() });
    jar.set(&site, "secure", "3", &CookieAttributes { secure: true, ..Default::default() });
    jar.set(&site, "old", "4", &CookieAttributes { max_age_s: -1, ..Default::default() });
    let foreign = Some("other.test".to_owned());
    jar.set(&site, "foreign", "5", &CookieAttributes { domain: foreign, ..Default::default() });
    let names = |jar: &CookieJar, text| {
        let url = url(text);
        jar.cookies_for_url(&url).into_iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&jar, "https://a.example.com/dir/x"), ["host", "secure", "domain"]);
    assert_eq!(names(&jar, "http://a.example.com/dir/x"), ["host", "domain"]);
    assert_eq!(names(&jar, "https://b.example.com/dir/x"), ["domain"]);
    assert_eq!(names(&jar, "https://a.example.com/"), ["domain"]);
    jar.delete(&site, "host");
    assert_eq!(names(&jar, "https://a.example.com/dir/x"), ["secure", "domain"]);
    jar.clear(&site);
    assert!(jar.is_empty());
}
