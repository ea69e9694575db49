//! By which way a message came into its lane's queue, and whose it is then.

use revoker::{
    broker::{
        route::{route, route_unhandled},
        topology::Names,
    },
    event::{Lane, Route},
};

#[test]
fn by_exchange_and_key() {
    let rows = [
        ("r.urgent", "accounts", Route::Lane),
        ("r.urgent", "r.urgent", Route::Lane),
        ("r.urgent.return", "accounts", Route::Lane),
        // By the queue's name, as `dest-queue` of a shovel does.
        ("", "r.urgent", Route::Past),
        // Bound by somebody with the right to do so.
        ("company.events", "session.revoke", Route::Past),
        ("amq.topic", "r.urgent", Route::Past),
        // A copy of what went to another queue, and what has a right to the other lane only.
        ("", "r.bulk", Route::Astray),
        ("", "somebodys-own", Route::Astray),
        ("", "", Route::Astray),
        ("r.bulk", "accounts", Route::Astray),
        ("r.bulk.return", "accounts", Route::Astray),
    ];
    let names = Names::new("r");
    for (exchange, key, wanted) in rows {
        let found = route(&names, Lane::Urgent, exchange, key);
        assert_eq!(found, wanted, "{exchange:?}, {key:?}");
    }
    assert_eq!(
        route(&names, Lane::Bulk, "r.urgent", "accounts"),
        Route::Astray
    );
}

#[test]
fn of_what_the_broker_dead_lettered() {
    assert_eq!(route_unhandled(Some("r.urgent")), Route::Lane);
    assert_eq!(route_unhandled(Some("")), Route::Past);
    assert_eq!(route_unhandled(None), Route::Lane);
}
