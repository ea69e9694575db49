//! The README's example of a service that validates JWTs locally, run as it stands.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Event, PATIENCE, World, wait};

/// The interpreter that the distribution's client library belongs to.
const PYTHON: &str = "/usr/bin/python3";
/// How long a JWT lives in this test, seconds.
const JWT_LIFETIME: u64 = 3;

/// The example as a process: ends with its value.
struct Service {
    process: Child,
    claims: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Service {
    fn start(world: &World) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples/denylist.py");
        let mut command = Command::new(PYTHON);
        command.args([file, &world.broker.url, &world.broker.prefix]);
        command.arg(JWT_LIFETIME.to_string());
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python must start");
        let (claims, answers) = (process.stdin.take(), process.stdout.take());
        Self {
            claims: claims.unwrap(),
            answers: BufReader::new(answers.unwrap()),
            process,
        }
    }

    /// What it does with a JWT of that session.
    fn asked(&mut self, session: &str, user: &str, started_at: Timestamp) -> String {
        let session = json!({"id": session, "started_at": started_at});
        let claims = json!({"sub": user, "https://stytch.com/session": session});
        writeln!(self.claims, "{claims}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    async fn until(&mut self, answer: &str, session: &str, user: &str, started_at: Timestamp) {
        let what = format!("{answer} about {session} of {user}, started at {started_at}");
        wait::until(&what, PATIENCE, async || {
            self.asked(session, user, started_at) == answer
        })
        .await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An outcome whose JWTs run out so soon; nobody but the worker may publish one.
fn outcome(fields: &Value, safe_in: Duration) -> Event {
    let safe_at = Timestamp::now() + safe_in;
    let mut body = json!({"type": "session.revoke.outcome.v1", "safe_at": safe_at});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let key = "urgent.revoked.accounts";
    Event::raw(body.to_string()).in_exchange("outcomes").by(key)
}

#[tokio::test]
async fn a_service_that_validates_locally_asks_about_what_was_revoked() {
    let world = World::new("denylist").await;
    let mut worker = world.worker().start().await;
    let mut service = Service::start(&world);
    let (now, hour) = (Timestamp::now(), SignedDuration::from_hours(1));
    let (user, sessions) = world.sandbox.seed_user(1, now - hour).await;
    let single = world.sandbox.seed_sessions(1).await.remove(0);

    // It cannot know yet what was revoked a moment before it began to listen.
    assert_eq!(service.asked("other", "nobody", now), "ask");
    service.until("trust", "other", "nobody", now).await;
    assert_eq!(service.asked(&single, "nobody", now), "trust");
    assert_eq!(service.asked(&sessions[0], &user, now - hour), "trust");

    let events = [Event::session(&single), Event::user(&user).bulk()];
    world.broker.publish(&events).await;
    service.until("ask", &single, "nobody", now).await;
    service.until("ask", &sessions[0], &user, now - hour).await;
    assert_eq!(service.asked("newer", &user, now + hour), "trust");
    assert_eq!(service.asked("other", "nobody", now), "trust");

    // Kept for as long as its JWTs live, and no longer.
    let fields = json!({"target": "short", "target_kind": "session"});
    let short = outcome(&fields, Duration::from_secs(5));
    world.broker.publish_one(&short).await;
    service.until("ask", "short", "nobody", now).await;
    service.until("trust", "short", "nobody", now).await;
    assert_eq!(service.asked(&single, "nobody", now), "ask");
    drop(service);
    world.check_unharmed(&mut worker).await;
}
