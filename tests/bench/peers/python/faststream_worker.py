"""A worker with FastStream (on aio-pika), tenacity for the retries and Stytch's official SDK."""

import os

import aiohttp
import stytch
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from pydantic import BaseModel
from stytch.core.response_base import StytchError
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

ATTEMPTS = 6
FIRST_DELAY_S = 1
DELAY_S_MAX = 60
CALL_TIMEOUT_S = 10
CONCURRENCY = int(os.environ["BENCH_CONCURRENCY"])

broker = RabbitBroker(os.environ["BENCH_AMQP_URL"], logger=None)
app = FastStream(broker, logger=None)
http: aiohttp.ClientSession
client: stytch.Client


class Event(BaseModel):
    session_id: str


@app.on_startup
async def open_client() -> None:
    global http, client
    http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONCURRENCY),
        timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S),
    )
    # `environment` takes any base URL; `custom_base_url` refuses one without TLS.
    client = stytch.Client(
        project_id=os.environ["BENCH_PROJECT_ID"],
        secret=os.environ["BENCH_SECRET"],
        environment=os.environ["BENCH_API_URL"] + "/",
        async_session=http,
    )


@app.after_shutdown
async def close_client() -> None:
    await http.close()


def is_worth_a_retry(error: BaseException) -> bool:
    if isinstance(error, StytchError):
        return error.details.status_code == 429 or error.details.status_code >= 500
    return isinstance(error, (aiohttp.ClientError, TimeoutError))


@retry(
    retry=retry_if_exception(is_worth_a_retry),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_random_exponential(multiplier=FIRST_DELAY_S, max=DELAY_S_MAX),  # full jitter
    reraise=True,
)
async def revoke(session_id: str) -> None:
    await client.sessions.revoke_async(session_id=session_id)


# An error that gets this far rejects the message: the queue hands it to its dead letters.
@broker.subscriber(
    RabbitQueue(os.environ["BENCH_QUEUE"], declare=False),
    channel=Channel(prefetch_count=CONCURRENCY),
    ack_policy=AckPolicy.REJECT_ON_ERROR,
)
async def on_event(event: Event) -> None:
    await revoke(event.session_id)
