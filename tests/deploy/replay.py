"""What compose.yaml starts, started without Docker: its commands, settings, secrets, health checks and users, with
RabbitMQ's private node in the place of its container. As root each process is the user that its container has.
The system calls that the worker makes meanwhile must be among those that its systemd unit lets it make.

Usage: replay.py ROOT NODE BINARY, where NODE is a folder of deploy/rabbitmq/private-node
"""

import json, os, re, shutil, signal, subprocess, sys, tempfile, time, urllib.request
from pathlib import Path

import yaml

SECONDS_MAX = 60
ROOT, NODE, BINARY = (Path(argument).resolve() for argument in sys.argv[1:4])
DEPLOY = ROOT / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
IS_ROOT = os.geteuid() == 0


def until(what, holds):
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"not within {SECONDS_MAX} s: {what}")
        time.sleep(0.2)
    print("ok:", what)


def ctl(*arguments, **options):
    return subprocess.run([DEPLOY / "rabbitmq/private-node", "ctl", NODE, *arguments], capture_output=True, text=True, **options)


def sessions(api, state):
    with urllib.request.urlopen(f"{api}/sessions?state={state}", timeout=5) as answer:
        return [json.loads(line) for line in answer]


def calls_of(group):
    """The system calls of a systemd group such as @basic-io, groups in it included."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True, text=True)
    words = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {call for word in words for call in (calls_of(word) if word.startswith("@") else [word])}


def refused(traced):
    """What of a trace the unit's SystemCallFilter= and RestrictAddressFamilies= do not let pass."""
    unit, allowed = (DEPLOY / "systemd/revoker.service").read_text(), set()
    for line in re.findall(r"^SystemCallFilter=(.+)$", unit, re.M):
        named = {call for word in line.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    families = set(re.search(r"^RestrictAddressFamilies=(.+)$", unit, re.M)[1].split())
    made = set(re.findall(r"^(?:\d+ +)?(?:<\.\.\. )?([a-z]\w*)[( ]", traced, re.M))
    assert {"execve", "connect", "openat", "write"} <= made, f"the trace is not whole: {sorted(made)}"
    return (made - allowed) | (set(re.findall(r"\bsocket\((AF_\w+)", traced)) - families)


class World:
    def __init__(self, folder):
        self.folder, self.running = folder, []
        folder.chmod(0o711)
        self.binary = folder / "revoker"
        shutil.copy(BINARY, self.binary)
        node = dict(re.findall(r"^(?:export )?(\w+)=['\"]?([^'\"\n]*)", (NODE / "env").read_text(), re.M))
        url = next(value for value in node.values() if value.startswith("amqp://"))
        self.places = {"rabbitmq:5672": re.search(r"@([^/]+)", url)[1]}

    def secrets(self):
        all = self.folder / "secrets"
        for name in ["worker", "operator", "rabbitmq", "grafana"]:
            (all / name).mkdir(parents=True)
        env = dict(os.environ)
        if not IS_ROOT:
            stub = self.stub("chown", "exit 0")
            env["PATH"] = f"{stub.parent}:{env['PATH']}"
        for _ in range(2):  # the second time changes nothing
            subprocess.run(["sh", DEPLOY / "compose/secrets.sh", all], check=True, env=env)
            texts = {file: file.read_text() for file in all.rglob("*") if file.is_file()}
            assert texts == getattr(self, "texts", texts), "the secrets were made anew"
            self.texts = texts
        assert all.is_dir() and len(texts) == 8 and {file.stat().st_mode & 0o777 for file in texts} == {0o400}

    def stub(self, name, text):
        path = self.folder / "stubs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def rabbitmq(self):
        """The definitions, and the passwords as the container's own script gives them."""
        assert "load_definitions" in (DEPLOY / "compose/rabbitmq.conf").read_text()
        assert ctl("import_definitions", DEPLOY / "rabbitmq/definitions.json").returncode == 0
        self.stub("docker-entrypoint.sh", "exec sleep 600")
        stubs = self.stub("rabbitmqctl", f'exec "{DEPLOY}/rabbitmq/private-node" ctl "{NODE}" "$@"').parent
        home = self.folder / "home"
        home.mkdir()
        (home / ".erlang.cookie").write_text("made by the server")
        secrets = self.folder / "secrets/rabbitmq"
        env = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"}
        self.running.append(subprocess.Popen(["sh", DEPLOY / "compose/rabbitmq.sh", secrets, home], env=env, start_new_session=True))
        for user in ["revoker", "operator"]:
            password = secrets / user
            until(f"{user} has a password", lambda: ctl("--quiet", "authenticate_user", user, input=password.read_text()).returncode == 0)

    def environment(self, name):
        service = SERVICES[name]
        mounted = next(v.split(":")[0] for v in service["volumes"] if v.split(":")[1] == "/run/secrets/revoker")
        image = dict(re.findall(r"(REVOKER_(?!REVISION)\w+)=(\S+)", (DEPLOY / "Dockerfile").read_text()))
        set = {**image, **service["environment"], "REVOKER_ADMIN_ADDR": self.places.get("admin", "127.0.0.1:0")}
        for old, new in {"/run/secrets/revoker": str(self.folder / "secrets" / mounted.removesuffix("-secrets")), **self.places}.items():
            set = {variable: value.replace(old, new) for variable, value in set.items()}
        return set

    def revoker(self, name, command, **options):
        user = {"user": 65532, "group": 65532, "extra_groups": []} if IS_ROOT else {}
        command = [word.replace("0.0.0.0:4010", "127.0.0.1:0") for word in command]
        return subprocess.Popen([self.binary, *command], env=self.environment(name), text=True, stdout=subprocess.PIPE, **user, **options)

    def healthy(self, name):
        command = SERVICES[name]["healthcheck"]["test"]
        assert command[:2] == ["CMD", "/revoker"], command
        return self.call(name, command[2:])[0] == 0

    def call(self, name, command):
        process = self.revoker(name, command, stderr=subprocess.STDOUT)
        out, _ = process.communicate()
        return process.returncode, out

    def end(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
        ctl("delete_vhost", "revoker")
        for user in ["revoker", "operator", "publisher-example"]:
            ctl("delete_user", user)


def replay(world):
    world.secrets()
    world.rabbitmq()
    sandbox = world.revoker("sandbox", SERVICES["sandbox"]["command"])
    world.running.append(sandbox)
    world.places["sandbox:4010"] = re.search(r"127\.0\.0\.1:\d+", sandbox.stdout.readline())[0]
    api = f"http://{world.places['sandbox:4010']}/sandbox"
    until("the pretend API is healthy", lambda: world.healthy("sandbox"))
    with (world.folder / "log").open("w") as log:
        # Readable to the worker's user, who writes it.
        trace = world.folder / "trace"
        trace.touch()
        trace.chmod(0o666)
        # -D: the worker is our child, and strace beside it.
        traced = ["strace", "-D", "-f", "-qq", "-o", trace, world.binary, "run"]
        worker = subprocess.Popen(traced, env=world.environment("worker"), stdout=log, stderr=log, **({"user": 65532, "group": 65532, "extra_groups": []} if IS_ROOT else {}))
    world.running.append(worker)
    log = world.folder / "log"
    until("the worker starts", lambda: "admin.addr" in log.read_text())
    world.places["admin"] = re.search(r'"admin.addr":"([^"]+)"', log.read_text())[1]
    until("the worker is healthy", lambda: world.healthy("worker"))
    # As an operator in the worker's network.
    code, out = world.call("operator", ["status"])
    assert code == 0, out
    session = sessions(api, "live")[0]
    code, out = world.call("operator", ["publish", "--session-id", session["session_id"], "--reason", "admin_action"])
    assert code == 0, out
    revoked = lambda: [one["session_id"] for one in sessions(api, "revoked")]
    until("the session is revoked", lambda: revoked() == [session["session_id"]])
    text = log.read_text()
    assert "others than its owner" not in text and "core dumps" not in text, text
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SECONDS_MAX) == 0, log.read_text()
    print("ok: the worker stops when it is told to")
    assert not (calls := refused(trace.read_text())), f"revoker.service refuses {sorted(calls)}"
    print("ok: the unit lets it make every system call that it made")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            replay(world)
        finally:
            world.end()
