//! `cargo xtask dist`: the binary to hand out, built twice: once to note which code a run goes through, and once
//! more with those notes.
//!
//! An iteration goes once through more code than a processor's first cache holds. A compiler that knows what runs puts that side
//! by side, and inlines it and nothing else.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::target::Target;
use crate::tool;

/// What is run to learn from, besides the demo: scripts of `benches/`, over TLS or not.
const LESSONS: [(&str, bool); 5] =
    [("get", false), ("checks", false), ("post", false), ("https", true), ("http2", true)];

/// Length of a lesson.
const LESSON_S: u64 = 4;

/// Runs the chore: leaves the binary in `target/dist`.
pub fn run() -> Result<()> {
    let rustc = Rustc::ask()?;
    let folder = tool::target_dir().join("dist");
    let notes = folder.join("notes");
    if notes.exists() {
        fs::remove_dir_all(&notes)?;
    }
    fs::create_dir_all(&notes)?;

    println!("building Squall to take notes");
    let noting = rustc.build(&folder.join("noting"), &format!("-Cprofile-generate={}", notes.display()))?;
    println!("taking notes");
    learn(&noting)?;
    let profile = folder.join("squall.profdata");
    rustc.merge(&notes, &profile)?;

    println!("building Squall by them");
    let built = rustc.build(&folder.join("noted"), &format!("-Cprofile-use={}", profile.display()))?;
    let squall = folder.join("squall");
    fs::copy(built, &squall).with_context(|| squall.display().to_string())?;
    println!("built {}", squall.display());
    Ok(())
}

/// Has the binary do what users have it do.
fn learn(squall: &Path) -> Result<()> {
    teach(squall, &["demo", "--quiet"])?;
    let target = Target::start()?;
    for (name, is_tls) in LESSONS {
        let base = if is_tls { &target.base_tls } else { &target.base };
        let script = tool::bench_script(&format!("{name}.js"));
        let [base, seconds] = [format!("BASE={base}/get"), format!("SECONDS={LESSON_S}")];
        teach(squall, &["run", "--quiet", "--env", &base, "--env", &seconds, &script.display().to_string()])?;
    }
    Ok(())
}

/// Thresholds may fail: this is about what runs, not how well.
fn teach(squall: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new(squall);
    command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().with_context(|| squall.display().to_string())?;
    ensure!(matches!(status.code(), Some(0 | 99)), "squall {} ended with {status}", args.join(" "));
    Ok(())
}

/// The compiler in use.
struct Rustc {
    host: String,
    /// Comes with the compiler, so that it reads this one's notes.
    profdata: PathBuf,
}

impl Rustc {
    fn ask() -> Result<Rustc> {
        let ask = |args: &[&str]| -> Result<String> {
            let output = Command::new("rustc").args(args).output().context("rustc")?;
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        let version = ask(&["-vV"])?;
        let host =
            version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc tells no host")?;
        let profdata = Path::new(&ask(&["--print", "sysroot"])?)
            .join("lib/rustlib")
            .join(host)
            .join("bin/llvm-profdata");
        ensure!(profdata.is_file(), "llvm-profdata is not installed: `rustup component add llvm-tools`");
        Ok(Rustc { host: host.to_owned(), profdata })
    }

    /// Builds the release binary with one more flag. The host is named, so that the flag is not for build scripts too.
    fn build(&self, folder: &Path, flag: &str) -> Result<PathBuf> {
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        let status = tool::cargo()
            .args(["build", "--quiet", "--release", "--package", "squall", "--bin", "squall"])
            .args(["--target", &self.host, "--target-dir"])
            .arg(folder)
            .env("RUSTFLAGS", format!("{flags} {flag}"))
            .status()?;
        ensure!(status.success(), "cargo build failed");
        Ok(folder.join(&self.host).join("release/squall"))
    }

    fn merge(&self, notes: &Path, profile: &Path) -> Result<()> {
        let status = Command::new(&self.profdata).arg("merge").arg("-o").arg(profile).arg(notes).status()?;
        ensure!(status.success(), "llvm-profdata merge failed");
        Ok(())
    }
}
