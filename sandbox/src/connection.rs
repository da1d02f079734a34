//! A TCP listener whose connections can be cut from inside a handler.
//!
//! Owns: the wrapper around the stream and the switch that cuts it.
//! Leaves to others: when to cut (`faults`, `server`).
//! A newcomer gets wrong: a cut connection sends nothing of the answer, because the flag is looked at before each write;
//! so the client sees what a crashed server or a broken proxy looks like, not a short answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The handle by which a handler cuts the connection that its request came on.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Connection {
    /// From now on nothing more is written to this connection.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// The port of the client: tells its connections apart.
    pub(super) fn peer_port(&self) -> u16 {
        self.peer.port()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Listens like [`TcpListener`], and hands a [`Connection`] with every connection.
pub(super) struct CuttableListener(pub(super) TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Answers are small and often the last word of a step; waiting for more to send only slows tests.
        let _ = stream.set_nodelay(true);
        let cut = Arc::new(AtomicBool::new(false));
        (CuttableStream { stream, cut: Arc::clone(&cut) }, Connection { peer, cut })
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Connection { peer: self.0.local_addr()?, cut: Arc::default() })
    }
}

/// A stream that refuses to write once it was cut.
pub(super) struct CuttableStream {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
