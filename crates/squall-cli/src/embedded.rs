//! A system of Breakwater in this process: a target for who has none.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::mpsc,
    thread::JoinHandle,
};

use anyhow::Context;
use breakwater::{
    kit::config::Settings,
    service::{Service, System},
};
use clap::{Args, FromArgMatches, ValueEnum};
use tokio::{runtime, sync::oneshot};

use crate::args::message_of;

/// A service that runs until it is dropped.
pub struct Embedded {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Starts a system as its settings say. The caller may be in an event loop of its own.
    pub fn start(system: System, settings: Settings) -> anyhow::Result<Embedded> {
        let mut threads = runtime::Builder::new_multi_thread();
        if settings.server.workers > 0 {
            threads.worker_threads(settings.server.workers);
        }
        let runtime = threads.thread_name("breakwater").enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, starting) = mpsc::channel();
        let serve_until_stopped = move || {
            runtime.block_on(async {
                let service = match Service::start(system, settings).await {
                    Ok(service) => service,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let _ = started.send(Ok(service.address()));
                // An error is the sender dropped, which also means the end.
                let _ = stopped.await;
                service.stop().await;
            });
        };
        let thread = std::thread::Builder::new().name("breakwater-main".into()).spawn(serve_until_stopped)?;
        let address = starting.recv().context("its thread ended early")??;
        Ok(Embedded { address, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the service has been printed; what was measured stands.
            let _ = thread.join();
        }
    }
}

/// The system of this name. All of them at once would have other paths, so that is none.
pub fn system(name: &str) -> Option<System> {
    System::from_str(name, false).ok().filter(|&system| system != System::All)
}

/// Settings from Breakwater's flags, on a free loopback port. Later flags beat earlier ones; the environment has no say.
///
/// # Errors
/// What is wrong with a flag.
pub fn settings(flags: &[String]) -> Result<Settings, String> {
    let command = clap::Command::new("breakwater").no_binary_name(true).args_override_self(true);
    let command = Settings::augment_args(command).mut_args(|arg| arg.env(None));
    let matches = command.try_get_matches_from(flags).map_err(|error| message_of(&error))?;
    let mut settings = Settings::from_arg_matches(&matches).map_err(|error| message_of(&error))?;
    settings.server.listen = (Ipv4Addr::LOCALHOST, 0).into();
    Ok(settings)
}
