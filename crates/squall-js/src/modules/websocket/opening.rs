//! How a socket comes about: its parameters as scripts give them, and the attempt to connect.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use rquickjs::{Atom, Coerced, Ctx, Result, Value};
use squall_http::{CookieJar, NetError, canonical_name, millis};
use squall_metrics::TagSet;
use squall_options::SystemTag;
use squall_ws::{Failed, Handshake, Response, Socket};
use url::{ParseError, Url};

use super::meter::{Facts, Meter, Naming};
use crate::{
    errors::throw_go,
    modules::{Text, http, tags_of},
    vu::VuState,
};

/// What to connect to, and how.
pub(super) struct Opening {
    /// As the script wrote it.
    pub(super) url: String,
    pub(super) naming: Naming,
    pub(super) protocols: Vec<String>,
    /// The socket may outlive its iteration.
    pub(super) is_kept: bool,
    headers: Vec<(String, String)>,
    tags: Arc<TagSet>,
    jar: Rc<RefCell<CookieJar>>,
    offers_deflate: bool,
}

/// What became of it.
pub(super) struct Opened {
    pub(super) meter: Meter,
    /// What the server answered, if it did.
    pub(super) response: Option<Response>,
    pub(super) socket: std::result::Result<Socket, NetError>,
}

impl Opening {
    /// An opening without parameters.
    pub(super) fn new(vu: &VuState, url: String, naming: Naming) -> Opening {
        Opening {
            url,
            naming,
            protocols: Vec::new(),
            is_kept: false,
            headers: Vec::new(),
            tags: vu.tags.current(),
            jar: http::jar(vu),
            offers_deflate: false,
        }
    }

    /// Reads the parameters. `k6/ws` ignores those that it does not know, `k6/websockets` throws.
    pub(super) fn read_params<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        vu: &VuState,
        params: &Value<'js>,
    ) -> Result<()> {
        let Some(params) = params.as_object() else { return Ok(()) };
        for entry in params.props::<Atom, Value>() {
            let (key, value) = entry?;
            let is_missing = value.is_undefined() || value.is_null();
            match &*Text::of_name(&key)? {
                "headers" if !is_missing => self.read_headers(&value)?,
                "tags" => {
                    let mut tags = tags_of(ctx, &value)?;
                    self.tags = vu.worker.tag_cache.with_custom(&self.tags, &mut tags);
                }
                "jar" if !is_missing => self.jar = http::jar_of_value(ctx, &value)?,
                "headers" | "jar" => {}
                "compression" => {
                    let algorithm = value.get::<Coerced<String>>()?.0;
                    if algorithm.trim() != "deflate" {
                        let message = format!(
                            "unsupported compression algorithm '{}', supported algorithm is 'deflate'",
                            algorithm.trim()
                        );
                        return Err(throw_go(ctx, &message));
                    }
                    self.offers_deflate = true;
                }
                "keepAcrossIterations" if self.naming == Naming::NameAndUrl => {
                    self.is_kept = value.get::<Coerced<bool>>()?.0;
                }
                unknown if self.naming == Naming::NameAndUrl => {
                    return Err(throw_go(ctx, &format!("unknown WebSocket's option {unknown}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Of headers that differ in case only the last one counts.
    fn read_headers(&mut self, value: &Value) -> Result<()> {
        let Some(headers) = value.as_object() else { return Ok(()) };
        for entry in headers.props::<String, Coerced<String>>() {
            let (name, value) = entry?;
            self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            self.headers.push((canonical_name(&name), value.0));
        }
        Ok(())
    }

    /// Connects, and records that.
    pub(super) async fn connect(&self, vu: &VuState) -> Opened {
        let started = vu.worker.clock.now();
        let outcome = self.shake_hands(vu).await;
        let (socket, response, took, remote) = match outcome {
            Ok(it) => (Ok(it.socket), Some(it.response), [it.connecting, it.network_delay], Some(it.remote)),
            Err(Failed { error, response, connecting, network_delay }) => {
                (Err(error), response, [connecting, network_delay], None)
            }
        };
        let answer = response.as_ref().map(|response| {
            let protocol = response.header("Sec-WebSocket-Protocol").unwrap_or_default();
            // k6/websockets knows it of open sockets only.
            let is_known = socket.is_ok() || self.naming == Naming::Url;
            (response.status, if is_known { protocol } else { "" })
        });
        let has_ip = vu.worker.settings.has_tag(SystemTag::Ip);
        let ip = remote.filter(|_| has_ip).map(|remote| remote.ip());
        let facts = Facts { url: &self.url, naming: self.naming, answer, ip };
        let meter = Meter::new(vu, &self.tags, &facts, started, took.map(millis));
        Opened { meter, response, socket }
    }

    async fn shake_hands(&self, vu: &VuState) -> std::result::Result<squall_ws::Connected, Failed> {
        let failed = |text: String| Failed {
            error: NetError::generic(text),
            response: None,
            connecting: Default::default(),
            network_delay: Default::default(),
        };
        let malformed = || failed("malformed ws or wss URL".to_owned());
        let url = Url::parse(&self.url).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase => malformed(),
            error => failed(format!("parse {:?}: {error}", self.url)),
        })?;
        // Cookies go by the scheme of the request that asks for the upgrade.
        let mut http_url = url.clone();
        let scheme = if url.scheme() == "wss" { "https" } else { "http" };
        if !matches!(url.scheme(), "ws" | "wss") || http_url.set_scheme(scheme).is_err() {
            return Err(malformed());
        }
        let client = &vu.worker.client;
        let cookies = self.jar.borrow().header_for_url(&http_url);
        let handshake = Handshake {
            url: &url,
            headers: &self.headers,
            protocols: &self.protocols,
            offers_deflate: self.offers_deflate,
            user_agent: client.user_agent(),
            cookies: &cookies,
        };
        let outcome = squall_ws::connect(client.dialer(), vu.id_in_test, &vu.traffic, handshake).await;
        let response = match &outcome {
            Ok(connected) => Some(&connected.response),
            Err(failed) => failed.response.as_ref(),
        };
        for (_, cookie) in response
            .iter()
            .flat_map(|response| &response.headers)
            .filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"))
        {
            self.jar.borrow_mut().store_line(&http_url, cookie);
        }
        outcome
    }
}
