//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::{
    kit::{
        config, config::Settings, config::StorageSettings, db::Db, mail, server, trace, trace::TraceSettings,
    },
    service::{Service, System, asked_to_stop, runtime},
};

/// Five services made for load. Start one and send it requests; --help after its name shows the settings.
#[derive(Debug, Parser)]
#[command(name = "breakwater", version, args_override_self = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The accounts API: sign-in, users, optimistic locking, cached reads
    Connex(Serve),
    /// Messages on people's birthdays: API, scheduler, queue, workers
    Birthday(Serve),
    /// Positions shared in sessions over WebSocket
    Location(Serve),
    /// Profiles and courses behind three layers of caches
    Azora(Serve),
    /// Back-pressure at capacity: admission control
    Fluxor(Serve),
    /// All five in one process, each under its name: /connex, /birthday, …
    All(Serve),
    /// Create the tables or bring them up to date, and end
    Migrate(Migrate),
    /// A mail server that delivers nowhere, for tests: shows each Message-ID once and counts
    MailSink(MailSink),
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    trace: TraceSettings,
    #[command(flatten)]
    file: File,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
struct Migrate {
    #[command(flatten)]
    storage: StorageSettings,
    #[command(flatten)]
    trace: TraceSettings,
    #[command(flatten)]
    file: File,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
struct MailSink {
    /// Where to listen. Port 0 takes a free one, which the first line of the log tells
    #[arg(
        long,
        env = "BREAKWATER_MAIL_SINK_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:2525"
    )]
    listen: SocketAddr,
    /// How long it takes for each message
    #[arg(long, env = "BREAKWATER_MAIL_SINK_DELAY_MS", value_name = "MS", default_value_t = 0)]
    delay_ms: u64,
    #[command(flatten)]
    trace: TraceSettings,
    #[command(flatten)]
    file: File,
}

#[derive(Debug, Args)]
struct File {
    /// A TOML file with settings: `pool-size = 25` for --pool-size. Flags and environment variables come first
    #[arg(long, env = "BREAKWATER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command line `args`, whose first is the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match parse(args.into_iter().collect()) {
        Ok(command) => command,
        Err(error) => return fail(error),
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

#[expect(clippy::print_stderr, reason = "what goes wrong before the log exists is told here")]
fn fail(error: anyhow::Error) -> ExitCode {
    match error.downcast::<clap::Error>() {
        Ok(usage) => usage.exit(),
        Err(error) => eprintln!("breakwater: {error:#}"),
    }
    ExitCode::FAILURE
}

/// Flags, and before them what the file says.
fn parse(mut args: Vec<OsString>) -> anyhow::Result<Command> {
    let first = Cli::try_parse_from(&args)?.command;
    let (Command::Connex(Serve { file, .. })
    | Command::Birthday(Serve { file, .. })
    | Command::Location(Serve { file, .. })
    | Command::Azora(Serve { file, .. })
    | Command::Fluxor(Serve { file, .. })
    | Command::All(Serve { file, .. })
    | Command::Migrate(Migrate { file, .. })
    | Command::MailSink(MailSink { file, .. })) = &first;
    let Some(path) = &file.config else { return Ok(first) };
    let said = config::flags_of_file(path, |name| std::env::var_os(name).is_some())?;
    let Some(system) = args.iter().skip(1).position(|arg| !arg.to_string_lossy().starts_with('-')) else {
        return Ok(first);
    };
    args.splice(system + 2..system + 2, said);
    let matches = Cli::command().try_get_matches_from(args).map_err(|error| {
        anyhow::anyhow!("--config {}: {}", path.display(), error.to_string().trim_start_matches("error: "))
    })?;
    Ok(Cli::from_arg_matches(&matches)?.command)
}

fn run(command: Command) -> anyhow::Result<()> {
    let (system, serve) = match command {
        Command::Connex(serve) => (System::Connex, serve),
        Command::Birthday(serve) => (System::Birthday, serve),
        Command::Location(serve) => (System::Location, serve),
        Command::Azora(serve) => (System::Azora, serve),
        Command::Fluxor(serve) => (System::Fluxor, serve),
        Command::All(serve) => (System::All, serve),
        Command::Migrate(Migrate { storage, trace: log, .. }) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return runtime.block_on(async {
                let _tracing = trace::start(&log, "migrate")?;
                Db::open(&storage).await?.migrate(&storage).await?;
                tracing::info!("the tables are up to date");
                Ok(())
            });
        }
        Command::MailSink(sink) => {
            return tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(mail_sink(sink));
        }
    };
    let threads = match serve.settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    runtime(threads).enable_all().build()?.block_on(serve_until_asked(system, serve))
}

