//! Signals become a token; a second one ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that is told twice to stop: 128 + SIGINT, as shells count.
const TOLD_TWICE: i32 = 130;

/// Cancels the token at the first SIGTERM or SIGINT; exits at the second.
///
/// # Errors
/// If the signals cannot be listened to.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(
            signal = name,
            next = "drain, then exit; a second signal ends at once",
            "asked to stop"
        );
        told.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(
            signal = name,
            "told twice to stop: messages in hand come again"
        );
        std::process::exit(TOLD_TWICE);
    });
    Ok(token)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
