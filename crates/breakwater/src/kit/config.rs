//! Settings: flags, environment variables, a file, defaults, in this order.

use std::{ffi::OsString, net::SocketAddr, path::Path};

use clap::Args;

/// What every system is told. Each flag is also an environment variable, `--pool-size` being `BREAKWATER_POOL_SIZE`, and a
/// key of the file given with `--config`, `pool-size = 25`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    pub server: ServerSettings,
    #[command(flatten)]
    pub storage: StorageSettings,
    #[command(flatten)]
    pub bus: super::bus::BusSettings,
    #[command(flatten)]
    pub cache: super::cache::CacheSettings,
    #[command(flatten)]
    pub azora: crate::azora::AzoraSettings,
    #[command(flatten)]
    pub auth: super::auth::AuthSettings,
    #[command(flatten)]
    pub connex: crate::connex::ConnexSettings,
    #[command(flatten)]
    pub fluxor: crate::fluxor::FluxorSettings,
    #[command(flatten)]
    pub messages: MessageSettings,
    #[command(flatten)]
    pub birthday: crate::birthday::settings::BirthdaySettings,
    #[command(flatten)]
    pub location: crate::location::LocationSettings,
}

/// How requests are taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServerSettings {
    /// Where to listen. Port 0 takes a free one, which the first line of the log tells
    #[arg(long, env = "BREAKWATER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where /metrics is served to whoever can connect. Without it: on the main port, to whoever has --metrics-token
    #[arg(long, env = "BREAKWATER_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The bearer token that opens /metrics on the main port
    #[arg(long, env = "BREAKWATER_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub metrics_token: Option<Secret>,
    /// The bearer token that opens administration, such as Fluxor's limits. Without it there is none
    #[arg(long, env = "BREAKWATER_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub admin_token: Option<Secret>,
    /// Threads that serve. 0: one a core
    #[arg(long, env = "BREAKWATER_WORKERS", value_name = "N", default_value_t = 0)]
    pub workers: usize,
    /// Connections at a time. More wait in the kernel's queue
    #[arg(long, env = "BREAKWATER_MAX_CONNECTIONS", value_name = "N", default_value_t = 20_000)]
    pub max_connections: usize,
    /// Longest body of a request, in bytes
    #[arg(long, env = "BREAKWATER_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 256 << 10)]
    pub max_body_bytes: usize,
    /// How long a request may take, from its head to the head of the response
    #[arg(long, env = "BREAKWATER_REQUEST_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
    pub request_timeout_ms: u64,
    /// How long a client may take to send a request's head, and how long it may let a response wait
    #[arg(long, env = "BREAKWATER_CLIENT_TIMEOUT_MS", value_name = "MS", default_value_t = 15_000)]
    pub client_timeout_ms: u64,
    /// How long /ready says no before connections are turned away, for load balancers to notice
    #[arg(long, env = "BREAKWATER_DRAIN_DELAY_MS", value_name = "MS", default_value_t = 0)]
    pub drain_delay_ms: u64,
    /// How long requests may go on after the signal to stop
    #[arg(long, env = "BREAKWATER_DRAIN_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
    pub drain_timeout_ms: u64,
    /// Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8
    #[arg(long, env = "BREAKWATER_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

/// Where data is kept and how many may ask for it at a time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageSettings {
    /// sqlite::memory: (ends with the process), sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(
        long,
        env = "BREAKWATER_DATABASE",
        value_name = "URL",
        default_value = "sqlite::memory:",
        hide_env_values = true
    )]
    pub database: String,
    /// A PostgreSQL replica for reads
    #[arg(long, env = "BREAKWATER_DATABASE_REPLICA", value_name = "URL", hide_env_values = true)]
    pub database_replica: Option<String>,
    /// Connections of each pool. More do not help: a database works on as many queries at once as it has cores and disks
    #[arg(long, env = "BREAKWATER_POOL_SIZE", value_name = "N", default_value_t = 10)]
    pub pool_size: u32,
    /// How long a request waits for a connection before it is answered with 503
    #[arg(long, env = "BREAKWATER_POOL_TIMEOUT_MS", value_name = "MS", default_value_t = 1_000)]
    pub pool_timeout_ms: u64,
}

