//! `revoker sandbox`: the pretend API on a port of this machine.

use std::{io::Write, net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use secrecy::SecretString;

use crate::revoke::sandbox::{
    Fault, LimitForm, PROJECT_ID_DEFAULT, Plan, PlanError, SECRET_DEFAULT, Sandbox, Seed, Settings,
    limit::{Limit, Limits, Period, Scope, Window},
};

/// Run a pretend Stytch API in memory, to try the worker or any Stytch SDK without an account.
///
/// It knows POST /v1/sessions/revoke, GET /v1/sessions?user_id=…, POST /v1/users/search (without a
/// query) and GET /v1/debug/whoami, answers errors as Stytch documents them, keeps rate limits, and fails in every way you ask it to. While it
/// runs, control it under /sandbox/: POST seed makes users and sessions, POST faults replaces faults
/// and limits, GET stats counts, GET sessions?state=revoked lists what was revoked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Where to listen; port 0 takes a free one, and the first line on stdout says which.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Let --listen be another address than loopback. Anyone who reaches it can control it.
    #[arg(long)]
    allow_remote: bool,
    /// The one project that exists; project-live-… makes all ids live ones.
    #[arg(long, value_name = "ID", default_value = PROJECT_ID_DEFAULT)]
    project_id: String,
    /// That project's secret.
    #[arg(long, value_name = "SECRET", default_value = SECRET_DEFAULT)]
    secret: SecretString,
    /// The same seed makes the same ids and draws the same faults.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Users to begin with; see GET /sandbox/sessions for the ids.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Users and sessions"
    )]
    users: u32,
    /// Sessions of each of them.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "Users and sessions"
    )]
    sessions_per_user: u32,
    /// Sessions to begin with besides, all of one further user.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Users and sessions"
    )]
    sessions: u32,
    /// Every well-formed session id and token exists and may be revoked again and again: for benchmarks.
    #[arg(long, help_heading = "Users and sessions")]
    accept_any: bool,
    /// Answer 200, not 404, to revoking a session a second time (Stytch does not document which).
    #[arg(long, help_heading = "Users and sessions")]
    gone_answers_200: bool,

    /// A rate limit, such as 100/s or 6000/min, or both as 100/s,6000/min.
    #[arg(
        long = "limit",
        value_name = "CALLS/PERIOD",
        value_delimiter = ',',
        help_heading = "Rate limits"
    )]
    limits: Vec<Limit>,
    /// A limit of each user besides, all endpoints together, written as --limit is.
    #[arg(
        long = "user-limit",
        value_name = "CALLS/PERIOD",
        value_delimiter = ',',
        help_heading = "Rate limits"
    )]
    user_limits: Vec<Limit>,
    /// A limit of the search of users besides; without a number the 150 a minute that Stytch documents.
    #[arg(
        long,
        value_name = "CALLS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "150",
        help_heading = "Rate limits"
    )]
    search_per_minute: Option<u32>,
    /// How calls are counted against the limits.
    #[arg(long, value_enum, default_value_t, help_heading = "Rate limits")]
    window: Window,
    /// Count refused calls against the limits, too: who does not slow down is let in no more.
    #[arg(long, help_heading = "Rate limits")]
    count_refused: bool,
    /// What has a --limit of its own.
    #[arg(long, value_enum, default_value_t, help_heading = "Rate limits")]
    per: Scope,
    /// Calls that a token bucket saves up.
    #[arg(long, value_name = "CALLS", default_value_t = Limits::BURST_DEFAULT, help_heading = "Rate limits")]
    burst: u32,
    /// Send this Retry-After with each 429; without it the header is not sent, as Stytch documents none.
    #[arg(long, value_name = "SECONDS", help_heading = "Rate limits")]
    retry_after: Option<u32>,
    /// Write --retry-after as the date in so many seconds.
    #[arg(long, requires = "retry_after", help_heading = "Rate limits")]
    retry_after_date: bool,

    /// A share of the calls to answer with a fault; repeatable, all shares together at most 1.
    ///
    /// FAULT is a status (500, 503, 429, 401; 502 is a proxy's web page), an error_type of the API
    /// (invalid_authorization_header, …), or one of: hang, reset, lost (revoked, but the connection is
    /// reset), half-body, slow-body (1 byte/s), huge-body (1 GiB), html-200, html-502, false-200 (the
    /// body says status_code 500), redirect, 429-bare (never with Retry-After).
    #[arg(long = "fault", value_name = "FAULT=SHARE", value_parser = share, help_heading = "Faults")]
    faults: Vec<(String, f64)>,
    /// Hold every API answer back for so long, such as 20ms.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration, help_heading = "Faults")]
    latency: Duration,
}

