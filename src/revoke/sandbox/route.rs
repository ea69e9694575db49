//! From a request to its answer: the pretend project, in the API's order of doing things.
//!
//! route → plan's `answer_all` → authentication → content type → rate limit → JSON → number of
//! targets → format → faults by id and by rate → existence → 200. The rate limit stands after
//! authentication because it is a limit per project, and before complaints about the body because a
//! limit that let wrong calls pass would save nothing; where Stytch's own stands is not documented. A
//! limit per user stands there, too, and reads the body only for the user's sake. Faults come after
//! it: an answered 500 has used the limit.

use fastrand::Rng;
use hyper::http::request::Parts;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Settings,
    answer::{Answer, Delivery},
    errors::ApiError,
    faults::{Fault, Faults, Odd},
    ids::{self, Kind},
    limit::Endpoint,
    limiter::Limiter,
    plan::{Plan, PlanError},
    request::{self, Target},
    retry_after::RetryAfter,
    search::{self, Search},
    seed::SeedError,
    stats::Stats,
    world::{SessionAt, UserAt, World},
};
use crate::event::Environment;

/// The pretend project: everything a request can see or change.
#[derive(Debug)]
pub(super) struct Project {
    id: String,
    secret: SecretString,
    environment: Environment,
    seed: u64,
    accept_any: bool,
    gone_answers_200: bool,
    pub(super) world: World,
    limiter: Limiter,
    faults: Faults,
    retry_after: Option<RetryAfter>,
    pub(super) stats: Stats,
    /// For request ids; one of its own, so that traffic does not change the ids of sessions.
    rng: Rng,
    /// Requests so far that named nothing in the world.
    strangers: u64,
}

/// Why the sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Seed(#[from] SeedError),
}

impl Project {
    pub(super) fn new(settings: &Settings, now: Timestamp) -> Result<Self, ProjectError> {
        let environment = ids::environment_of(&settings.project_id);
        let mut world = World::new(environment, settings.seed);
        world.seed(&settings.preload, now)?;
        Ok(Self {
            id: settings.project_id.clone(),
            secret: settings.secret.clone(),
            environment,
            seed: settings.seed,
            accept_any: settings.accept_any,
            gone_answers_200: settings.gone_answers_200,
            world,
            limiter: Limiter::new(settings.plan.limit.limits()?),
            faults: Faults::new(&settings.plan, settings.seed)?,
            retry_after: settings.plan.retry_after()?,
            stats: Stats::default(),
            rng: Rng::with_seed(!settings.seed),
            strangers: 0,
        })
    }

    /// Puts a plan in force; limits that stay the same keep their counts.
    pub(super) fn set_plan(&mut self, plan: &Plan) -> Result<(), PlanError> {
        let (limits, retry_after) = (plan.limit.limits()?, plan.retry_after()?);
        self.faults = Faults::new(plan, self.seed)?;
        self.retry_after = retry_after;
        if limits != *self.limiter.limits() {
            self.limiter = Limiter::new(limits);
        }
        Ok(())
    }

    /// Answers a request to the API.
    pub(super) fn answer(&mut self, parts: &Parts, body: &[u8], now: Timestamp) -> Answer {
        let routed = request::route(parts);
        self.stats.called(routed.as_ref().ok().copied(), now);
        let answer = match routed {
            Ok(endpoint) => {
                let fault = self.faults.for_all();
                self.unless(fault, |project| project.serve(endpoint, parts, body, now))
            }
            Err(error) => self.error(error),
        };
        self.stats.answered(&answer);
        answer
    }

    /// The fault's answer, or the true one. Two faults do what was asked and spoil only the answer.
    fn unless(
        &mut self,
        fault: Option<Fault>,
        genuine: impl FnOnce(&mut Self) -> Result<Answer, ApiError>,
    ) -> Answer {
        let (fault, delivery) = match fault {
            Some(fault @ Fault::Odd(Odd::Lost)) => (fault, Delivery::Reset),
            Some(fault @ Fault::Odd(Odd::SlowBody)) => (fault, Delivery::Slow),
            Some(fault) => {
                let request_id = self.request_id();
                return Answer::faulty(fault, &request_id, self.retry_after);
            }
            None => return genuine(self).unwrap_or_else(|error| self.error(error)),
        };
        let answer = genuine(self).unwrap_or_else(|error| self.error(error));
        Answer {
            fault: Some(fault.word()),
            ..answer.delivered(delivery)
        }
    }

