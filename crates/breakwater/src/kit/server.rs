//! Accepting connections, time limits of slow clients, draining at the end.

mod patience;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use patience::Patience;
use socket2::{Domain, Socket, Type};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use super::config::ServerSettings;

/// Connections that wait in the kernel to be accepted. The system's own limit (`net.core.somaxconn`) may be lower.
const BACKLOG: i32 = 8192;

/// Listens at `address`. Port 0 takes a free one.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves `router` until `stop`, then lets requests that have begun end, for as long as the settings allow.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &ServerSettings,
    stop: CancellationToken,
) {
    let patience = Duration::from_millis(settings.client_timeout_ms);
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(32 << 10);
    // Answers are short: copying head and body together costs less than sending them from two places.
    http.http1().writev(false);
    http.http2().timer(TokioTimer::new()).max_header_list_size(32 << 10).max_concurrent_streams(128);
    http.http2().keep_alive_interval(patience).keep_alive_timeout(patience);
    let http = Arc::new(http);
    let room = Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS)));
    let open = GracefulShutdown::new();
    loop {
        let accept = async {
            let place = room.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, mostly: it passes when connections end, and until then asking again is in vain.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Answers are written whole, so waiting for more to send would only delay them. Failing costs speed alone.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(Peer { address: peer, router: router.clone() });
        let (http, watcher) = (http.clone(), open.watcher());
        tokio::spawn(async move {
            let stream = TokioIo::new(Patience::new(stream, patience));
            let connection = http.serve_connection_with_upgrades(stream, service).into_owned();
            // Errors of a connection are its client's: it closed, was too slow, or spoke no HTTP.
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%peer, error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    let longest = Duration::from_millis(settings.drain_timeout_ms);
    if tokio::time::timeout(longest, open.shutdown()).await.is_err() {
        tracing::warn!("requests were still running after --drain-timeout-ms and are cut off");
    }
}

/// Tells handlers who is at the other end of the connection.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    router: Router,
}

impl tower::Service<http::Request<hyper::body::Incoming>> for Peer {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = axum::routing::future::RouteFuture<std::convert::Infallible>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<hyper::body::Incoming>) -> Self::Future {
        request.extensions_mut().insert(axum::extract::ConnectInfo(self.address));
        tower::Service::call(&mut self.router, request)
    }
}
