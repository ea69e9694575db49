//! A door before the pretend API, which can be closed: connections that stand are cut, and new ones
//! are refused, as by a server that is not there.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Connections that may wait to be taken.
const WAITING_MAX: u32 = 1024;

/// A door; it closes with its value.
pub(crate) struct Door {
    /// The pretend API's URL for those who come through it.
    pub(crate) url: String,
    leads_to: SocketAddr,
    /// Holds the port without anybody listening, so that nobody else gets it while it is closed.
    held: TcpSocket,
    open: Option<JoinHandle<()>>,
}

impl Door {
    /// An open door to a server at `url`.
    pub(crate) fn before(url: &str) -> Self {
        let held = socket();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = url.strip_prefix("http://").expect("it is plain HTTP");
        let mut door = Self {
            url: format!("http://{}", held.local_addr().unwrap()),
            leads_to: address.parse().unwrap(),
            held,
            open: None,
        };
        door.open();
        door
    }

    /// Opens it.
    pub(crate) fn open(&mut self) {
        let listener = socket();
        listener.bind(self.held.local_addr().unwrap()).unwrap();
        let listener = listener.listen(WAITING_MAX).unwrap();
        self.open = Some(tokio::spawn(serve(listener, self.leads_to)));
    }

    /// Closes it. Returns once nobody listens any more.
    pub(crate) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.abort();
            let _ = open.await;
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            open.abort();
        }
    }
}

/// A socket whose port may be bound by another of ours, as long as only one of them listens.
fn socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket
}

async fn serve(listener: TcpListener, leads_to: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut far = TcpStream::connect(leads_to).await?;
            copy_bidirectional(&mut near, &mut far).await
        });
        while connections.try_join_next().is_some() {}
    }
}
