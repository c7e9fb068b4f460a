//! A connected byte stream, plain or encrypted, that counts what crosses the wire.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::network::{Link, Passage, Shaped};

/// Raw bytes of a VU's connections, TLS included: `data_sent` and `data_received`; and the network they go through.
#[derive(Debug, Default)]
pub struct Traffic {
    sent_bytes: Cell<u64>,
    received_bytes: Cell<u64>,
    link: RefCell<Option<Rc<Link>>>,
}

impl Traffic {
    /// The bytes sent and received since the last call.
    pub fn take(&self) -> (u64, u64) {
        (self.sent_bytes.take(), self.received_bytes.take())
    }

    /// Has connections that are made from now on go through this network; none is the machine's own.
    pub fn set_link(&self, link: Option<Rc<Link>>) {
        self.link.replace(link);
    }

    /// Whether a network profile shapes the connections that are made now.
    pub fn is_shaped(&self) -> bool {
        self.link.borrow().is_some()
    }

    /// The network of connections that are made now.
    pub fn link(&self) -> Option<Rc<Link>> {
        self.link.borrow().clone()
    }

    /// Counts bytes that other protocols moved for this VU.
    pub fn add(&self, sent_bytes: u64, received_bytes: u64) {
        self.sent_bytes.set(self.sent_bytes.get() + sent_bytes);
        self.received_bytes.set(self.received_bytes.get() + received_bytes);
    }
}

/// TCP, counted.
#[derive(Debug)]
pub(crate) struct Counted {
    tcp: Tcp,
    traffic: Rc<Traffic>,
}

#[derive(Debug)]
enum Tcp {
    Direct(TcpStream),
    Shaped(Box<Shaped<TcpStream>>),
}

impl Counted {
    /// Over the traffic's network, if it has one.
    pub(crate) fn new(tcp: TcpStream, traffic: Rc<Traffic>) -> Self {
        let tcp = match traffic.link() {
            None => Tcp::Direct(tcp),
            Some(link) => Tcp::Shaped(Box::new(Shaped::new(tcp, link))),
        };
        Self { tcp, traffic }
    }

    /// The beginning of an exchange, where a network profile takes part of its time.
    pub(crate) fn passage(&self) -> Option<Passage> {
        match &self.tcp {
            Tcp::Direct(_) => None,
            Tcp::Shaped(tcp) => Some(tcp.passage()),
        }
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.tcp {
            Tcp::Direct(tcp) => tcp.poll_read_ready(cx),
            Tcp::Shaped(tcp) => tcp.poll_readable(cx),
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(match &mut self.tcp {
            Tcp::Direct(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Tcp::Shaped(tcp) => Pin::new(tcp).poll_read(cx, buf),
        })?;
        self.traffic.add(0, (buf.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.tcp {
            Tcp::Direct(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Tcp::Shaped(tcp) => Pin::new(tcp).poll_write(cx, buf),
        })?;
        self.traffic.add(written as u64, 0);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.tcp {
            Tcp::Direct(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Tcp::Shaped(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
        })?;
        self.traffic.add(written as u64, 0);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.tcp {
            Tcp::Direct(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Tcp::Shaped(tcp) => Pin::new(tcp).poll_shutdown(cx),
        }
    }
}

/// A connection to a server. Dropping it closes it.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Plain(Counted),
    Tls(Box<TlsStream<Counted>>),
}

impl Stream {
    pub(crate) fn plain(tcp: Counted) -> Self {
        Self(Kind::Plain(tcp))
    }

    pub(crate) fn tls(tls: TlsStream<Counted>) -> Self {
        Self(Kind::Tls(Box::new(tls)))
    }

    /// Whether there is something to read, or the end; else the caller is woken when there is. Without a network
    /// profile it costs no system call. Knows nothing of bytes that TLS has read and not handed on.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(counted) => counted.poll_readable(cx),
            Kind::Tls(tls) => tls.get_mut().0.poll_readable(cx),
        }
    }

    /// The beginning of an exchange, where a network profile takes part of its time.
    pub fn passage(&self) -> Option<Passage> {
        match &self.0 {
            Kind::Plain(counted) => counted.passage(),
            Kind::Tls(tls) => tls.get_ref().0.passage(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Kind::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Kind::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Kind::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Kind::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Kind::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_lean() {
        assert_eq!(size_of::<Tcp>(), size_of::<TcpStream>(), "without a profile it is a socket");
        assert!(size_of::<Shaped<TcpStream>>() <= 400, "{}", size_of::<Shaped<TcpStream>>());
    }
}
