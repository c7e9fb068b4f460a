//! `http.cookieJar()` and `new http.CookieJar()`.

use std::{cell::RefCell, rc::Rc};

use rquickjs::{
    Class, Coerced, Ctx, JsLifetime, Object, Result, Value,
    class::Trace,
    function::{Constructor, Opt},
};
use squall_http::{CookieAttributes, CookieJar};
use url::Url;

use super::state;
use crate::{classes, errors::throw_go, vu};

/// A jar in a script's hands.
#[derive(JsLifetime, Trace)]
#[rquickjs::class(rename = "CookieJar")]
pub(super) struct Jar {
    #[qjs(skip_trace)]
    jar: Rc<RefCell<CookieJar>>,
}

#[rquickjs::methods]
impl Jar {
    /// The cookies that go to `url`: name → values.
    #[qjs(rename = "cookiesForURL")]
    fn cookies_for_url<'js>(&self, ctx: Ctx<'js>, url: Coerced<String>) -> Result<Object<'js>> {
        let url = parse_url(&ctx, &url.0)?;
        let jar = self.jar.borrow();
        let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in jar.cookies_for_url(&url) {
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => names.push((name, vec![value])),
            }
        }
        let object = Object::new(ctx)?;
        for (name, values) in names {
            object.set(name, values)?;
        }
        Ok(object)
    }

    fn set<'js>(
        &self,
        ctx: Ctx<'js>,
        url: Coerced<String>,
        name: Coerced<String>,
        value: Coerced<String>,
        attributes: Opt<Value<'js>>,
    ) -> Result<bool> {
        let url = parse_url(&ctx, &url.0)?;
        let attributes = attributes
            .0
            .as_ref()
            .and_then(Value::as_object)
            .map_or(Ok(CookieAttributes::default()), attributes_of)?;
        self.jar.borrow_mut().set(&url, &name.0, &value.0, &attributes);
        Ok(true)
    }

    fn clear(&self, ctx: Ctx<'_>, url: Coerced<String>) -> Result<()> {
        let url = parse_url(&ctx, &url.0)?;
        self.jar.borrow_mut().clear(&url);
        Ok(())
    }

    fn delete(&self, ctx: Ctx<'_>, url: Coerced<String>, name: Coerced<String>) -> Result<()> {
        let url = parse_url(&ctx, &url.0)?;
        self.jar.borrow_mut().delete(&url, &name.0);
        Ok(())
    }
}

fn attributes_of(object: &Object) -> Result<CookieAttributes> {
    let text = |key: &str| {
        Ok::<_, rquickjs::Error>(object.get::<_, Option<Coerced<String>>>(key)?.map(|text| text.0))
    };
    let flag = |key: &str| {
        Ok::<_, rquickjs::Error>(object.get::<_, Option<Coerced<bool>>>(key)?.is_some_and(|flag| flag.0))
    };
    Ok(CookieAttributes {
        domain: text("domain")?,
        path: text("path")?,
        expires: text("expires")?,
        max_age_s: object.get::<_, Option<Coerced<f64>>>("max_age")?.map_or(0, |age| age.0 as i64),
        secure: flag("secure")?,
        http_only: flag("http_only")?,
    })
}

fn parse_url(ctx: &Ctx, text: &str) -> Result<Url> {
    Url::parse(text).map_err(|error| throw_go(ctx, &format!("invalid URL {text:?}: {error}")))
}

/// The running VU's jar.
pub(super) fn of_vu<'js>(ctx: Ctx<'js>) -> Result<Class<'js, Jar>> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "cookieJar() works only in the functions that VUs run"));
    }
    classes::instance(&ctx, Jar { jar: state(&vu).jar() })
}

pub(super) fn constructor<'js>(ctx: &Ctx<'js>) -> Result<Constructor<'js>> {
    classes::constructor::<Jar, _, _>(ctx, |ctx: Ctx<'js>| {
        classes::instance(&ctx, Jar { jar: Rc::default() })
    })
}

/// The `jar` parameter of a request.
pub(crate) fn from_js(ctx: &Ctx, value: &Value) -> Result<Rc<RefCell<CookieJar>>> {
    match value.as_object().and_then(Class::<Jar>::from_object) {
        Some(jar) => Ok(Rc::clone(&jar.borrow().jar)),
        None => Err(throw_go(
            ctx,
            "the jar parameter must be a cookie jar: http.cookieJar() or new http.CookieJar()",
        )),
    }
}
