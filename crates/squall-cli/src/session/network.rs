//! From options to the HTTP client of a worker thread.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use squall_http::{Client, ClientConfig, Connections, Method, RateLimiter, Request};
use squall_net::{Dialer, NetConfig};
use squall_options::Options;
use url::Url;

use crate::error::{Error, Result};

/// Makes the clients of a run: one a thread, all with the same dialer, DNS cache and rate limit.
pub(crate) fn client_maker(
    options: &Options,
    env: &BTreeMap<String, String>,
) -> Result<Arc<dyn Fn() -> Client + Send + Sync>> {
    let dialer = dialer(options, env)?;
    let rate_limit = options
        .rps
        .filter(|&rps| rps > 0)
        .map(|rps| Arc::new(RateLimiter::new(u32::try_from(rps).unwrap_or(u32::MAX))));
    let user_agent = options.user_agent.clone();
    let no_connection_reuse = options.no_connection_reuse == Some(true);
    let idle_max = options.batch.map(|batch| usize::try_from(batch).unwrap_or(usize::MAX));
    let idle_per_host_max = options.batch_per_host.map(|batch| usize::try_from(batch).unwrap_or(usize::MAX));
    Ok(Arc::new(move || {
        let defaults = ClientConfig::default();
        let config = ClientConfig {
            user_agent: user_agent.clone().unwrap_or(defaults.user_agent),
            no_connection_reuse,
            idle_max: idle_max.unwrap_or(defaults.idle_max),
            idle_per_host_max: idle_per_host_max.unwrap_or(defaults.idle_per_host_max),
            rate_limit: rate_limit.clone(),
        };
        Client::new(Arc::clone(&dialer), config)
    }))
}

fn dialer(options: &Options, env: &BTreeMap<String, String>) -> Result<Arc<Dialer>> {
    let config = NetConfig::from_options(options, |name| env.get(name).cloned());
    config.and_then(Dialer::new).map(Arc::new).map_err(|error| Error::config(error.to_string()))
}

/// Gets a remote module. k6 adds `_k6=1` to the query so that servers may answer with a script, and asks again
/// without it when that fails; so does this.
pub(super) fn fetch(url: &str, env: &BTreeMap<String, String>) -> std::result::Result<String, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start an event loop: {error}"))?;
    let make = client_maker(&Options::default(), env).map_err(|error| error.to_string())?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let client = make();
        let mut marked = url.clone();
        marked.query_pairs_mut().append_pair("_k6", "1");
        match get(&client, marked).await {
            Ok(text) => Ok(text),
            Err(_) => get(&client, url).await,
        }
    })
}

async fn get(client: &Client, url: Url) -> std::result::Result<String, String> {
    let request = Request::new(Method::GET, Rc::new(url));
    let response = client.send(&Connections::new(0), &request, &mut |_| {}).await;
    if let Some(error) = response.exchange.error {
        return Err(error.text.into_owned());
    }
    match response.exchange.status {
        200..=299 => Ok(String::from_utf8_lossy(&response.body.unwrap_or_default()).into_owned()),
        _ => Err(format!("the server answered {}", response.status_text())),
    }
}

#[cfg(test)]
mod tests;
