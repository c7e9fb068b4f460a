//! `--log-output loki`: pushes log records to Grafana Loki in batches, from a thread of its own. What is over the
//! limit of a period is dropped and counted, so a chatty script can neither fill the memory nor wait for Loki.

use std::{
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use squall_net::{Dialer, Endpoint, NetConfig, Security, Traffic};
use squall_options::parse_go_duration;
use tracing::level_filters::LevelFilter;
use url::Url;

use super::{
    Record,
    format::{level_name, logfmt_value},
    settings::parse_level,
};
use crate::{
    console::Console,
    error::{Error, Result},
};

const DEFAULT_URL: &str = "http://127.0.0.1:3100/loki/api/v1/push";
/// A push that takes longer has failed.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to push, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LokiSettings {
    url: Url,
    push_period: Duration,
    /// Most messages in a period.
    limit: usize,
    /// Most characters of a message; the middle of a longer one is left out.
    message_chars_max: usize,
    /// The fields that become labels; the others are appended to the message. `None`: all are labels.
    allowed_labels: Option<Vec<String>>,
    /// Labels of every message.
    labels: Labels,
    headers: Vec<(String, String)>,
}

impl LokiSettings {
    /// Reads `[=URL][,KEY=VALUE...]`; gives the level with the settings when they name one.
    pub fn parse(text: &str) -> Result<(LokiSettings, Option<LevelFilter>)> {
        let mut level = None;
        let mut settings = LokiSettings {
            url: parse_url(DEFAULT_URL)?,
            push_period: Duration::from_secs(1),
            limit: 100,
            message_chars_max: 1 << 20,
            allowed_labels: None,
            labels: Vec::new(),
            headers: Vec::new(),
        };
        for (index, part) in split_outside_brackets(text.strip_prefix('=').unwrap_or(text)).enumerate() {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "" => {}
                "level" => level = Some(parse_level(value)?),
                _ if index == 0 && part.contains("://") => settings.url = parse_url(part)?,
                _ => settings.set(key, value)?,
            }
        }
        Ok((settings, level))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key.split_once('.').unwrap_or((key, "")) {
            ("pushPeriod", "") => {
                self.push_period = parse_go_duration(value)
                    .ok()
                    .filter(|period| !period.is_zero())
                    .ok_or_else(|| unusable(key, value))?;
            }
            ("limit", "") => self.limit = positive(key, value)?,
            ("msgMaxSize", "") => self.message_chars_max = positive(key, value)?,
            ("allowedLabels", "") => {
                let names = value.trim_start_matches('[').trim_end_matches(']').split(',');
                self.allowed_labels =
                    Some(names.filter(|name| !name.is_empty()).map(str::to_owned).collect());
            }
            ("profile", "") => {}
            ("label", name) if !name.is_empty() => self.labels.push((name.into(), value.into())),
            ("header", name) if !name.is_empty() => self.headers.push((name.into(), value.into())),
            _ => return Err(Error::usage(format!("unknown setting '{key}' of the Loki log output"))),
        }
        Ok(())
    }
}

fn positive(key: &str, value: &str) -> Result<usize> {
    value.parse().ok().filter(|&number| number > 0).ok_or_else(|| unusable(key, value))
}

fn unusable(key: &str, value: &str) -> Error {
    Error::usage(format!("'{value}' cannot be the {key} of the Loki log output"))
}

fn parse_url(text: &str) -> Result<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Error::usage(format!("'{text}' is not the URL of a Loki server")))
}

/// The parts between commas, but not those within `[...]`.
fn split_outside_brackets(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth <= 0
    })
}

/// The records of one period.
#[derive(Debug, Default)]
struct Batch {
    entries: Vec<Entry>,
    dropped: u64,
}

/// Names and values, in the order in which they are sent.
type Labels = Vec<(String, String)>;

#[derive(Debug)]
struct Entry {
    labels: Labels,
    time_ns: String,
    message: String,
}

/// Takes records and pushes them until [`Loki::finish`].
pub(super) struct Loki {
    settings: Arc<LokiSettings>,
    batch: Arc<Mutex<Batch>>,
    thread: Mutex<Option<Pusher>>,
}

