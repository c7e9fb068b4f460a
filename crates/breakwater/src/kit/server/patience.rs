//! A connection whose other end must not keep us waiting for ever.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// How an HTTP/2 client begins (RFC 9113, section 3.4). Until it is clear whether it does, nobody limits the wait but us.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Fails a write that the client takes nothing of for `limit`, and the read of a client that does not begin to speak within
/// it. Other reads are not limited here: heads, pauses between requests and bodies have limits of their own.
pub(super) struct Patience<S> {
    stream: S,
    limit: Duration,
    /// Until it is known what the client speaks.
    greeting: Option<Greeting>,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

struct Greeting {
    /// Bytes of the [`PREFACE`] that have come.
    read: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Greeting {
    /// Whether it is still not clear what the client speaks, after `bytes` more.
    fn goes_on(&mut self, bytes: &[u8]) -> bool {
        let rest = &PREFACE[self.read..];
        self.read += bytes.len();
        !bytes.is_empty() && bytes.len() < rest.len() && rest.starts_with(bytes)
    }
}

impl<S> Patience<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        let greeting = Greeting { read: 0, deadline: Box::pin(tokio::time::sleep(limit)) };
        Self { stream, limit, greeting: Some(greeting), waiting: None }
    }

    fn patient<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            return done;
        }
        let deadline = Instant::now() + self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its response")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        let this = &mut *self;
        if let Some(greeting) = &mut this.greeting {
            if done.is_pending() {
                ready!(greeting.deadline.as_mut().poll(context));
                let error = io::Error::new(io::ErrorKind::TimedOut, "the client says nothing");
                return Poll::Ready(Err(error));
            }
            if !greeting.goes_on(&buffer.filled()[before..]) {
                this.greeting = None;
            }
        }
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patient(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.patient(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(context);
        self.patient(context, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(context);
        self.patient(context, done)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(8);
        let mut near = Patience::new(near, Duration::from_secs(3));
        let begun = Instant::now();
        near.write_all(b"12345678").await.unwrap();
        let error = near.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_not() {
        let (near, mut far) = tokio::io::duplex(1);
        let mut near = Patience::new(near, Duration::from_secs(3));
        let reader = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(2)).await;
                tokio::io::AsyncReadExt::read_u8(&mut far).await.unwrap();
            }
        });
        near.write_all(b"12345").await.unwrap();
        reader.await.unwrap();
    }
}
