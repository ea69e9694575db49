//! Settings of subcommands that need some of the worker's: which, and what they may do without.

use std::net::SocketAddr;

use super::{
    Problems, PublishArgs, RevokeArgs, StartArgs, StatusArgs, broker, problems::Reader, revoke,
    settle, telemetry,
};
use crate::event::{Environment, Expectations};

/// What `revoker status` needs to know, checked.
#[derive(Debug)]
pub struct StatusSettings {
    /// RabbitMQ, when it was given; `project_id` is empty.
    pub broker: Option<crate::broker::Settings>,
    /// Where a worker listens by default.
    pub admin_addr: SocketAddr,
}

/// What `revoker publish` needs to know, checked.
#[derive(Debug)]
pub struct PublishSettings {
    /// RabbitMQ; `project_id` is empty and there are no `retry_delays`.
    pub broker: crate::broker::Settings,
    /// The project, when it was given: its id and environment.
    pub project: Option<(String, Environment)>,
}

/// What `revoker campaign start` needs to know, checked.
#[derive(Debug)]
pub struct StartSettings {
    /// RabbitMQ; there are no `retry_delays`.
    pub broker: crate::broker::Settings,
    /// The project whose sessions end.
    pub expectations: Expectations,
    /// The Stytch call, if it was asked for.
    pub revoke: Option<crate::revoke::Settings>,
}

/// What `revoker revoke` needs to know, checked.
#[derive(Debug)]
pub struct RevokeSettings {
    /// The Stytch call.
    pub revoke: crate::revoke::Settings,
    /// Whether the project is a live one.
    pub environment: Environment,
}

impl StatusArgs {
    /// Checks everything. Without `REVOKER_AMQP_URL` the broker is not asked.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<StatusSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let given = reader.raw(&broker::AMQP_URL).is_some();
        let broker = given.then(|| broker::read(&mut reader, &plaintext));
        let retry_delays = settle::read_retry_delays(&mut reader);
        let admin_addr = telemetry::admin_addr(&mut reader);
        let settings = || {
            let mut broker = match broker {
                Some(broker) => Some(broker?),
                None => None,
            };
            if let Some(broker) = &mut broker {
                broker.retry_delays = retry_delays?;
            }
            Some(StatusSettings {
                broker,
                admin_addr: admin_addr?,
            })
        };
        let settings = settings();
        reader.finish(settings)
    }
}

impl PublishArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<PublishSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let broker = broker::read(&mut reader, &plaintext);
        let project = reader.read(&revoke::PROJECT_ID, revoke::project);
        let project = project.map(|project| (project.id, project.environment));
        reader.finish(broker.map(|broker| PublishSettings { broker, project }))
    }
}

impl StartArgs {
    /// Checks everything. `api`: whether Stytch will be asked, so that a secret is needed.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self, api: bool) -> Result<StartSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let broker = broker::read(&mut reader, &plaintext);
        let project = revoke::required_project(&mut reader);
        let revoke = api.then(|| revoke::read(&mut reader, project.as_ref(), &plaintext));
        let settings = || {
            let revoke = match revoke {
                Some(revoke) => Some(revoke?.0),
                None => None,
            };
            let (project, mut broker) = (project?, broker?);
            broker.project_id.clone_from(&project.id);
            Some(StartSettings {
                broker,
                expectations: Expectations {
                    project_id: project.id,
                    environment: project.environment,
                    strict_ids: false,
                },
                revoke,
            })
        };
        let settings = settings();
        reader.finish(settings)
    }
}

impl RevokeArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<RevokeSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let project = revoke::required_project(&mut reader);
        let revoke = revoke::read(&mut reader, project.as_ref(), &plaintext);
        let settings = || {
            Some(RevokeSettings {
                revoke: revoke?.0,
                environment: project?.environment,
            })
        };
        let settings = settings();
        reader.finish(settings)
    }
}