struct Pusher {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Loki {
    /// Starts the thread. `console` gets the news when pushing fails.
    pub(super) fn start(settings: LokiSettings, console: Console) -> Result<Loki> {
        let cannot_start =
            |error: &dyn std::fmt::Display| Error::usage(format!("cannot start to log to Loki: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot_start(&error))?;
        let dialer = Dialer::new(NetConfig::default()).map_err(|error| cannot_start(&error))?;
        let (settings, batch) = (Arc::new(settings), Arc::new(Mutex::new(Batch::default())));
        let (stop, stopped) = mpsc::channel();
        let job = PushJob { settings: settings.clone(), batch: batch.clone(), dialer, console };
        let thread = std::thread::Builder::new()
            .name("loki".into())
            .spawn(move || runtime.block_on(job.run(&stopped)))
            .map_err(|error| cannot_start(&error))?;
        Ok(Loki { settings, batch, thread: Mutex::new(Some(Pusher { stop, thread })) })
    }

    pub(super) fn add(&self, record: &Record) {
        let mut batch = self.batch.lock().expect("no panic under this lock");
        match batch.entries.len() < self.settings.limit {
            true => batch.entries.push(self.settings.entry(record)),
            false => batch.dropped += 1,
        }
    }

    /// Pushes what is left and ends the thread.
    pub(super) fn finish(&self) {
        if let Some(Pusher { stop, thread }) = self.thread.lock().expect("no panic under this lock").take() {
            drop(stop);
            // A panic of the thread has been printed; there is nothing left to push with.
            let _ = thread.join();
        }
    }
}

impl LokiSettings {
    fn entry(&self, record: &Record) -> Entry {
        let is_label = |name: &str| {
            self.allowed_labels.as_ref().is_none_or(|allowed| allowed.iter().any(|it| it == name))
        };
        let mut message = record.message.clone();
        let mut labels = Vec::new();
        let level = ("level", Value::from(level_name(record.level)));
        for (name, value) in std::iter::once(&level).chain(&record.fields) {
            match is_label(name) {
                true => labels.push(((*name).to_owned(), plain(value))),
                false => message.push_str(&format!(" {name}={}", logfmt_value(value))),
            }
        }
        labels.extend(self.labels.iter().cloned());
        let time_ns = record.time.timestamp().as_nanosecond().to_string();
        Entry { labels, time_ns, message: shortened(message, self.message_chars_max) }
    }

    /// The entry that owns up to what was dropped.
    fn drop_notice(&self, dropped: u64, time_ns: String) -> Entry {
        let mut labels = vec![("level".to_owned(), "warning".to_owned())];
        labels.extend(self.labels.iter().cloned());
        let message = format!(
            "{dropped} log messages were dropped because they were above the limit of {} in {:?}",
            self.limit, self.push_period
        );
        Entry { labels, time_ns, message }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Both ends of a text that is too long.
fn shortened(text: String, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text;
    }
    let half = chars_max / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(chars - half).collect();
    format!("{head}... omitting {} characters ...{tail}", chars - 2 * half)
}

struct PushJob {
    settings: Arc<LokiSettings>,
    batch: Arc<Mutex<Batch>>,
    dialer: Dialer,
    console: Console,
}

impl PushJob {
    async fn run(self, stopped: &mpsc::Receiver<()>) {
        let mut failing = false;
        loop {
            // Nothing else runs on this thread, so it may block.
            let last =
                stopped.recv_timeout(self.settings.push_period) != Err(mpsc::RecvTimeoutError::Timeout);
            let batch = std::mem::take(&mut *self.batch.lock().expect("no panic under this lock"));
            match self.push(batch).await {
                Ok(()) => failing = false,
                // Said once, not every second.
                Err(problem) if !failing => {
                    failing = true;
                    self.console
                        .print_error(&format!("cannot push logs to {}: {problem}\n", self.settings.url));
                }
                Err(_) => {}
            }
            if last {
                return;
            }
        }
    }

    async fn push(&self, mut batch: Batch) -> std::result::Result<(), String> {
        let Some(newest) = batch.entries.last() else { return Ok(()) };
        if batch.dropped > 0 {
            let notice = self.settings.drop_notice(batch.dropped, newest.time_ns.clone());
            batch.entries.push(notice);
        }
        match tokio::time::timeout(PUSH_TIMEOUT, self.post(body(batch.entries))).await {
            Ok(result) => result,
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    async fn post(&self, body: String) -> std::result::Result<(), String> {
        let url = &self.settings.url;
        let host = url.host_str().unwrap_or_default();
        let endpoint = Endpoint {
            host: host.trim_start_matches('[').trim_end_matches(']'),
            port: url.port_or_known_default().unwrap_or(80),
            security: if url.scheme() == "https" { Security::Tls } else { Security::Plain },
        };
        let dialed = self
            .dialer
            .dial(endpoint, 1, &Rc::new(Traffic::default()), &mut Default::default())
            .await
            .map_err(|failed| failed.error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(dialed.stream)).await.map_err(|error| error.to_string())?;
        let request = self.request(body)?;
        let mut response = pin!(sender.send_request(request));
        // The connection does the work. It may end together with the response.
        let response = tokio::select! {
            response = &mut response => response,
            _ = connection => response.await,
        };
        let response = response.map_err(|error| error.to_string())?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("status {status}")),
        }
    }

    fn request(&self, body: String) -> std::result::Result<Request<Full<Bytes>>, String> {
        let url = &self.settings.url;
        let mut request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        request.body(Full::from(body)).map_err(|error| error.to_string())
    }
}

/// Entries as Loki's push API takes them: a stream for each set of labels.
fn body(entries: Vec<Entry>) -> String {
    let mut streams: Vec<(Labels, Vec<Value>)> = Vec::new();
    for Entry { labels, time_ns, message } in entries {
        let value = json!([time_ns, message]);
        match streams.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, values)) => values.push(value),
            None => streams.push((labels, vec![value])),
        }
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|(labels, values)| {
            let labels: Map<String, Value> =
                labels.into_iter().map(|(name, value)| (name, value.into())).collect();
            json!({ "stream": labels, "values": values })
        })
        .collect();
    json!({ "streams": streams }).to_string()
}

#[cfg(test)]
mod tests;
