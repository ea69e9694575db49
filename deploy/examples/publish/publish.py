"""Asks Revoker to end a user's sessions, or one: publish.py AMQP_URL USER_OR_SESSION_ID [EXCHANGE]"""
import json, signal, sys, time
from datetime import datetime, timezone
from uuid import uuid4
import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker, UnroutableError

PUBLISHER = "password-reset"  # your service: the routing key, and by rights its user's name in RabbitMQ
TIMEOUT = 5  # seconds, for each try; three tries


def new_event(target):
    return {
        "type": "session.revoke.v1",
        "id": str(uuid4()),  # of this event for ever: published again, it is the same
        "occurred_at": datetime.now(timezone.utc).isoformat(),  # before the password is changed
        "reason": "password_reset",
        "session_id" if target.startswith("session-") else "user_id": target,
    }


def publish(amqp_url, exchange, event):
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = TIMEOUT
    signal.alarm(TIMEOUT)  # pika waits for a confirm without end; in a thread, use a client that does not
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        channel.confirm_delivery()  # from here on basic_publish returns when the broker has the event
        channel.basic_publish(exchange, PUBLISHER, json.dumps(event), pika.BasicProperties(
            content_type="application/json", delivery_mode=2, message_id=event["id"]), mandatory=True)
    finally:
        signal.alarm(0)
        connection.close() if connection.is_open else None


def too_late(*_):
    raise TimeoutError(f"no confirm within {TIMEOUT} s")


def main(amqp_url, target, exchange="revocation.urgent"):
    signal.signal(signal.SIGALRM, too_late)
    event = new_event(target)  # in a service: written to an outbox, in the transaction that changes the password
    for wait in (1, 2, 0):
        try:
            publish(amqp_url, exchange, event)
            return print("published", event["id"])
        except UnroutableError:
            sys.exit(f"returned: no queue takes what is published to {exchange}; does a worker run with this vhost and prefix?")
        except ChannelClosedByBroker as error:
            sys.exit(f"refused: {error.reply_code} {error.reply_text}")
        except (AMQPError, OSError) as error:  # refused by a full queue, too late, or no connection
            print(f"not confirmed: {error!r}", file=sys.stderr)
            time.sleep(wait)
    sys.exit("given up: the event stays in the outbox, and is published again with the same id")


if __name__ == "__main__":
    main(*sys.argv[1:])