const EXAMPLES: &str = "\
Examples:
  A limit of 100 calls a second that the worker does not know of, and one answer in a hundred a 500:
    revoker sandbox --users 1000 --sessions-per-user 3 --limit 100/s --fault 500=0.01

  Limits over the last second and the last minute together, and 5 calls a second about one user:
    revoker sandbox --users 1000 --limit 100/s,5000/min --user-limit 5/s --window sliding

  What the limits did with revoke calls, second by second, and which share of the calls was wasted:
    curl -s http://127.0.0.1:4010/sandbox/stats | jq -c '.seconds | map_values(.revoke)'
    curl -s http://127.0.0.1:4010/sandbox/stats |
      jq '[.seconds[].revoke] | (map(.refused) | add) / (map(.taken + .refused) | add)'

  Bad credentials for everyone, then all is well again:
    curl -d '{\"answer_all\":\"401\"}' http://127.0.0.1:4010/sandbox/faults
    curl -d '{}' http://127.0.0.1:4010/sandbox/faults

  One session that fails three times, another for ever, and a limit:
    curl http://127.0.0.1:4010/sandbox/faults -d '{
      \"by_id\":{\"session-test-…\":{\"fault\":\"500\",\"times\":3},\"session-test-…\":\"hang\"},
      \"limit\":{\"per_second\":100,\"user_per_second\":5,\"window\":\"bucket\"},\"retry_after\":2}'

  Sessions under ids and tokens of your own:
    curl http://127.0.0.1:4010/sandbox/seed -d '{\"user_ids\":[\"user-test-…\"],
      \"session_ids\":[\"session-test-…\"],\"tokens\":{\"TOKEN\":\"session-test-…\"}}'";

/// `500=0.01`.
fn share(text: &str) -> Result<(String, f64), PlanError> {
    let (word, share) = text.split_once('=').ok_or(PlanError::BadShare)?;
    let _known: Fault = word.parse()?;
    match share.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok((word.to_owned(), share)),
        _ => Err(PlanError::BadShare),
    }
}

/// The calls in a second and in a minute, of the limits that a flag gave.
fn by_period(flag: &str, limits: &[Limit]) -> anyhow::Result<(Option<u32>, Option<u32>)> {
    let (mut per_second, mut per_minute) = (None, None);
    for Limit { calls, period } in limits {
        let of_period = match period {
            Period::Second => &mut per_second,
            Period::Minute => &mut per_minute,
        };
        if of_period.replace(*calls).is_some() {
            bail!(
                "{flag} is given twice for one period; give one per second and one per minute at most"
            );
        }
    }
    Ok((per_second, per_minute))
}

impl Args {
    fn limit(&self) -> anyhow::Result<LimitForm> {
        let (per_second, per_minute) = by_period("--limit", &self.limits)?;
        let (user_per_second, user_per_minute) = by_period("--user-limit", &self.user_limits)?;
        Ok(LimitForm {
            per_second,
            per_minute,
            user_per_second,
            user_per_minute,
            search_per_minute: self.search_per_minute,
            window: self.window,
            per: self.per,
            burst: Some(self.burst),
            count_refused: self.count_refused,
        })
    }

    /// The sandbox's settings.
    ///
    /// # Errors
    /// When a limit or a fault is given twice.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let mut plan = Plan {
            limit: self.limit()?,
            retry_after: self.retry_after,
            retry_after_date: self.retry_after_date,
            ..Plan::default()
        };
        for (word, share) in self.faults {
            if plan.rates.insert(word.clone(), share).is_some() {
                bail!("--fault is given twice for {word}");
            }
        }
        Ok(Settings {
            listen: self.listen,
            allow_remote: self.allow_remote,
            project_id: self.project_id,
            secret: self.secret,
            seed: self.seed,
            latency: self.latency,
            accept_any: self.accept_any,
            gone_answers_200: self.gone_answers_200,
            plan,
            preload: Seed {
                users: self.users,
                sessions_per_user: Some(self.sessions_per_user),
                sessions: self.sessions,
                ..Seed::default()
            },
        })
    }
}

/// Runs the sandbox until it is interrupted.
///
/// # Errors
/// When the arguments contradict each other or the address cannot be had.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let listen = args.listen;
    let sandbox = Sandbox::start(args.settings()?)
        .await
        .with_context(|| format!("cannot start the sandbox on {listen}"))?;
    {
        let mut stdout = std::io::stdout().lock();
        // Whoever started it may not read on; it runs all the same.
        let _ = writeln!(stdout, "sandbox listening on {}", sandbox.url());
        let _ = stdout.flush();
    }
    tokio::signal::ctrl_c()
        .await
        .context("cannot wait for an interrupt")?;
    sandbox.stop().await;
    Ok(())
}
