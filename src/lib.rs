//! Revoker: a background worker that makes sure that a session which must die, dies.
//!
//! It consumes "revoke session" events from RabbitMQ, calls Stytch's Revoke Session API, sends what
//! cannot be done to a dead-letter queue and exports Prometheus metrics.
//!
//! # Five promises
//!
//! 1. No confirmed event is lost: it is revoked, dead-lettered, or still queued.
//! 2. A message is acked only after what follows from it (a retry, a dead letter, a bulk outcome) is confirmed.
//! 3. A fault that is not the message's own (429, outage, bad credentials, broker trouble) never
//!    dead-letters it and costs it no attempt.
//! 4. Bulk never delays urgent.
//! 5. No credential (session token, JWT, API secret, broker password) leaves the process in clear
//!    except to the API.
//!
//! # The map
//!
//! One folder per stage; alphabetical order is the order of the flow, with the life of one message
//! told in [`worker`].
//!
//! | module | what happens there | may name |
//! |---|---|---|
//! | [`broker`] | RabbitMQ: connect, topology, consume, publish; the only one that names `lapin` | `event::message`, `settle`'s traits and formats, `tls` |
//! | [`campaign`] | a list that must all be logged out, and the proof of it: formats, identities, sums | `event` |
//! | [`cli`] | one subcommand a file | everything |
//! | [`config`] | flags and `REVOKER_*` variables into the stages' setting structs, all errors at once | the stages' setting structs, `tls` |
//! | [`event`] | what we were asked to do: bytes to an event or a rejection | nothing |
//! | [`gate`] | may this call go now? lanes, dedupe, rate, breaker, and how much is taken in | `event` |
//! | [`revoke`] | the Stytch call and what its answer means; the pretend API | `event`, `tls` |
//! | [`settle`] | what becomes of the message: verdict, delay, seal, publish and only then ack | `event`, `revoke::outcome` |
//! | [`telemetry`] | metrics, logs, the admin port | the closed sets of `broker`, `event`, `revoke` and `settle`, for labels |
//! | [`tls`] | the files of TLS, what is wrong with them, and what a failed handshake means | nothing |
//! | [`shutdown`] | signals to a token, a drain with a deadline, how it ended | nothing |
//! | [`failpoint`] | where a test may end the process; empty without the feature `failpoints` | nothing |
//! | [`worker`] | decode, gate, call, classify, settle: one message's life | everything |
//!
//! Three seams and no more: [`revoke::Api`], [`settle::Outbox`] with its [`settle::Receipt`], and the wall
//! clock, a function; deliveries are any stream. Tests put fakes there and pause tokio's clock.
//!
//! Decisions are pure (`now`, randomness and limits come in, facts go out); I/O is at the edges.

pub mod broker;
pub mod campaign;
pub mod cli;
pub mod config;
pub mod event;
pub mod failpoint;
pub mod gate;
pub mod revoke;
pub mod settle;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod worker;
