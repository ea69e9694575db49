"""What became of a publisher's events, one line each: outcomes.py AMQP_URL [PREFIX]"""
import json, sys, time
import pika

PUBLISHER = "password-reset"
QUEUE = PUBLISHER + ".outcomes"


def listen(amqp_url, prefix, take):
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    # Of our own, so we declare it. It must never refuse: a full queue with overflow=reject-publish would keep
    # the worker from recording outcomes. What nobody has read after a week is gone.
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum", "x-message-ttl": 7 * 86400 * 1000})
    channel.queue_bind(QUEUE, prefix + ".outcomes", "*.*." + PUBLISHER)
    channel.basic_qos(prefetch_count=100)
    for method, _, body in channel.consume(QUEUE):
        outcome = json.loads(body)
        if outcome["type"] == "session.revoke.outcome.v1":  # there will be others
            take(outcome)
        channel.basic_ack(method.delivery_tag)


def take(outcome):  # in a service: by event id, and the better of two counts; see the order in the guide
    print(outcome.get("event_id"), outcome["outcome"], outcome.get("code", ""), outcome.get("safe_at", ""), flush=True)


if __name__ == "__main__":
    while True:
        try:
            listen(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "revocation", take)
        except (pika.exceptions.AMQPError, OSError) as error:
            print(repr(error), file=sys.stderr)
            time.sleep(1)
