//! `campaign start --drill`: the same campaign, from the same list, on lanes of its own, with a worker in
//! this process and a pretend API that limits and fails. Nobody is logged out.
//!
//! Nothing here can reach the real lanes or the real API: the prefix is drawn at random, the worker's
//! settings are made from nothing but what stands here, and its API is on this machine.

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{input::List, scan};
use crate::{
    broker::{self, DRILL_PREFIX, TopologyMode},
    campaign::Kind,
    cli::{Failure, run},
    config::RunArgs,
    event::Expectations,
    revoke::sandbox::{LimitForm, Plan, SECRET_DEFAULT, Sandbox, Seed, Settings},
    settle::seal::new_key_line,
    telemetry::{Metrics, StateBoard},
    worker::{End, Teller},
};

/// What the pretend API allows, calls a second.
const LIMIT_PER_SECOND: u32 = 500;
/// The share of its answers that are a 500.
const FAILING: f64 = 0.01;
/// Sessions that each user has in it.
const SESSIONS_PER_USER: u32 = 2;
/// The worker's delay queues, as its setting says below.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];
/// How long the worker may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// A worker and an API that only pretend, and what they have on the broker.
pub struct Drill {
    sandbox: Sandbox,
    worker: JoinHandle<Result<End, broker::Error>>,
    stop: CancellationToken,
    /// The broker, under the drill's own prefix.
    pub broker: broker::Settings,
}

impl Drill {
    /// Starts both. Every id of the list exists in the pretend API.
    ///
    /// # Errors
    /// When the list cannot be read or the broker cannot be used.
    pub async fn begin(
        list: &mut List,
        mut broker: broker::Settings,
        expect: &Expectations,
    ) -> Result<Self, Failure> {
        broker.prefix = format!("{DRILL_PREFIX}{:08x}", fastrand::u32(..));
        broker.retry_delays = RETRY_DELAYS.to_vec();
        broker.topology = TopologyMode::Declare;
        let sandbox = pretend(list, expect).await?;
        let stop = CancellationToken::new();
        let worker = work(&broker, &expect.project_id, &sandbox.url(), stop.clone())?;
        let drill = Self {
            sandbox,
            worker,
            stop,
            broker,
        };
        drill.until_declared().await?;
        Ok(drill)
    }

    /// Ends both, and takes away what they had on the broker. Says what the pretend API saw.
    ///
    /// # Errors
    /// When the broker cannot be used any more: then its queues stay.
    pub async fn end(self) -> Result<String, Failure> {
        self.stop.cancel();
        let _ = tokio::time::timeout(DRAIN, self.worker).await;
        let revokes = self.sandbox.stats().revokes.revoked;
        self.sandbox.stop().await;
        let broker = &self.broker;
        broker::remove(broker).await.with_context(|| {
            format!(
                "the drill's queues {}.* could not be removed",
                broker.prefix
            )
        })?;
        Ok(format!(
            "DRILL: the pretend API revoked {revokes} sessions; no real lane and no real API was used, and the \
             drill's queues are removed"
        ))
    }

    async fn until_declared(&self) -> Result<(), Failure> {
        const LOOK: Duration = Duration::from_millis(200);
        const LONGEST: u32 = 150;
        for _ in 0..LONGEST {
            if self.worker.is_finished() {
                break;
            }
            let queues = broker::survey::survey(&self.broker).await?;
            if queues.iter().all(is_ready) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Failure::Failed(anyhow::anyhow!(
            "the drill's worker does not get to work: may the broker's user declare {}*? Try revoker check",
            DRILL_PREFIX
        )))
    }
}

/// A queue is there, and a lane is consumed.
fn is_ready(queue: &broker::survey::Surveyed) -> bool {
    let is_lane = matches!(queue.purpose, broker::survey::Purpose::Lane(_));
    let standing = queue.standing;
    standing.is_some_and(|standing| !is_lane || standing.consumers > 0)
}

/// The pretend API, with everybody on the list in it.
async fn pretend(list: &mut List, expect: &Expectations) -> Result<Sandbox, Failure> {
    let (kind, mut ids) = (list.kind(), Vec::new());
    list.read(|(_, cell)| {
        if let Ok((id, true)) = cell.and_then(|id| scan::check(kind, id, expect)) {
            ids.push(id.to_owned());
        }
        Ok(())
    })?;
    let (user_ids, session_ids) = match kind {
        Kind::User => (ids, Vec::new()),
        Kind::Session => (Vec::new(), ids),
    };
    let sandbox = Sandbox::start(Settings {
        project_id: expect.project_id.clone(),
        plan: Plan {
            rates: [("500".to_owned(), FAILING)].into(),
            limit: LimitForm {
                per_second: Some(LIMIT_PER_SECOND),
                ..LimitForm::default()
            },
            ..Plan::default()
        },
        preload: Seed {
            user_ids,
            session_ids,
            sessions_per_user: Some(SESSIONS_PER_USER),
            // They were open before the campaign began.
            started_at: Timestamp::now()
                .checked_sub(jiff::SignedDuration::from_hours(1))
                .ok(),
            ..Seed::default()
        },
        ..Settings::default()
    });
    Ok(sandbox
        .await
        .context("the pretend API could not be started")?)
}

/// A worker in this process, with settings of its own alone.
fn work(
    broker: &broker::Settings,
    project_id: &str,
    api: &str,
    stop: CancellationToken,
) -> Result<JoinHandle<Result<End, broker::Error>>, Failure> {
    let mut key =
        tempfile::NamedTempFile::new().context("a key for the drill could not be written")?;
    key.write_all(new_key_line().as_bytes())
        .context("a key for the drill could not be written")?;
    let key_file = key.path().display().to_string();
    let args = RunArgs::from_variables(&[
        ("REVOKER_AMQP_URL", "amqps://the.drill.has.its.own"), // replaced below
        ("REVOKER_PREFIX", &broker.prefix),
        ("REVOKER_STYTCH_PROJECT_ID", project_id),
        ("REVOKER_STYTCH_SECRET", SECRET_DEFAULT),
        ("REVOKER_STYTCH_BASE_URL", api),
        ("REVOKER_RETRY_DELAYS", "2s,4s"),
        ("REVOKER_SEAL_KEY_FILE", &key_file), // gone with this function: it is read once
        ("REVOKER_ADMIN_ADDR", "127.0.0.1:0"),
    ]);
    let mut settings = args.settings()?;
    // As whoever runs the drill connects, and under the same prefix.
    settings.broker = broker.clone();
    let metrics = Arc::new(Metrics::new());
    let board = Arc::new(StateBoard::new(Arc::clone(&metrics), Timestamp::now()));
    let (worker, broker) = run::assemble(settings, metrics, board, Teller::start())?;
    Ok(tokio::spawn(worker.serve(broker, stop, DRAIN)))
}