/// Where work waits, and where mail goes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct MessageSettings {
    /// memory: (ends with the process) or amqp://USER:PASSWORD@HOST/VHOST
    #[arg(
        long,
        env = "BREAKWATER_QUEUE",
        value_name = "URL",
        default_value = "memory:",
        hide_env_values = true
    )]
    pub queue: String,
    /// sink: (shown to nobody), smtp://USER:PASSWORD@HOST:PORT, with ?tls=required for STARTTLS, or smtps://…
    #[arg(
        long,
        env = "BREAKWATER_MAIL",
        value_name = "URL",
        default_value = "sink:",
        hide_env_values = true
    )]
    pub mail: String,
    /// The sender's address
    #[arg(
        long,
        env = "BREAKWATER_MAIL_FROM",
        value_name = "ADDRESS",
        default_value = "birthday@breakwater.invalid"
    )]
    pub mail_from: String,
}

/// Something that is never shown: neither in logs nor in errors.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Compare with [`Secret::is`].
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not tell how much was right.
    pub fn is(&self, other: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), other.as_bytes()).is_ok()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// A URL as it may be shown: without its password, which may stand before the host or among the parameters.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return match url.split_once(':') {
            Some((scheme, rest)) if rest.contains('@') => format!("{scheme}:…"),
            _ => url.to_owned(),
        };
    };
    let address = rest.split('?').next().unwrap_or_default();
    // The last @ ends the credentials: a password that was not escaped may have others.
    match address.rsplit_once('@') {
        Some((credentials, host)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => format!("{scheme}://{address}"),
    }
}

/// Gives the defaults that the flags have, for tests and for embedding.
macro_rules! defaults_of_flags {
    ($($settings:ty),*) => {$(
        impl Default for $settings {
            fn default() -> Self {
                let command = Self::augment_args(clap::Command::new("defaults").no_binary_name(true));
                let matches = command.mut_args(|arg| arg.env(None)).get_matches_from([""; 0]);
                clap::FromArgMatches::from_arg_matches(&matches).expect("defaults are valid")
            }
        }
    )*};
}
defaults_of_flags!(Settings, ServerSettings, StorageSettings, MessageSettings);
pub(crate) use defaults_of_flags;

/// Why a settings file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("--config {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("--config {path}: {source}")]
    Parse { path: String, source: toml::de::Error },
    #[error("--config {path}: `{key}` must be a text, a number, true or false, or a list of these")]
    Value { path: String, key: String },
}

/// The file's settings as flags, without those that the environment sets. Put before the real flags, which override them,
/// they give the order that users expect.
pub fn flags_of_file(path: &Path, set: impl Fn(&str) -> bool) -> Result<Vec<OsString>, FileError> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| FileError::Read { path: name.clone(), source })?;
    let table: toml::Table =
        text.parse().map_err(|source| FileError::Parse { path: name.clone(), source })?;
    let mut flags = Vec::new();
    for (key, value) in &table {
        if set(&format!("BREAKWATER_{}", key.to_uppercase().replace('-', "_"))) {
            continue;
        }
        let values = match value {
            toml::Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let text =
                said(value).ok_or_else(|| FileError::Value { path: name.clone(), key: key.clone() })?;
            flags.push(OsString::from(format!("--{}={text}", key.replace('_', "-"))));
        }
    }
    Ok(flags)
}

fn said(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_flags_said_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breakwater.toml");
        std::fs::write(&path, "pool-size = 25\nworkers = 3\ntrusted_proxies = ['10.0.0.0/8', '::1/128']\n")
            .unwrap();
        let flags = flags_of_file(&path, |name| name == "BREAKWATER_WORKERS").unwrap();
        let proxies = ["--trusted-proxies=10.0.0.0/8", "--trusted-proxies=::1/128"];
        assert_eq!(flags, ["--pool-size=25", proxies[0], proxies[1]]);
    }

    #[test]
    fn errors_of_a_file_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.toml");
        for (text, said) in [("pool-size = [", "bad.toml"), ("[pool]\nsize = 1", "`pool`")] {
            std::fs::write(&path, text).unwrap();
            let error = flags_of_file(&path, |_| false).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn passwords_are_left_out_of_urls() {
        assert_eq!(without_password("postgres://me:secret@host/db"), "postgres://me@host/db");
        assert_eq!(without_password("postgres://me:se@c/ret@host/db"), "postgres://me@host/db");
        assert_eq!(without_password("postgres://host/db?user=me&password=secret"), "postgres://host/db");
        assert_eq!(without_password("postgres:me:secret@host"), "postgres:…");
        assert_eq!(without_password("redis://host:1/0"), "redis://host:1/0");
        assert_eq!(without_password("sqlite::memory:"), "sqlite::memory:");
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = Secret::from("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(secret.is("hunter2") && !secret.is("hunter") && !secret.is(""));
    }
}
