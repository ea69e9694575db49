//! A pretend Stytch in memory: users, sessions and tokens, and whatever faults a scenario gives it.
//!
//! Not the sandbox: no HTTP, and its latency passes on tokio's clock, which tests pause. Statuses and
//! error types go through the true `classify`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use revoker::revoke::{
    Api, Call, CallKind, Class, Reply, Session,
    outcome::{Failure, classify},
};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use super::journal::Journal;

/// From a call to its answer, unless a fault says otherwise.
pub(super) const LATENCY: Duration = Duration::from_millis(50);

/// An answer in place of the true one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    /// This status and error type; nothing is done.
    Says(u16, &'static str),
    /// 429 with a `Retry-After` of so many seconds.
    RetryAfter(u64),
    /// No answer of use; nothing is done.
    Fails(Failure),
    /// It is done, and the answer is lost.
    DoneButLost,
    /// The true answer, after this long.
    Slow(Duration),
    /// A bug in the client.
    Panics,
}

/// A call as a fault sees it.
pub(super) struct Asked<'a> {
    /// `revoke s1`, `revoke token`, `list u1` or `canary`.
    pub(super) call: &'a str,
    /// The how manieth call of that text, from 1.
    pub(super) nth: u32,
    /// Since the world began.
    pub(super) now: Duration,
}

