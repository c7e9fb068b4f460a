//! A TCP proxy in front of a server, that can lose it: connections end, are refused, or fall silent.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What the way to the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Takes everything to it.
    Open,
    /// Ends every connection at once.
    Cut,
    /// Keeps connections and takes nothing any more: a machine that went away without a word.
    Silent,
}

/// The proxy. Dropping it ends it and what goes through it.
pub(crate) struct Proxy {
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
    /// The server's URL by way of the proxy.
    pub(crate) url: String,
}

impl Proxy {
    /// A proxy before the server of `url`, which names it by address and port.
    pub(crate) async fn before(url: &str) -> Self {
        let server: SocketAddr = host(url).parse().expect("the URL has an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("it is bound").to_string();
        let (way, seen) = watch::channel(Way::Open);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("accepting goes on");
                tokio::spawn(carry(client, server, seen.clone()));
            }
        });
        Self { way, accepting, url: url.replacen(host(url), &here, 1) }
    }

    /// Changes the way. Connections of before end, except when they fall silent.
    pub(crate) fn turn(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.turn(Way::Cut);
        self.accepting.abort();
    }
}

/// `127.0.0.1:5432` of `postgres://user:password@127.0.0.1:5432/database`.
fn host(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a URL");
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', '?']).next().expect("split gives something")
}

async fn carry(mut client: TcpStream, server: SocketAddr, mut way: watch::Receiver<Way>) {
    let begun = *way.borrow_and_update();
    if begun == Way::Open {
        let Ok(mut upstream) = TcpStream::connect(server).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut upstream) => return,
            _ = way.changed() => {}
        }
        // The server is held on to as well: it shall not notice either.
        if *way.borrow_and_update() == Way::Silent {
            let _ = way.changed().await;
        }
    } else if begun == Way::Silent {
        let _ = way.changed().await;
    }
}
