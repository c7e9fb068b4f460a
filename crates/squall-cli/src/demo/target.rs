//! The service to try Squall on: Breakwater's Connex in this process, with its data in memory.

use std::{net::SocketAddr, thread::JoinHandle};

use breakwater::{
    kit::config::Settings,
    service::{Service, System},
};
use tokio::{runtime, sync::oneshot};

/// Users that there are at the start, with the password of the admin.
const USERS: u32 = 1000;
const ADMIN: &str = "admin@example.com:breakwater-demo";

/// The service, on a thread of its own until it is dropped.
pub struct Target {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    /// Starts it at `address`; port 0 is any free port.
    pub fn start(address: SocketAddr) -> anyhow::Result<Target> {
        let mut settings = Settings::default();
        settings.server.listen = address;
        settings.connex.connex_seed = USERS;
        settings.connex.connex_admin = vec![ADMIN.into()];
        // All load comes from one address.
        settings.connex.connex_sign_ins_per_address = 0;
        settings.connex.connex_sign_ins_per_account = 0;
        // One thread of the machine's few: the rest are Squall's.
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let service = runtime.block_on(Service::start(System::Connex, settings))?;
        let address = service.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve_until_stopped = move || {
            runtime.block_on(async {
                // An error is the sender dropped, which also means the end.
                let _ = stopped.await;
                service.stop().await;
            });
        };
        let thread = std::thread::Builder::new().name("demo-target".into()).spawn(serve_until_stopped)?;
        Ok(Target { address, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the target has been printed; the run's result stands.
            let _ = thread.join();
        }
    }
}
