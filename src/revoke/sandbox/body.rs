//! An answer's body on its way out: whole, or broken in one of the ways a plan asks for.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, Either, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::time::sleep;

use super::{answer::Delivery, server::Shared};

/// What hyper sends.
pub(super) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

/// Between two bytes of a slow body.
const SLOW_BYTE: Duration = Duration::from_secs(1);
/// Between the half of a body and the end of its connection, so that the half is seen.
const HALF_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a huge body.
const HUGE_BYTES: usize = 1 << 30;
/// Bytes of a huge body in one frame.
const HUGE_FRAME_BYTES: usize = 64 << 10;

/// The body of an answer that is one; see [`Delivery::is_an_answer`].
pub(super) fn body(delivery: Delivery, text: String, shared: &Arc<Shared>) -> Body {
    let text = Bytes::from(text);
    match delivery {
        Delivery::Whole | Delivery::Hang | Delivery::Reset => Either::Left(Full::new(text)),
        Delivery::Half => streamed(half(text)),
        Delivery::Slow => streamed(slow(text)),
        Delivery::Huge => streamed(huge(text)),
        Delivery::Ledger(revoked) => streamed(ledger(Arc::clone(shared), revoked)),
    }
}

fn streamed(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    use futures_util::TryStreamExt;
    Either::Right(StreamBody::new(stream.map_ok(Frame::data)).boxed_unsync())
}

fn half(text: Bytes) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(text), |left| async {
        match left {
            Some(text) if !text.is_empty() => {
                Some((Ok(text.slice(..text.len() / 2)), Some(Bytes::new())))
            }
            Some(_) => {
                sleep(HALF_PAUSE).await;
                Some((
                    Err(io::Error::other("half of the body is all there is")),
                    None,
                ))
            }
            None => None,
        }
    })
}

fn slow(text: Bytes) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(text, |mut left| async {
        if left.is_empty() {
            return None;
        }
        sleep(SLOW_BYTE).await;
        let byte = left.split_to(1);
        Some((Ok(byte), left))
    })
}

fn huge(head: Bytes) -> impl Stream<Item = io::Result<Bytes>> {
    let filling = Bytes::from(vec![b'x'; HUGE_FRAME_BYTES]);
    let frames = std::iter::repeat_n(filling, HUGE_BYTES / HUGE_FRAME_BYTES);
    stream::iter(std::iter::once(head).chain(frames).map(Ok))
}

/// Page by page, so that calls are answered between two pages of a long ledger.
fn ledger(shared: Arc<Shared>, revoked: Option<bool>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((shared, 0), move |(shared, from)| async move {
        let (lines, next) = shared.project().world.ledger(from, revoked)?;
        Some((Ok(Bytes::from(lines)), (shared, next)))
    })
}
