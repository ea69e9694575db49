//! The faults that must not break the promise, eighteen rows of them, each over a ledger.
//!
//! | row | fault |
//! |---|---|
//! | 1 | the worker is killed, again and again |
//! | 2 | it is killed at each point where a message is between two states |
//! | 3 | the broker is killed |
//! | 4 | the network swallows everything for a while |
//! | 5 | the network is slow and lossy |
//! | 6 | the broker blocks publishers: a memory or disk alarm |
//! | 7 | dead letters, retries or outcomes cannot be stored |
//! | 8 | the API is down |
//! | 9 | the API answers 429, with and without Retry-After |
//! | 10 | the API refuses our credentials until the secret file changes |
//! | 11 | the clock jumps |
//! | 12 | the API answers slowly, endlessly, or with too much |
//! | 13 | a backlog of a million, and poison of every kind |
//! | 14 | queue, permission, policy or certificate go away under us |
//! | 15 | rolling restarts under load |
//! | 16 | an outage, and a rate block, longer than the broker lets a delivery be held |
//! | 17 | poison ahead of good events, forged headers, floods |
//! | 18 | another project, and another version, on the same names |
//!
//! A test names its row: `row_01_…`; a row may have several. Each ends with a [`row::Row`], of which
//! `tests/run faults` and `tests/soak` make their table. Rows come in three forms, see [`form`].

mod api_down;
mod backlog;
mod bad_credentials;
mod broker_alarm;
mod broker_killed;
mod clock_jumps;
mod evil;
mod evil_api;
mod fail_points;
mod flood;
pub(crate) mod form;
mod foul_publisher;
mod leader_killed;
mod long_hold;
mod network_cut;
mod poison_first;
mod rate_storm;
mod refused_kinds;
mod rolling_restart;
pub(crate) mod row;
mod slow_network;
mod taken_away;
mod two_projects;
mod unanswered;
mod unrecorded;
mod unsaved;
mod worker_killed;
