//! Which responses count as failed: `expectedStatuses`, `setResponseCallback`, the `responseCallback` parameter.

use std::rc::Rc;

use rquickjs::{
    Class, Ctx, JsLifetime, Object, Result, Value,
    class::Trace,
    function::{Opt, Rest},
};
use squall_http::Exchange;

use crate::{classes, errors::throw_go, vu};

/// What a script expects of responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// Nothing: neither `http_req_failed` nor `expected_response` exist.
    None,
    /// Any of these ranges, both ends included.
    Statuses(Rc<[(u16, u16)]>),
}

impl Default for Expectation {
    fn default() -> Expectation {
        Expectation::Statuses(Rc::new([(200, 399)]))
    }
}

impl Expectation {
    /// Whether the exchange is as expected; `None` when nothing is.
    pub(super) fn holds(&self, exchange: &Exchange) -> Option<bool> {
        match self {
            Expectation::None => None,
            Expectation::Statuses(_) if exchange.expected_401 => Some(true),
            Expectation::Statuses(ranges) => {
                Some(ranges.iter().any(|&(min, max)| (min..=max).contains(&exchange.status)))
            }
        }
    }

    /// Reads what `expectedStatuses` returned, or null.
    pub(super) fn from_js(ctx: &Ctx, value: &Value) -> Result<Expectation> {
        if value.is_null() || value.is_undefined() {
            return Ok(Expectation::None);
        }
        let statuses = value.as_object().and_then(Class::<ExpectedStatuses>::from_object);
        match statuses {
            Some(statuses) => Ok(Expectation::Statuses(Rc::clone(&statuses.borrow().ranges))),
            None => Err(throw_go(ctx, "unsupported responseCallback: use http.expectedStatuses(…) or null")),
        }
    }
}

/// What `expectedStatuses` returns: opaque to scripts.
#[derive(JsLifetime, Trace)]
#[rquickjs::class]
pub(super) struct ExpectedStatuses {
    #[qjs(skip_trace)]
    ranges: Rc<[(u16, u16)]>,
}

pub(super) fn expected_statuses<'js>(
    ctx: Ctx<'js>,
    arguments: Rest<Value<'js>>,
) -> Result<Class<'js, ExpectedStatuses>> {
    if arguments.is_empty() {
        return Err(throw_go(
            &ctx,
            "expectedStatuses() needs at least one status or range such as {min: 200, max: 299}",
        ));
    }
    let ranges = arguments.iter().enumerate().map(|(index, argument)| {
        range(argument).ok_or_else(|| {
            throw_go(&ctx, &format!("expectedStatuses() takes statuses and ranges such as {{min: 200, max: 299}}; argument {} is neither", index + 1))
        })
    });
    let ranges = ranges.collect::<Result<_>>()?;
    classes::instance(&ctx, ExpectedStatuses { ranges })
}

fn range(argument: &Value) -> Option<(u16, u16)> {
    if let Some(status) = argument.as_number() {
        let status = status_of(status)?;
        return Some((status, status));
    }
    let object: &Object = argument.as_object()?;
    let bound = |key: &str| status_of(object.get::<_, f64>(key).ok()?);
    Some((bound("min")?, bound("max")?))
}

fn status_of(number: f64) -> Option<u16> {
    (number.fract() == 0.0 && (0.0..=65_535.0).contains(&number)).then_some(number as u16)
}

/// Sets what this VU expects of all its responses.
pub(super) fn set_response_callback<'js>(ctx: Ctx<'js>, callback: Opt<Value<'js>>) -> Result<()> {
    let Some(callback) = callback.0 else {
        return Err(throw_go(&ctx, "setResponseCallback needs http.expectedStatuses(…) or null"));
    };
    let expectation = Expectation::from_js(&ctx, &callback)?;
    *super::state(&vu::current()).expectation.borrow_mut() = expectation;
    Ok(())
}
