//! How a delivery came into its queue: through the lane's exchange, past it, or astray.
//!
//! Pure. The exchange is the lane, as a right, and the routing key is the publisher, by topic permissions
//! on that exchange: neither is worth anything in a message that came another way. Headers are not asked:
//! `BCC` is taken out by the broker, and a `CC` that leads nowhere harms nobody.

use super::topology::Names;
use crate::event::{Lane, Route};

/// The default exchange: it takes a message to the queue that its routing key names.
const DEFAULT_EXCHANGE: &str = "";

/// How a message came into the queue of that lane.
pub fn route(names: &Names, lane: Lane, exchange: &str, routing_key: &str) -> Route {
    if exchange == names.lane(lane) || exchange == names.back(lane) {
        return Route::Lane;
    }
    let is_ours = |other: &Lane| exchange == names.lane(*other) || exchange == names.back(*other);
    // Only the first of the keys by which it was published stands on a delivery: where it names another
    // queue, a further one brought the message here.
    let is_copied = exchange == DEFAULT_EXCHANGE && routing_key != names.lane(lane);
    match is_copied || Lane::ALL.iter().any(is_ours) {
        true => Route::Astray,
        false => Route::Past,
    }
}

/// How the broker came to hold a message that it dead-lettered itself. `exchange`: the one it was first
/// published to, by the broker's header, which is only ever used for the publisher's name.
pub fn route_unhandled(exchange: Option<&str>) -> Route {
    match exchange {
        Some(DEFAULT_EXCHANGE) => Route::Past,
        _ => Route::Lane,
    }
}