    fn serve(
        &mut self,
        endpoint: Endpoint,
        parts: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Answer, ApiError> {
        request::authorize(&parts.headers, &self.id, self.secret.expose_secret())?;
        request::content_type(parts)?;
        let user = if self.limiter.asks_for_users() {
            self.user_of(endpoint, parts, body)
        } else {
            None
        };
        let taken = self.limiter.take(endpoint, user.map(UserAt::number), now);
        self.stats.limited(endpoint, taken, now);
        if !taken {
            return Err(ApiError::known("too_many_requests"));
        }
        match endpoint {
            Endpoint::Revoke => self.revoke(body, now),
            Endpoint::List => self.list(parts),
            Endpoint::Whoami => Ok(self.whoami()),
            Endpoint::Search => self.search(body),
        }
    }

    /// Whom a request is about, if it names anyone known.
    fn user_of(&self, endpoint: Endpoint, parts: &Parts, body: &[u8]) -> Option<UserAt> {
        match endpoint {
            Endpoint::Revoke => {
                let target = Target::parse(body, self.environment).ok()?;
                self.session(&target).map(|at| self.world.owner(at))
            }
            Endpoint::List => {
                let name = request::query(parts, "user_id")?;
                let id = ids::parse(Kind::User, self.environment, name)?;
                self.world.by_user_id(id)
            }
            Endpoint::Whoami | Endpoint::Search => None,
        }
    }

    fn session(&self, target: &Target) -> Option<SessionAt> {
        match target {
            Target::Id(id) => self.world.by_session_id(*id),
            Target::Token(token) => self.world.by_token(token),
        }
    }

    fn revoke(&mut self, body: &[u8], now: Timestamp) -> Result<Answer, ApiError> {
        let target = Target::parse(body, self.environment)?;
        let found = self.session(&target);
        let nth = match found {
            Some(at) => u64::from(self.world.name_session(at)),
            None => self.stranger(),
        };
        let fault = self.faults.pick(&target.name(self.environment), nth);
        Ok(self.unless(fault, |project| {
            let revokes = &mut project.stats.revokes;
            let (count, done) = match found {
                Some(at) if project.world.revoke(at, now) => (&mut revokes.revoked, true),
                Some(_) => (
                    &mut revokes.gone,
                    project.gone_answers_200 || project.accept_any,
                ),
                None => (&mut revokes.unknown, project.accept_any),
            };
            *count += 1;
            if !done {
                return Err(ApiError::known("session_not_found"));
            }
            Ok(Answer::done(&project.request_id()))
        }))
    }

    fn list(&mut self, parts: &Parts) -> Result<Answer, ApiError> {
        let name = request::query(parts, "user_id").unwrap_or_default();
        let id = ids::parse(Kind::User, self.environment, name)
            .ok_or_else(|| ApiError::known("invalid_user_id"))?;
        let found = self.world.by_user_id(id);
        let nth = match found {
            Some(at) => u64::from(self.world.name_user(at)),
            None => self.stranger(),
        };
        let fault = self.faults.pick(name, nth);
        Ok(self.unless(fault, |project| {
            let sessions = match found {
                Some(at) => project.world.list(at),
                None if project.accept_any => String::new(),
                None => return Err(ApiError::known("user_not_found")),
            };
            let request_id = project.request_id();
            let body = format!(
                r#"{{"status_code":200,"request_id":"{request_id}","sessions":[{sessions}]}}"#
            );
            Ok(Answer::json(200, body))
        }))
    }

    fn search(&mut self, body: &[u8]) -> Result<Answer, ApiError> {
        let Search { from, limit, name } = Search::parse(body)?;
        let nth = self.stranger();
        let fault = self.faults.pick(&name, nth);
        Ok(self.unless(fault, |project| {
            let (users, total) = project.world.page(from, limit);
            let next = from.saturating_add(limit);
            let body = serde_json::json!({
                "status_code": 200,
                "request_id": project.request_id(),
                "results": users,
                "results_metadata": {
                    "next_cursor": (next < total).then(|| search::cursor(next)),
                    "total": total,
                },
            });
            Ok(Answer::json(200, body.to_string()))
        }))
    }

    fn whoami(&mut self) -> Answer {
        let nth = self.stranger();
        let fault = self.faults.pick("", nth);
        self.unless(fault, |project| {
            let body = serde_json::json!({
                "status_code": 200,
                "request_id": project.request_id(),
                "project_id": project.id,
                "name": "Sandbox",
            });
            Ok(Answer::json(200, body.to_string()))
        })
    }

    fn stranger(&mut self) -> u64 {
        self.strangers += 1;
        self.strangers
    }

    fn error(&mut self, error: ApiError) -> Answer {
        let request_id = self.request_id();
        Answer::error(error, &request_id, self.retry_after)
    }

    fn request_id(&mut self) -> String {
        let id = ids::random(&mut self.rng);
        ids::format(Kind::RequestId, self.environment, id)
    }
}