async fn serve_until_asked(system: System, serve: Serve) -> anyhow::Result<()> {
    let _tracing = trace::start(&serve.trace, system.name())?;
    if serve.settings.storage.database.contains(":memory:") {
        tracing::info!("data is in memory and ends with the process; --database sqlite:FILE keeps it");
    }
    let service = Service::start(system, serve.settings).await?;
    let metrics = service.metrics_address().map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(address = %service.address(), metrics, "{} is ready", system.name());
    asked_to_stop().await.context("cannot wait for signals")?;
    tracing::info!("stopping: requests that have begun may end");
    service.stop().await;
    Ok(())
}

async fn mail_sink(settings: MailSink) -> anyhow::Result<()> {
    let _tracing = trace::start(&settings.trace, "mail-sink")?;
    let listener = server::listen(settings.listen);
    let listener = listener.with_context(|| format!("--listen: cannot listen at {}", settings.listen))?;
    let sink = mail::Sink::new(Duration::from_millis(settings.delay_ms));
    let stop = CancellationToken::new();
    tracing::info!(address = %listener.local_addr()?, "mail-sink is ready");
    let serving = tokio::spawn(mail::smtp_sink::serve(listener, sink.clone(), stop.clone()));
    asked_to_stop().await.context("cannot wait for signals")?;
    stop.cancel();
    serving.await?;
    let mail::Counts { arrivals, shown, repeats, refused } = sink.counts();
    tracing::info!(arrivals, shown, repeats, refused, "mail-sink has ended");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> anyhow::Result<Settings> {
        match parse(args.iter().map(OsString::from).collect())? {
            Command::Connex(serve) => Ok(serve.settings),
            other => anyhow::bail!("{other:?}"),
        }
    }

    #[test]
    fn flags_come_before_the_file_and_the_file_before_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "pool-size = 25\nworkers = 3\n").unwrap();
        let path = path.display().to_string();
        let settings = parsed(&["breakwater", "connex", "--config", &path, "--workers", "5"]).unwrap();
        assert_eq!((settings.storage.pool_size, settings.server.workers), (25, 5));
        assert_eq!(settings.server.max_connections, 20_000);
    }

    #[test]
    fn an_unknown_key_of_the_file_is_an_error_that_names_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "pool-sice = 25\n").unwrap();
        let error =
            parsed(&["breakwater", "connex", "--config", path.to_str().unwrap()]).unwrap_err().to_string();
        assert!(error.contains("a.toml") && error.contains("--pool-sice"), "{error}");
    }

    #[test]
    fn passwords_of_admins_may_have_commas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "connex-admin = ['a@b.de:one,two', 'c@d.de:three']\n").unwrap();
        let admins = |args: &[&str]| {
            let settings = parsed(&[&["breakwater", "connex"], args].concat()).unwrap();
            settings.connex.connex_admin.iter().map(|admin| admin.expose().to_owned()).collect::<Vec<_>>()
        };
        let both = ["a@b.de:one,two", "c@d.de:three"];
        assert_eq!(admins(&["--connex-admin", both[0], "--connex-admin", both[1]]), both);
        assert_eq!(admins(&["--config", path.to_str().unwrap()]), both);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
