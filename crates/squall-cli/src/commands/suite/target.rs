//! Where a suite's load goes: a service that is there, or Breakwater in this process.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use breakwater::service::System;
use squall_http::{Client, Connections, Method, Request};
use squall_suite::{Manifest, Test};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::{
    args::{SuiteRunArgs, switch},
    embedded::{self, Embedded},
    error::{Error, Result},
    exit_code::ExitCode,
    flags,
    process::Process,
    session::network,
};

/// Pause between two questions whether the target is ready.
const PAUSE: Duration = Duration::from_millis(200);
/// How long it is quiet about waiting for the same.
const REMINDER: Duration = Duration::from_secs(10);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The target of a run.
pub(super) struct Target<'a> {
    manifest: &'a Manifest,
    kind: Kind,
    client: Client,
}

enum Kind {
    There { base_url: String },
    Breakwater { system: System, running: Option<(Vec<String>, Embedded)> },
}

impl<'a> Target<'a> {
    /// The one that flags, environment and suite mean.
    pub(super) fn choose(
        manifest: &'a Manifest,
        args: &SuiteRunArgs,
        process: &Process,
    ) -> Result<Target<'a>> {
        // What the environment says about certificates and names holds for the question whether it is ready, too.
        let client = network::client_maker(&flags::from_env(process)?, &process.env)?();
        let kind = match switch(args.breakwater) {
            Some(true) => Kind::Breakwater { system: system(manifest)?, running: None },
            _ => Kind::There { base_url: base_url(manifest, args, process)? },
        };
        Ok(Target { manifest, kind, client })
    }

    /// Has the service that a test wants and says where it is. A Breakwater runs on until a test wants another one.
    pub(super) fn serve(&mut self, test: &Test) -> Result<String> {
        let (system, running) = match &mut self.kind {
            Kind::There { base_url } => return Ok(base_url.clone()),
            Kind::Breakwater { system, running } => (*system, running),
        };
        let flags = [self.manifest.target.breakwater_options.as_slice(), &test.breakwater_options].concat();
        if let Some((known, embedded)) = running
            && *known == flags
        {
            return Ok(embedded.base_url());
        }
        // The old one ends first: two of them would share the machine.
        *running = None;
        let failed = |why: String| {
            Error::new(ExitCode::InternalError, format!("cannot start Breakwater's {}: {why}", system.name()))
        };
        let settings = embedded::settings(&flags).map_err(failed)?;
        let embedded = Embedded::start(system, settings).map_err(|error| failed(format!("{error:#}")))?;
        Ok(running.insert((flags, embedded)).1.base_url())
    }

    /// The command line of the Breakwater that runs.
    pub(super) fn breakwater(&self) -> Option<String> {
        let Kind::Breakwater { system, running: Some((flags, _)) } = &self.kind else { return None };
        let words = ["breakwater", system.name()].into_iter().chain(flags.iter().map(String::as_str));
        Some(words.collect::<Vec<_>>().join(" "))
    }

    /// Waits until it is ready for load.
    ///
    /// # Errors
    /// When it is not in time, with what it answered last.
    pub(super) async fn ready(&self, base_url: &str) -> Result<()> {
        let Some(path) = &self.manifest.target.ready else { return Ok(()) };
        let limit = self.manifest.target.ready_timeout;
        let text = format!("{}{path}", base_url.trim_end_matches('/'));
        let url =
            Url::parse(&text).map_err(|error| Error::usage(format!("'{text}' is no address: {error}")))?;
        let started = Instant::now();
        let deadline = started + limit;
        let mut told: Option<(String, Instant)> = None;
        loop {
            let answer_by = deadline.min(Instant::now() + ANSWER_TIMEOUT);
            let answer = match timeout_at(answer_by, ask(&self.client, url.clone())).await {
                Ok(Ok(())) => {
                    if told.is_some() {
                        tracing::info!("{text} is ready");
                    }
                    return Ok(());
                }
                Ok(Err(answer)) => answer,
                // What it said before tells more than that the time is over.
                Err(_) => told.as_ref().map_or_else(|| "no answer".to_owned(), |(answer, _)| answer.clone()),
            };
            if !told.as_ref().is_some_and(|(known, when)| *known == answer && when.elapsed() < REMINDER) {
                let waited = started.elapsed().as_secs();
                tracing::info!("waiting until {text} answers 200 ({waited}s of {limit:?}): {answer}");
                told = Some((answer.clone(), Instant::now()));
            }
            if Instant::now() + PAUSE >= deadline {
                let hint =
                    "start the service, tell where it is with --base-url or BASE_URL, or use --breakwater";
                let message = format!("the target was not ready within {limit:?}: {text}: {answer}");
                return Err(Error::new(ExitCode::Timeout, message).hint(hint));
            }
            sleep(PAUSE).await;
        }
    }
}

fn system(manifest: &Manifest) -> Result<System> {
    let name = manifest.target.breakwater.as_deref();
    name.and_then(embedded::system).ok_or_else(|| {
        Error::usage("the suite names no system of Breakwater")
            .hint("give target.breakwater in its file, or leave --breakwater out")
    })
}

fn base_url(manifest: &Manifest, args: &SuiteRunArgs, process: &Process) -> Result<String> {
    let given = args.base_url.as_deref().or_else(|| variable(&process.env, "BASE_URL"));
    let url = given.or(manifest.target.base_url.as_deref()).ok_or_else(|| {
        Error::usage("nobody says where the target is")
            .hint("use --base-url or BASE_URL, or give target.base_url in the suite's file")
    })?;
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(url.trim_end_matches('/').to_owned()),
        _ => Err(Error::usage(format!("'{url}' is no address of a service"))
            .hint("use one such as http://127.0.0.1:8080")),
    }
}

fn variable<'a>(env: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    env.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Whether the service says that it is ready; otherwise what it says instead.
async fn ask(client: &Client, url: Url) -> std::result::Result<(), String> {
    let request = Request::new(Method::GET, Rc::new(url));
    let response = client.send(&Connections::new(0), &request, &mut |_| {}).await;
    if let Some(error) = &response.exchange.error {
        return Err(error.text.to_string());
    }
    if response.exchange.status == 200 {
        return Ok(());
    }
    let status = response.status_text();
    let body = String::from_utf8_lossy(&response.body.unwrap_or_default()).into_owned();
    match body.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Err(format!("{status}: {}", line.chars().take(120).collect::<String>())),
        None => Err(status),
    }
}
