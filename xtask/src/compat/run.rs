//! One run of one script in one program, in a folder and an environment of its own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::script::Script;
use crate::process::{self, Finished};
use crate::target::Target;

/// A run takes a few seconds; one that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(40);

/// What a run left behind.
pub(super) struct Observed {
    pub(super) finished: Finished,
    /// Lines of standard error: the log.
    pub(super) log: Vec<String>,
    pub(super) stdout: String,
    /// The text of the summary export, if there is one.
    pub(super) export: Option<String>,
    /// The text of the JSON output, if there is one.
    pub(super) points: Option<String>,
    /// The folder that the program ran in.
    pub(super) folder: PathBuf,
}

/// Runs `script` in `program`, using `place` for everything it writes.
pub(super) fn run(
    script: &Script,
    program: &Path,
    place: &Path,
    target: Option<&Target>,
) -> Result<Observed> {
    let folder = place.join("cwd");
    fs::create_dir_all(&folder)?;
    for (name, content) in &script.files {
        fs::write(folder.join(name), content)?;
    }
    let (export, points, stdout) =
        (place.join("export.json"), place.join("points.json"), place.join("stdout"));
    let mut command = Command::new(program);
    command.arg(&script.command).args(&script.flags);
    if script.command == "run" {
        command.args(report_flags(script, &export, &points));
    }
    command.arg(if script.stdin { Path::new("-") } else { script.path.as_path() });
    command
        .current_dir(&folder)
        .env_clear()
        .envs(environment(&folder, target))
        .envs(script.env.iter().cloned());
    command.stdin(Stdio::piped()).stdout(File::create(&stdout)?).stderr(Stdio::piped());

    let child = command.spawn().with_context(|| program.display().to_string())?;
    let (finished, log) = follow(child, script)?;
    Ok(Observed {
        finished,
        log,
        stdout: fs::read_to_string(&stdout)?,
        export: fs::read_to_string(&export).ok(),
        points: fs::read_to_string(&points).ok(),
        folder,
    })
}

/// Feeds the child, reads its log, interrupts it if the script asks, and waits for its end.
fn follow(mut child: Child, script: &Script) -> Result<(Finished, Vec<String>)> {
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    let stderr = child.stderr.take().context("stderr is piped")?;
    if script.stdin {
        stdin.write_all(script.source.as_bytes())?;
    }
    drop(stdin);
    let (id, interrupt_on) = (child.id(), script.interrupt_on.clone());
    let reader = thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let noticed = lines.inspect(|line| {
            if interrupt_on.as_ref().is_some_and(|mark| line.contains(mark.as_str())) {
                process::signal(id, libc::SIGINT);
            }
        });
        noticed.collect()
    });
    let finished = process::wait(&child, LIMIT)?;
    Ok((finished, reader.join().expect("reading lines does not panic")))
}

/// The flags that make a run tell everything, unless the script sets them itself.
fn report_flags(script: &Script, export: &Path, points: &Path) -> Vec<String> {
    let mut flags = vec!["--quiet".to_owned(), "--address=".to_owned()];
    let mut add = |own: &[&str], flag: String| {
        if !own.iter().any(|own| script.flags.iter().any(|flag| flag.starts_with(own))) {
            flags.push(flag);
        }
    };
    add(&["--log-format"], "--log-format=json".to_owned());
    add(&["--summary-export"], format!("--summary-export={}", export.display()));
    add(&["--out", "-o"], format!("--out=json={}", points.display()));
    if !script.source.contains("summaryTrendStats") {
        add(&["--summary-trend-stats"], "--summary-trend-stats=avg,min,med,max,p(90),p(95),count".to_owned());
    }
    flags
}

/// A sealed environment; scripts find the target in `BASE` and `BASE_TLS`.
fn environment(folder: &Path, target: Option<&Target>) -> Vec<(&'static str, OsString)> {
    let mut environment = vec![
        ("HOME", folder.into()),
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("TZ", "UTC".into()),
        ("NO_COLOR", "1".into()),
        ("K6_NO_USAGE_REPORT", "true".into()),
    ];
    if let Some(target) = target {
        environment.extend([
            ("BASE", target.base.clone().into()),
            ("BASE_TLS", target.base_tls.clone().into()),
            ("SSL_CERT_FILE", target.ca_file().into()),
        ]);
    }
    environment
}