type Fault = Box<dyn FnMut(&Asked<'_>) -> Option<Answer> + Send>;

/// A user's session.
struct Kept {
    user: String,
    started_at: Timestamp,
    alive: bool,
    /// Stays in the list although a revoke says that it is gone.
    ghost: bool,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, Kept>,
    tokens: HashMap<String, String>,
    faults: Vec<Fault>,
    calls: HashMap<String, u32>,
}

struct Shared {
    journal: Journal,
    state: Mutex<State>,
    secret_changed: AtomicBool,
    on_wire: AtomicU32,
    on_wire_max: AtomicU32,
}

/// The fake, and the handle to it.
#[derive(Clone)]
pub(super) struct Stytch(Arc<Shared>);

/// The id of session or user number `n`, written `s1` or `u1` in the journal.
pub(super) fn session(n: u64) -> String {
    format!("session-test-00000000-0000-4000-8000-{n:012}")
}

pub(super) fn user(n: u64) -> String {
    format!("user-test-00000000-0000-4000-8000-{n:012}")
}

/// The token of session number `n`.
pub(super) fn token(n: u64) -> String {
    format!("mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8{n:08}")
}

fn short(id: &str) -> String {
    let number = id.rsplit('-').next().unwrap();
    match number.parse::<u64>() {
        Ok(n) => format!("{}{n}", &id[..1]),
        Err(_) => id.to_owned(),
    }
}

impl Stytch {
    pub(super) fn new(journal: &Journal) -> Self {
        Self(Arc::new(Shared {
            journal: journal.clone(),
            state: Mutex::default(),
            secret_changed: AtomicBool::new(false),
            on_wire: AtomicU32::new(0),
            on_wire_max: AtomicU32::new(0),
        }))
    }

    /// Opens session `n` of user `user`, with token `n`.
    pub(super) fn open(&self, n: u64, user_n: u64, started_at: &str) {
        self.open_as(n, user_n, started_at, false);
    }

    /// Lists a session that every revoke calls unknown.
    pub(super) fn haunt(&self, n: u64, user_n: u64, started_at: &str) {
        self.open_as(n, user_n, started_at, true);
    }

    fn open_as(&self, n: u64, user_n: u64, started_at: &str, ghost: bool) {
        let mut state = self.0.state.lock().unwrap();
        state.tokens.insert(token(n), session(n));
        let kept = Kept {
            user: user(user_n),
            started_at: started_at.parse().unwrap(),
            alive: true,
            ghost,
        };
        state.sessions.insert(session(n), kept);
    }

    pub(super) fn is_alive(&self, n: u64) -> bool {
        let state = self.0.state.lock().unwrap();
        state.sessions.get(&session(n)).is_some_and(|s| s.alive)
    }

    /// Adds a fault; the first that gives an answer wins.
    pub(super) fn fault(&self, fault: impl FnMut(&Asked<'_>) -> Option<Answer> + Send + 'static) {
        self.0.state.lock().unwrap().faults.push(Box::new(fault));
    }

    /// Takes all faults away.
    pub(super) fn heal(&self) {
        self.0.state.lock().unwrap().faults.clear();
    }

    /// The secret file has changed.
    pub(super) fn change_secret(&self) {
        self.0.secret_changed.store(true, Ordering::Relaxed);
    }

    /// The most calls that were on the wire at once.
    pub(super) fn on_wire_max(&self) -> u32 {
        self.0.on_wire_max.load(Ordering::Relaxed)
    }

    fn faulty(&self, text: &str) -> Option<Answer> {
        let now = self.0.journal.now();
        let state = &mut *self.0.state.lock().unwrap();
        let nth = state.calls.entry(text.to_owned()).or_default();
        *nth += 1;
        let asked = Asked {
            call: text,
            nth: *nth,
            now,
        };
        state.faults.iter_mut().find_map(|fault| fault(&asked))
    }

    fn revoke(&self, id: &str) -> Class {
        let mut state = self.0.state.lock().unwrap();
        match state.sessions.get_mut(id) {
            Some(session) if session.alive && !session.ghost => {
                session.alive = false;
                Class::Revoked
            }
            _ => Class::AlreadyGone,
        }
    }

    fn truly(&self, call: &Call) -> (Class, Vec<Session>) {
        match call {
            Call::RevokeSession(id) | Call::Canary(id) => (self.revoke(id), vec![]),
            Call::RevokeToken(token) => {
                let state = self.0.state.lock().unwrap();
                let id = state.tokens.get(token.expose_secret()).cloned();
                drop(state);
                (self.revoke(&id.unwrap_or_default()), vec![])
            }
            Call::ListSessions(user) => {
                let state = self.0.state.lock().unwrap();
                let theirs = || state.sessions.iter().filter(|(_, s)| s.user == *user);
                if theirs().next().is_none() {
                    return (Class::AlreadyGone, vec![]);
                }
                let listed = theirs().filter(|(_, s)| s.alive).map(|(id, s)| Session {
                    session_id: id.clone(),
                    started_at: s.started_at,
                });
                (Class::Revoked, listed.collect())
            }
        }
    }

    async fn answer(&self, call: &Call, text: &str) -> (Class, Vec<Session>, Answer) {
        let answer = self.faulty(text).unwrap_or(Answer::Slow(LATENCY));
        assert!(
            answer != Answer::Panics,
            "the client panics, as it was told"
        );
        let (class, sessions) = match answer {
            Answer::Slow(latency) => {
                sleep(latency).await;
                self.truly(call)
            }
            Answer::DoneButLost => {
                sleep(LATENCY).await;
                self.truly(call);
                (Class::Retryable(Failure::Timeout), vec![])
            }
            Answer::Says(status, word) => {
                sleep(LATENCY).await;
                (classify(status, (!word.is_empty()).then_some(word)), vec![])
            }
            Answer::RetryAfter(_) => {
                sleep(LATENCY).await;
                (Class::RateLimited, vec![])
            }
            Answer::Fails(failure) => {
                sleep(LATENCY).await;
                (Class::Retryable(failure), vec![])
            }
            Answer::Panics => unreachable!("it has panicked"),
        };
        (class, sessions, answer)
    }
}

impl Api for Stytch {
    async fn call(&self, call: &Call) -> Reply {
        let text = match call {
            Call::RevokeSession(id) => format!("revoke {}", short(id)),
            Call::RevokeToken(_) => "revoke token".to_owned(),
            Call::ListSessions(id) => format!("list {}", short(id)),
            Call::Canary(_) => "canary".to_owned(),
        };
        self.0.journal.note(text.clone());
        let now = self.0.on_wire.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.on_wire_max.fetch_max(now, Ordering::Relaxed);
        let _off_wire = OffWire(self);
        let sent = Instant::now();
        let (class, sessions, answer) = self.answer(call, &text).await;
        let unknown = match call.kind() {
            CallKind::List => "user_not_found",
            _ => "session_not_found",
        };
        let (status, word) = match answer {
            Answer::Slow(_) if class == Class::AlreadyGone => (Some(404), Some(unknown.to_owned())),
            Answer::Says(status, word) => (Some(status), Some(word.to_owned())),
            Answer::RetryAfter(_) => (Some(429), Some("too_many_requests".to_owned())),
            _ => (None, None),
        };
        Reply {
            class,
            status,
            request_id: Some("request-id-test-1".to_owned()),
            error_type: word.filter(|word| !word.is_empty()),
            retry_after: match answer {
                Answer::RetryAfter(seconds) => Some(Duration::from_secs(seconds)),
                _ => None,
            },
            sessions,
            elapsed: sent.elapsed(),
        }
    }

    fn reload_secret(&self) -> bool {
        self.0.secret_changed.swap(false, Ordering::Relaxed)
    }
}

/// Counts a call off the wire, a panicking one too.
struct OffWire<'a>(&'a Stytch);

impl Drop for OffWire<'_> {
    fn drop(&mut self) {
        self.0.0.on_wire.fetch_sub(1, Ordering::Relaxed);
    }
}
