"""Which sessions a service that validates Stytch's JWTs locally must ask Stytch about, for five minutes each."""
import json, sys, threading, time
from datetime import datetime, timezone
import pika


def seconds(rfc3339):
    return datetime.strptime(rfc3339[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


class Denylist:
    """As long as five minutes of revocations. Before it has listened for that long, all must be asked about."""

    def __init__(self, amqp_url, prefix="revocation", jwt_lifetime=300):
        self.denied, self.whole_from = {}, float("inf")  # target: (started until, kept until), oldest first
        threading.Thread(target=self.listen, args=(amqp_url, prefix, jwt_lifetime), daemon=True).start()

    def listen(self, amqp_url, prefix, jwt_lifetime):
        while True:
            try:
                channel = pika.BlockingConnection(pika.URLParameters(amqp_url)).channel()
                queue = channel.queue_declare("", exclusive=True).method.queue
                for outcome in ("revoked", "already_gone", "duplicate"):
                    channel.queue_bind(queue, prefix + ".outcomes", "*." + outcome + ".#")
                self.whole_from = time.time() + jwt_lifetime
                for _, _, body in channel.consume(queue, auto_ack=True):
                    self.take(json.loads(body))
            except (pika.exceptions.AMQPError, OSError):
                pass
            finally:
                self.whole_from = float("inf")
            time.sleep(1)

    def take(self, outcome):
        while self.denied and next(iter(self.denied.values()))[1] < time.time():
            del self.denied[next(iter(self.denied))]
        until = seconds(outcome["cutoff"]) if "cutoff" in outcome else float("inf")
        earlier, _ = self.denied.pop(outcome["target"], (0, 0))
        self.denied[outcome["target"]] = (max(until, earlier), seconds(outcome["safe_at"]) + 1)

    def must_ask_stytch(self, claims):
        session, now = claims["https://stytch.com/session"], time.time()
        found = [self.denied.get(target, (0, 0)) for target in (session["id"], claims["sub"])]
        is_denied = any(seconds(session["started_at"]) <= until and now <= kept for until, kept in found)
        return is_denied or now < self.whole_from


if __name__ == "__main__":  # to try it: a JWT's claims a line, and for each what to do
    denylist = Denylist(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    for line in sys.stdin:
        print("ask" if denylist.must_ask_stytch(json.loads(line)) else "trust", flush=True)
