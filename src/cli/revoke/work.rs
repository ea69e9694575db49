//! The calls, one target after the other, each until it is done, hopeless, or out of time.
//!
//! What is known is noted on a target's line after every answer, so that whoever interrupts is told it.

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::sleep;

use super::{
    super::patience::{GaveUp, Patience, Why, note, until_done},
    line::{Line, State},
};
use crate::{
    event::Target,
    revoke::{
        Api, Call, CallKind, Class, Reply,
        client::Client,
        fanout::{Fanout, Step},
    },
    settle::outcome::Unknown,
};

/// Revokes every target. When credentials are refused nothing else is tried; when the time is used up, each
/// target has one try more, for the failure may be the one target's own, until two in a row fail.
pub(super) async fn all(client: &Client, patience: &mut Patience, lines: &mut [Line]) {
    let mut exhausted = false;
    for line in lines {
        line.state = State::Begun;
        let ended = match &line.target {
            Target::Session(id) => {
                let call = Call::RevokeSession(id.clone());
                one(client, patience, &call, line).await
            }
            Target::Token(token) => {
                let call = Call::RevokeToken(SecretString::clone(token));
                one(client, patience, &call, line).await
            }
            Target::User {
                user_id,
                cutoff,
                keep_session_id,
            } => {
                let fanout = Fanout::new(user_id.clone(), *cutoff, keep_session_id.clone());
                user(client, patience, fanout, line).await
            }
        };
        let was_exhausted = std::mem::take(&mut exhausted);
        let Err(gave_up) = ended else {
            continue;
        };
        exhausted = gave_up.why == Why::Exhausted;
        let hopeless = gave_up.why == Why::Credentials || (exhausted && was_exhausted);
        line.give_up(gave_up);
        if hopeless {
            return;
        }
    }
}

/// One session.
async fn one(
    client: &Client,
    patience: &mut Patience,
    call: &Call,
    line: &mut Line,
) -> Result<(), GaveUp> {
    let unanswered = patience.unanswered();
    let reply = ask(client, patience, call, line).await?;
    line.state = match reply.class {
        Class::Revoked => State::Revoked,
        _ => State::Unknown(Unknown::Session),
    };
    line.perhaps_by_us = patience.unanswered() > unanswered;
    if reply.class == Class::Revoked {
        line.revoked(1);
    }
    Ok(())
}

/// All old sessions of a user.
async fn user(
    client: &Client,
    patience: &mut Patience,
    mut fanout: Fanout,
    line: &mut Line,
) -> Result<(), GaveUp> {
    let (mut revoked_before, mut idle_rounds, mut unknown) = (None, 0, false);
    loop {
        let call = match fanout.step() {
            Step::Call(call) => call,
            Step::Remain => return Err(remain(line)),
            Step::Done => break,
        };
        if call.kind() == CallKind::List
            && revoked_before.replace(fanout.revoked) == Some(fanout.revoked)
        {
            idle_rounds += 1;
            wait_for_the_list(patience, idle_rounds).await;
        }
        let reply = ask(client, patience, &call, line).await?;
        let revoked = reply.class == Class::Revoked;
        match call.kind() {
            CallKind::List if revoked => fanout.listed(reply.sessions),
            CallKind::List => {
                fanout.user_unknown();
                unknown = true;
            }
            CallKind::Revoke | CallKind::Probe => fanout.settled(revoked),
        }
        line.tell(&fanout);
    }
    line.state = match (fanout.revoked, unknown) {
        (0, true) => State::Unknown(Unknown::User),
        (0, false) => State::NothingOld,
        _ => State::Revoked,
    };
    Ok(())
}

/// Stytch's list may lag behind what it has revoked: at once listed again, it would be the same.
async fn wait_for_the_list(patience: &mut Patience, nth: u32) {
    let wait = patience.idle(nth);
    if wait.is_zero() {
        return;
    }
    let seconds = wait.as_secs_f64();
    note(&format!(
        "this round ended no session, all were revoked or gone before; next list in {seconds:.2} s"
    ));
    sleep(wait).await;
}

fn remain(line: &Line) -> GaveUp {
    GaveUp {
        why: Why::Refused,
        text: "they are listed still although Stytch calls them revoked or gone; wait a minute, or end them in Stytch's dashboard".to_owned(),
        request_id: line.request_id.clone(),
    }
}

/// Makes a call until Stytch says that it is done, or that there is nothing to do.
async fn ask(
    client: &Client,
    patience: &mut Patience,
    call: &Call,
    line: &mut Line,
) -> Result<Reply, GaveUp> {
    let once = async || {
        let reply = client.call(call).await;
        match reply.class {
            Class::Revoked | Class::AlreadyGone => Ok(reply),
            _ => Err(reply),
        }
    };
    let reply = until_done(patience, once).await?;
    line.answered = true;
    line.request_id.clone_from(&reply.request_id);
    Ok(reply)
}

impl Line {
    fn revoked(&mut self, sessions: u32) {
        self.sessions = sessions;
        self.revoked_at = Some(Timestamp::now());
    }

    /// What a user's sessions have come to.
    fn tell(&mut self, fanout: &Fanout) {
        if fanout.revoked > self.sessions {
            self.revoked(fanout.revoked);
        }
        self.newer = fanout.newer;
        self.newest_started_at = fanout.newest_started_at;
        self.left = Some(fanout.left);
    }

    fn give_up(&mut self, gave_up: GaveUp) {
        self.state = State::Failed(gave_up.text);
        self.request_id = gave_up.request_id.or(self.request_id.take());
        self.exhausted = gave_up.why == Why::Exhausted;
    }
}
