//! nginx with the configuration of `benches/`, on a free port and in a folder of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{process, tool};

/// A running nginx. Dropping it ends it.
pub(super) struct Nginx {
    child: Child,
    /// Where it listens, `http://127.0.0.1:PORT/`.
    pub(super) url: String,
    /// What it says of itself, `nginx version: nginx/1.22.1`.
    pub(super) version: String,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts nginx and waits until it listens.
    pub(super) fn start() -> Result<Nginx> {
        let program = tool::nginx()?;
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let template = fs::read_to_string(tool::root().join("benches/nginx.conf"))?;
        let directory = folder.path().display().to_string();
        let config = folder.path().join("nginx.conf");
        fs::write(&config, template.replace("@PORT@", &port.to_string()).replace("@DIR@", &directory))?;
        // nginx tells its version on standard error.
        let version =
            String::from_utf8_lossy(&Command::new(&program).arg("-v").output()?.stderr).trim().to_owned();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&config)
            .args(["-e", "stderr"])
            .spawn()?;
        let mut nginx = Nginx { child, url: format!("http://127.0.0.1:{port}/"), version, _folder: folder };
        nginx.wait_for(port)?;
        Ok(nginx)
    }

    fn wait_for(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.try_wait().context("waiting for nginx")? {
                bail!("nginx ended at once: {status}");
            }
            if Instant::now() > deadline {
                bail!("nginx does not listen");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        process::signal(self.child.id(), libc::SIGTERM);
        let _ = self.child.wait();
    }
}
