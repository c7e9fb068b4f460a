use rquickjs::{Ctx, Result};

use super::classes;
use crate::testing::evaluate;

fn install(ctx: &Ctx) -> Result<()> {
    let classes = classes(ctx)?;
    for name in ["URL", "URLSearchParams"] {
        ctx.globals().set(name, classes.get::<_, rquickjs::Value>(name)?)?;
    }
    Ok(())
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(evaluate(install, script), expected);
}

#[test]
fn parts_of_a_url() {
    check(
        "const url = new URL('https://us%20er:p@EXAMPLE.com:8080/a/../b?x=1#h');
         ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']
           .map((part) => url[part])",
        r##"["https://us%20er:p@example.com:8080/b?x=1#h","https://example.com:8080","https:","us%20er","p","example.com:8080","example.com","8080","/b","?x=1","#h"]"##,
    );
    check("const url = new URL('mailto:x@y'); [url.origin, url.pathname, url.host]", r#"["null","x@y",""]"#);
}

#[test]
fn relative_and_unusual_urls() {
    check("new URL('../x', 'http://h/a/b/c')", r#""http://h/a/x""#);
    check("new URL('http://münchen.de').host", r#""xn--mnchen-3ya.de""#);
    check("new URL('http://[::1]:80/').host", r#""[::1]""#);
    check(r"new URL('http://a/\ud83d').pathname", r#""/%EF%BF%BD""#);
}

#[test]
fn what_is_no_url() {
    check("new URL('x')", "TypeError: Invalid URL: x: relative URL without a base");
    check("new URL('x', 'y')", "TypeError: Invalid URL: x (base y): relative URL without a base");
    check(
        "[URL.canParse('http://a'), URL.canParse('a'), URL.canParse('a', 'http://b')]",
        "[true,false,true]",
    );
    check("[URL.parse('a'), URL.parse('http://a')]", r#"[null,"http://a/"]"#);
}

#[test]
fn setting_parts() {
    check(
        "const url = new URL('http://a/');
         Object.assign(url, { port: '99', hostname: 'z', pathname: 'é x', hash: 'f', protocol: 'https', username: 'u', password: 'p' });
         url",
        r##""https://u:p@z:99/%C3%A9%20x#f""##,
    );
    check("const url = new URL('http://a:1/'); url.port = 'x'; url.host = ''; url", r#""http://a:1/""#);
    check("new URL('http://a').href = 'x'", "TypeError: Invalid URL: x: relative URL without a base");
    check("'use strict'; new URL('http://a').origin = 'x'", "TypeError: no setter for property");
}

#[test]
fn a_url_and_its_params_follow_each_other() {
    check(
        "const url = new URL('http://a/?x=1'); url.searchParams.append('y', 'a b&ü'); url.search",
        r#""?x=1&y=a+b%26%C3%BC""#,
    );
    check(
        "const url = new URL('http://a/?x=1'); const { searchParams } = url; url.search = 'q=5'; [...searchParams]",
        r#"[["q","5"]]"#,
    );
    check("const url = new URL('http://a/?x=1'); url.searchParams.delete('x'); url", r#""http://a/""#);
    check(
        "const url = new URL('http://a/?x=1'); const { searchParams } = url; url.href = 'http://b?m=n'; searchParams.get('m')",
        r#""n""#,
    );
    check(
        "const url = new URL('http://a'); url.searchParams === url.searchParams && url.searchParams instanceof URLSearchParams",
        "true",
    );
}

#[test]
fn params_from_anything() {
    check("`${new URLSearchParams('?a=1&b=2&a=3&c=%20+%zz')}`", r#""a=1&b=2&a=3&c=++%25zz""#);
    check("`${new URLSearchParams({ x: 1, y: 'z' })}`", r#""x=1&y=z""#);
    check("`${new URLSearchParams(new Map([['x', '1'], ['y', '2']]))}`", r#""x=1&y=2""#);
    check("`${new URLSearchParams(new URLSearchParams('a=1&a=2'))}`", r#""a=1&a=2""#);
    check("`${new URLSearchParams()}${new URLSearchParams(null)}`", r#""null=""#);
    check("new URLSearchParams([['x']])", "TypeError: each entry must be a name and a value");
}

#[test]
fn reading_and_changing_params() {
    check(
        "const params = new URLSearchParams('a=1&b=2&a=3');
         [params.get('a'), params.get('q'), params.getAll('a'), params.has('a', '3'), params.has('a', '9'), params.size]",
        r#"["1",null,["1","3"],true,false,3]"#,
    );
    check(
        "const params = new URLSearchParams('a=1&b=2&a=3'); params.set('a', 9); params.set('n', ''); `${params}`",
        r#""a=9&b=2&n=""#,
    );
    check(
        "const params = new URLSearchParams('z=1&a=2&z=0&a=1'); params.sort(); `${params}`",
        r#""a=2&a=1&z=1&z=0""#,
    );
    check("const params = new URLSearchParams('a=1&a=2'); params.delete('a', '1'); `${params}`", r#""a=2""#);
    check("new URLSearchParams().append('x')", "TypeError: 2 arguments are needed, but only 1 present");
}

#[test]
fn iterating_over_params() {
    check(
        "const params = new URLSearchParams('a=1&b=2'); [[...params.keys()], [...params.values()]]",
        r#"[["a","b"],["1","2"]]"#,
    );
    check(
        "const seen = []; new URLSearchParams('a=1').forEach((value, name) => seen.push(name + value)); seen",
        r#"["a1"]"#,
    );
    check(
        "const params = new URLSearchParams('a=1'); let steps = 0;
         for (const _ of params) { steps += 1; if (steps < 3) params.append('k', steps); }
         steps",
        "3",
    );
}
