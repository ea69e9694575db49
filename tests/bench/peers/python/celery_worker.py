"""A worker with Celery and Stytch's official SDK (on requests).

Celery runs tasks in a message format of its own. With BENCH_BRIDGE a step of the worker takes plain
events from the queue and sends each as a task; without it the queue already holds such tasks.
"""

import json
import os

import requests
import stytch
from celery import Celery, bootsteps
from kombu import Consumer, Exchange, Queue
from requests.adapters import HTTPAdapter
from stytch.core.response_base import StytchError

ATTEMPTS = 6
FIRST_DELAY_S = 1
DELAY_S_MAX = 60
BRIDGE_PREFETCH = 200
EVENTS = os.environ["BENCH_QUEUE"]
BRIDGE = "BENCH_BRIDGE" in os.environ
TASKS = EVENTS + ".tasks" if BRIDGE else EVENTS
QUORUM_WITH_DEAD_LETTERS = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": EVENTS + ".dead",
}

app = Celery("peer", broker=os.environ["BENCH_AMQP_URL"])
app.conf.update(
    # A topic exchange is what Celery's delayed retries need with quorum queues.
    task_queues=[Queue(TASKS, Exchange(TASKS, "topic"), TASKS, queue_arguments=QUORUM_WITH_DEAD_LETTERS)],
    task_default_queue=TASKS,
    task_default_exchange=TASKS,
    task_default_exchange_type="topic",
    task_default_routing_key=TASKS,
    task_ignore_result=True,
    task_acks_late=True,
    task_acks_on_failure_or_timeout=False,  # rejected: the queue hands it to its dead letters
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=16,
    worker_enable_remote_control=False,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)
# `environment` takes any base URL; `custom_base_url` refuses one without TLS.
http = requests.Session()
http.mount("http://", HTTPAdapter(pool_maxsize=int(os.environ["BENCH_CONCURRENCY"])))
client = stytch.Client(
    project_id=os.environ["BENCH_PROJECT_ID"],
    secret=os.environ["BENCH_SECRET"],
    environment=os.environ["BENCH_API_URL"] + "/",
    sync_session=http,
)


class WorthARetry(Exception):
    """The API refused for now."""


@app.task(
    name="revoke",
    autoretry_for=(WorthARetry, requests.RequestException),
    max_retries=ATTEMPTS - 1,
    retry_backoff=FIRST_DELAY_S,
    retry_backoff_max=DELAY_S_MAX,
    retry_jitter=True,
)
def revoke(event):
    try:
        client.sessions.revoke(session_id=event["session_id"])
    except StytchError as error:
        status = error.details.status_code
        if status == 429 or status >= 500:
            raise WorthARetry(status) from error
        raise


class Bridge(bootsteps.ConsumerStep):
    def get_consumers(self, channel):
        queue = Queue(EVENTS, no_declare=True)
        return [Consumer(channel, [queue], on_message=self.on_message, prefetch_count=BRIDGE_PREFETCH)]

    def on_message(self, message):
        revoke.delay(json.loads(message.body))
        message.ack()


if BRIDGE:
    app.steps["consumer"].add(Bridge)
