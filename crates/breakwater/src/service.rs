//! A running service: what the command line, embedding programs and tests start.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::Context;
use clap::ValueEnum;
use tokio::{net::TcpListener, runtime::Builder, task::JoinHandle};
use utoipa::openapi::{Info, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    azora, birthday, connex, fluxor,
    kit::{Kit, config::Settings, http, server},
    location,
};

/// Which of the five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// The accounts API
    Connex,
    /// Messages on people's birthdays
    Birthday,
    /// Positions shared in sessions over WebSocket
    Location,
    /// Profiles and courses behind caches
    Azora,
    /// Back-pressure at capacity
    Fluxor,
    /// All five, each under its name: /connex, /birthday, …
    All,
}

impl System {
    const EACH: [Self; 5] = [Self::Connex, Self::Birthday, Self::Location, Self::Azora, Self::Fluxor];

    /// Its name, on the command line and in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connex => "connex",
            Self::Birthday => "birthday",
            Self::Location => "location",
            Self::Azora => "azora",
            Self::Fluxor => "fluxor",
            Self::All => "all",
        }
    }

    /// Starts its background work and gives its routes.
    async fn routes(self, kit: &Kit) -> anyhow::Result<OpenApiRouter> {
        match self {
            Self::Connex => connex::start(kit).await,
            Self::Birthday => birthday::start(kit).await,
            Self::Location => location::start(kit).await,
            Self::Azora => azora::start(kit).await,
            Self::Fluxor => fluxor::start(kit).await,
            Self::All => {
                let mut all = OpenApiRouter::new();
                for system in Self::EACH {
                    let mut routes = Box::pin(system.routes(kit)).await?;
                    prefix_operations(routes.get_openapi_mut(), system.name());
                    all = all.nest(&format!("/{}", system.name()), routes);
                }
                Ok(all)
            }
        }
    }
}

/// Makes the names of a system's operations its own: several have a `list`, and one document may have each name once.
fn prefix_operations(document: &mut OpenApi, system: &str) {
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete];
        for id in operations.into_iter().flatten().filter_map(|operation| operation.operation_id.as_mut()) {
            *id = format!("{system}_{id}");
        }
    }
}

/// A runtime for a service with so many threads.
///
/// A single thread serves its tasks in turn, however many are ready. Of several threads each has 256 tasks in its own queue,
/// and those beyond wait until it looks into the common one: of 5,000 busy sockets on one thread that made a fifth wait
/// for 200 to 500 ms.
pub fn runtime(threads: usize) -> Builder {
    if threads == 1 {
        return Builder::new_current_thread();
    }
    let mut several = Builder::new_multi_thread();
    several.worker_threads(threads);
    several
}

/// A service that takes requests until [`Service::stop`].
pub struct Service {
    kit: Kit,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    serving: Vec<JoinHandle<()>>,
}

impl Service {
    /// Opens what the settings name, brings the tables up to date and begins to serve.
    pub async fn start(system: System, settings: Settings) -> anyhow::Result<Self> {
        let listener = listen("--listen", settings.server.listen)?;
        let address = listener.local_addr()?;
        let metrics_listener =
            settings.server.metrics_listen.map(|address| listen("--metrics-listen", address));
        let metrics_listener = metrics_listener.transpose()?;
        let metrics_address = metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let kit = Kit::start(settings).await?;
        let mut routes = system.routes(&kit).await?;
        routes.get_openapi_mut().info =
            Info::new(format!("Breakwater: {}", system.name()), env!("CARGO_PKG_VERSION").to_owned());
        let router = http::finish(&kit, routes);
        let serve = |listener, router| {
            let (settings, stop) = (kit.settings.clone(), kit.stop_accepting.clone());
            tokio::spawn(async move { server::serve(listener, router, &settings.server, stop).await })
        };
        let mut serving = vec![serve(listener, router)];
        serving.extend(
            metrics_listener.map(|listener| serve(listener, http::metrics_router(kit.metrics.clone()))),
        );
        Ok(Self { kit, address, metrics_address, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    pub fn kit(&self) -> &Kit {
        &self.kit
    }

    /// Ends in order: `/ready` says no, then no more connections, requests end, background work ends, storage closes.
    pub async fn stop(self) {
        self.kit.shutdown.cancel();
        tokio::time::sleep(Duration::from_millis(self.kit.settings.server.drain_delay_ms)).await;
        self.kit.stop_accepting.cancel();
        for serving in self.serving {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the server ended badly");
            }
        }
        self.kit.tasks.close();
        let longest = Duration::from_millis(self.kit.settings.server.drain_timeout_ms);
        if tokio::time::timeout(longest, self.kit.tasks.wait()).await.is_err() {
            tracing::warn!("background work was still running after --drain-timeout-ms and is cut off");
        }
        self.kit.db.close().await;
    }
}

fn listen(flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    server::listen(address).with_context(|| format!("{flag}: cannot listen at {address}"))
}

/// Waits for the signal to end: SIGTERM, or Ctrl-C.
pub async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[tokio::test]
    async fn all_systems_together_are_described_with_each_name_once() {
        let kit = Kit::start(Settings::default()).await.unwrap();
        let document = System::All.routes(&kit).await.unwrap().into_openapi();
        let document = serde_json::to_value(document).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
        let ids: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        assert!(ids.contains(&"connex_login") && ids.contains(&"azora_login"), "{ids:?}");
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
    }
}
