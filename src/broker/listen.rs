//! What the library tells of a connection while it stands: which of it ends the session.
//!
//! An error of one channel ends it where the channel is one of the session's own. Not where whoever
//! uses the channel hears of it himself, and the others go on without it.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::{Connection, Event};

use super::{Fact, Role, Watch, explain, link::Link, topology::Names};

/// Listens until the link is down.
pub(super) fn listen(
    connection: &Connection,
    role: Role,
    link: &Arc<Link>,
    watch: &Watch,
    names: &Names,
) {
    let mut events = Box::pin(connection.events_listener());
    let (link, watch) = (Arc::clone(link), Arc::clone(watch));
    let status = connection.status().clone();
    let control = format!("'{}'", names.control());
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = link.failed() => return,
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(
                        reason,
                        next = "wait until the broker unblocks us",
                        "the broker blocks publishing"
                    );
                    watch(Fact::Blocked(true));
                }
                Some(Event::ConnectionUnblocked) => watch(Fact::Blocked(false)),
                Some(Event::Error(error))
                    if error.is_amqp_soft_error()
                        && status.connected()
                        && is_one_channels(&error, role, &control) => {}
                Some(Event::Error(error)) => {
                    link.fail(format!("the {} connection failed: {error}", role.as_str()))
                }
                Some(_) => {}
                None => return link.fail(format!("the {} connection ended", role.as_str())),
            }
        }
    });
}

/// Whether a channel was closed over a right we lack, or what is not there, and only who uses it needs
/// to know: whoever publishes, or reads the operator's stream, which the broker's words name.
fn is_one_channels(error: &lapin::Error, role: Role, control: &str) -> bool {
    match role {
        Role::Publisher => true,
        Role::Consumer => explain::error(error).to_string().contains(control),
    }
}
