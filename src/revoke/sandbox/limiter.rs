//! Every limit at work: may this call be taken now?
//!
//! Pure: `now` comes in, and the same calls at the same times are always answered in the same way.
//! Memory is bounded: there are a few meters for the project, and those of a user go when that user
//! has made no call for a period.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    limit::{Endpoint, Limit, Limits, Scope, Window},
    meter::Meter,
};

/// The state of the limits.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    /// By endpoint, or all of them in the first.
    shared: [Vec<Meter>; Endpoint::ALL.len()],
    /// By the number that stands for a user.
    users: HashMap<usize, Vec<Meter>>,
    search: Option<Meter>,
    users_swept_us: i64,
}

impl Limiter {
    /// A limiter that has seen no call yet.
    pub fn new(limits: Limits) -> Self {
        let shared = std::array::from_fn(|_| meters(&limits, limits.shared()));
        let search = limits.search;
        let search = search.map(|limit| Meter::new(limit, Window::Fixed, limits.burst));
        Self {
            search,
            limits,
            shared,
            users: HashMap::new(),
            users_swept_us: i64::MIN,
        }
    }

    /// The limits it keeps.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether it matters whom a call is about.
    pub fn asks_for_users(&self) -> bool {
        self.limits.of_a_user().next().is_some()
    }

    /// Takes a call if every limit has room for it at `now`; false is an answer of 429. `user` is
    /// any number that stands for the user the call is about.
    ///
    /// What is refused is counted against no limit, or against all of them; see
    /// [`Limits::count_refused`].
    pub fn take(&mut self, endpoint: Endpoint, user: Option<usize>, now: Timestamp) -> bool {
        let now_us = now.as_microsecond();
        self.forget_idle_users(now_us);
        let Self {
            limits,
            shared,
            users,
            search,
            ..
        } = self;
        let slot = match limits.scope {
            Scope::Endpoint => endpoint as usize,
            Scope::Project | Scope::User => 0,
        };
        let user = user.filter(|_| limits.of_a_user().next().is_some());
        let mut own = user.map(|user| {
            let fresh = || meters(limits, limits.of_a_user());
            users.entry(user).or_insert_with(fresh)
        });
        let own = own.iter_mut().flat_map(|meters| meters.iter_mut());
        let search = search.iter_mut().filter(|_| endpoint == Endpoint::Search);
        let mut all: Vec<&mut Meter> = shared[slot].iter_mut().chain(own).chain(search).collect();
        let mut room = true;
        for meter in &mut all {
            meter.advance(now_us);
            room &= meter.has_room();
        }
        if room || limits.count_refused {
            for meter in all {
                meter.count(now_us);
            }
        }
        room
    }

    /// Once a period, so that its work is spread over the calls of one.
    fn forget_idle_users(&mut self, now_us: i64) {
        let periods = self.limits.of_a_user().map(|limit| limit.period.micros());
        let every_us = periods.max().unwrap_or(i64::MAX);
        let since_us = now_us.saturating_sub(self.users_swept_us);
        if self.users.is_empty() || (0..every_us).contains(&since_us) {
            return;
        }
        self.users_swept_us = now_us;
        self.users.retain(|_, meters| {
            meters.iter_mut().any(|meter| {
                meter.advance(now_us);
                !meter.is_idle()
            })
        });
    }

    /// How many calls it has logged for sliding windows.
    pub fn logged(&self) -> usize {
        let meters = self.shared.iter().chain(self.users.values()).flatten();
        meters.map(Meter::logged).sum()
    }

    /// How many users it remembers calls of.
    pub fn users(&self) -> usize {
        self.users.len()
    }
}

fn meters<'a>(limits: &Limits, of: impl Iterator<Item = &'a Limit>) -> Vec<Meter> {
    of.map(|limit| Meter::new(*limit, limits.window, limits.burst))
        .collect()
}
