"""See `start` beside this file, which runs it."""

import json, os, re, signal, statistics, subprocess, sys, tempfile, time, urllib.request
from pathlib import Path

NODE = "deploy/rabbitmq/private-node"
TICK = os.sysconf("SC_CLK_TCK")
SECONDS_MAX = 60


def wait(what, holds, pause=0.001):
    end = time.monotonic() + SECONDS_MAX
    while not (value := holds()):
        if time.monotonic() > end:
            sys.exit(f"not within {SECONDS_MAX} s: {what}")
        time.sleep(pause)
    return value


class World:
    def __init__(self, folder, binary):
        self.binary, self.api = binary, None
        self.sandbox = subprocess.Popen([binary, "sandbox", "--listen", "127.0.0.1:0", "--sessions", "200"], stdout=subprocess.PIPE, text=True)
        self.api = "http://" + re.search(r"127\.0\.0\.1:\d+", self.sandbox.stdout.readline())[0]
        url = subprocess.run([NODE, "start", folder], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.env = {
            "REVOKER_AMQP_URL": url,
            "REVOKER_STYTCH_PROJECT_ID": "project-test-11111111-1111-4111-8111-111111111111",
            "REVOKER_STYTCH_SECRET": "secret-test-sandbox",
            "REVOKER_STYTCH_BASE_URL": self.api,
            "REVOKER_ADMIN_ADDR": "127.0.0.1:0",
        }

    def sessions(self, state):
        with urllib.request.urlopen(f"{self.api}/sandbox/sessions?state={state}") as answer:
            return {(one := json.loads(line))["session_id"]: one for line in answer}

    def worker(self):
        return subprocess.Popen([self.binary, "run"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        """Milliseconds from the start of the process to the revocation."""
        session = next(iter(self.sessions("live")))
        publish = [self.binary, "publish", "--session-id", session, "--reason", "admin_action"]
        subprocess.run(publish, check=True, env=self.env, stdout=subprocess.DEVNULL)
        began = time.time()
        worker = self.worker()
        one = wait("a revocation", lambda: self.sessions("revoked").get(session), pause=0.02)
        end(worker)
        return one["revoked_at_ms"] - began * 1000


def end(worker):
    worker.send_signal(signal.SIGTERM)
    worker.wait(SECONDS_MAX)


def used(pid):
    """CPU seconds, resident KiB, and switches of all threads."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    switches = sum(int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in re.findall(r"ctxt_switches:\s+(\d+)", (task / "status").read_text()))
    rss = {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ["VmRSS", "RssAnon", "VmHWM"]}
    return (int(stat[11]) + int(stat[12])) / TICK, rss, switches


def main(binary, starts=10, seconds=60):
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder, binary)
        try:
            # The first declares what the others find.
            first, worker = time.time(), world.worker()
            time.sleep(5)
            end(worker)
            took = sorted(world.start() for _ in range(starts))
            print(f"start to first revocation, ms: median {statistics.median(took):.0f}, longest {took[-1]:.0f}, of {starts}")
            worker = world.worker()
            time.sleep(5)
            before, _, switched = used(worker.pid)
            time.sleep(seconds)
            after, rss, switches = used(worker.pid)
            print(
                f"idle for {seconds} s: CPU {100 * (after - before) / seconds:.2f} % of a core, {(switches - switched) / seconds:.0f} switches a second, "
                + ", ".join(f"{name} {kib / 1024:.1f} MiB" for name, kib in rss.items())
            )
            end(worker)
        finally:
            world.sandbox.kill()
            subprocess.run([NODE, "stop", folder])


main(os.path.abspath(sys.argv[1]), *(int(n) for n in sys.argv[2:4]))
