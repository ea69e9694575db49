"""Whether Docker, Compose, Kubernetes, systemd and Prometheus would take the files of deploy/, and whether they
are as hardened as they say. Run by tests/run deploy, with the tools of requirements.txt.

Usage: check.py ROOT           prints what is wrong
       check.py --break ROOT   breaks a copy in many ways, each of which must be found
"""

import re, shutil, subprocess, sys, tempfile
from pathlib import Path

import kubernetes_validate, yaml

TOOLS = Path(sys.executable).parent
KUBERNETES = "1.37"
# systemd's own measure, from 0 (nothing to reach) to 10; in tenths.
EXPOSURE_MAX_TENTHS = 15
# What no schema is at hand for.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication"}
# Compose services that run once or only when called.
WITHOUT_HEALTH = {"secrets", "operator"}


def is_breaking():
    return sys.argv[1] == "--break"


def run(*command, stdin=None):
    """The exit code, and all that was printed."""
    done = subprocess.run([str(c) for c in command], input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def tool(what, *command, stdin=None):
    code, out = run(*command, stdin=stdin)
    if code != 0:
        yield f"{what}: {out.strip()}"


def is_pinned(image):
    """A tag that names a version, or is no version's but a user's."""
    tag = image.rpartition(":")[2] if ":" in image else ""
    return bool(re.search(r"\d+\.\d+", tag)) or image.startswith("gcr.io/distroless/")


# Docker and Compose

def dockerfile(root):
    path = root / "deploy/Dockerfile"
    yield from tool("Dockerfile", TOOLS / "hadolint", "--failure-threshold", "info", path)
    text = path.read_text()
    images = re.findall(r"^FROM (\S+)", text, re.M)
    yield from (f"Dockerfile: {image} is not pinned" for image in images if not is_pinned(image))
    last = text[text.rindex("\nFROM "):]
    for words in ["distroless", "USER 65532:65532", 'ENTRYPOINT ["/revoker"]']:
        if words not in last:
            yield f"Dockerfile: no {words} in the last stage"
    if "cargo build --locked --profile dist" not in text:
        yield "Dockerfile: what is built is not what Cargo.lock and the profile dist say"
    ignored = (root / ".dockerignore").read_text().split("\n")
    if "*" not in ignored or not {"!Cargo.toml", "!Cargo.lock", "!src"} <= set(ignored):
        yield ".dockerignore: does not let in the sources, or not only them"


def compose(root):
    path = root / "deploy/compose.yaml"
    yield from tool("compose", TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)
    all = yaml.safe_load(path.read_text())
    services = all["services"]
    for name, service in services.items():
        yield from (f"compose: {name}: {what}" for what in compose_service(root, name, service, all))
    if services["worker"]["depends_on"]["rabbitmq"]["condition"] != "service_healthy":
        yield "compose: the worker does not wait for RabbitMQ's passwords"


def compose_service(root, name, service, all):
    hardened = service.get("read_only") is True and service.get("cap_drop") == ["ALL"]
    if not hardened or "no-new-privileges:true" not in service.get("security_opt", []):
        yield "not hardened"
    if service.get("privileged") or service.get("cap_add", []) not in ([], ["CHOWN"]):
        yield "has rights that it does not need"
    if service["image"] != "revoker" and not is_pinned(service["image"]):
        yield f"{service['image']} is not pinned"
    if "healthcheck" not in service and name not in WITHOUT_HEALTH:
        yield "no health check"
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            yield f"port {port} is not of loopback alone"
    for volume in service.get("volumes", []):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            if not (root / "deploy" / source).exists():
                yield f"{source} is not there"
            if not volume.endswith(":ro"):
                yield f"{source} may be written to"
        elif source not in all["volumes"]:
            yield f"{source} is no volume"
    mounts = [volume.split(":")[1] for volume in service.get("volumes", [])]
    for variable, value in service.get("environment", {}).items():
        if re.search("SECRET|PASSWORD", variable) and not variable.endswith("FILE"):
            yield f"{variable} is a secret in the environment"
        if variable.endswith("FILE") and not any(value.startswith(mount + "/") for mount in mounts):
            yield f"{value} is in nothing that is mounted"


# Kubernetes

def kubernetes(root):
    # The second has all that the first has.
    for overlay in ["operators"] if is_breaking() else ["plain", "operators"]:
        code, out = run(TOOLS / "kubectl", "kustomize", root / "deploy/kubernetes/overlays" / overlay)
        if code != 0 or "Warning" in out:
            yield f"{overlay}: {out.strip()}"
            continue
        objects = list(yaml.safe_load_all(out))
        yield from (f"{overlay}: {what}" for what in together(objects))
    code, out = run("bash", root / "deploy/kubernetes/campaign", "--print")
    for pod in yaml.safe_load_all(out):
        pod["metadata"]["name"] = pod["metadata"].pop("generateName") + "x"
        yield from (f"campaign: {what}" for what in valid(pod))
        yield from (f"campaign: {what}" for what in restricted(pod["spec"]))


def valid(object):
    if object["kind"] in FOREIGN:
        return
    try:
        kubernetes_validate.validate(object, KUBERNETES, strict=True)
    except Exception as error:
        yield f"{object['kind']} {object['metadata'].get('name')}: {error}"


def together(objects):
    for object in objects:
        yield from valid(object)
        if object["metadata"].get("namespace") != "revoker":
            yield f"{object['kind']}: in no namespace"
    of = lambda kind: [object for object in objects if object["kind"] == kind]
    deployment = of("Deployment")[0]
    pod = deployment["spec"]["template"]
    yield from restricted(pod["spec"])
    labels, container = pod["metadata"]["labels"], pod["spec"]["containers"][0]
    selects = lambda selector: selector and selector.items() <= labels.items()
    selectors = [deployment["spec"]["selector"]["matchLabels"]]
    selectors += [pdb["spec"]["selector"]["matchLabels"] for pdb in of("PodDisruptionBudget")]
    selectors += [policy["spec"]["podSelector"].get("matchLabels") for policy in of("NetworkPolicy")]
    selectors += [service["spec"]["selector"] for service in of("Service")]
    if not all(selects(selector) for selector in selectors):
        yield "a selector does not select the pods"
    if pod["spec"]["serviceAccountName"] != of("ServiceAccount")[0]["metadata"]["name"]:
        yield "the service account is another"
    ports = {port["name"] for port in container["ports"]}
    for probe in ["livenessProbe", "readinessProbe"]:
        if container[probe]["httpGet"]["port"] not in ports:
            yield f"{probe}: no such port"
    if (container["livenessProbe"]["httpGet"]["path"], container["readinessProbe"]["httpGet"]["path"]) != ("/healthz", "/readyz"):
        yield "the probes ask something else"
    settings = of("ConfigMap")[0]
    if container["envFrom"] != [{"configMapRef": {"name": settings["metadata"]["name"]}}]:
        yield "the settings are not those of the ConfigMap"
    mount, items = container["volumeMounts"][0]["mountPath"], pod["spec"]["volumes"][0]["secret"]["items"]
    mounted = {f"{mount}/{item['path']}" for item in items}
    files = {value for name, value in settings["data"].items() if name.endswith("_FILE")}
    if mounted != files:
        yield f"mounted are {sorted(mounted)}, named {sorted(files)}"
    yield from operators(of, labels)


def operators(of, labels):
    for monitor in of("ServiceMonitor"):
        service = of("Service")[0]
        # The job's name, which the alerts go by.
        if service["metadata"]["name"] != "revoker":
            yield "the job is another than that of the alerts"
        port = monitor["spec"]["endpoints"][0]["port"]
        found = monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        if not found or port not in [p["name"] for p in service["spec"]["ports"]]:
            yield "the ServiceMonitor finds no port"
    for rule in of("PrometheusRule"):
        if rule["spec"]["groups"]:
            with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
                yaml.safe_dump(rule["spec"], file)
                file.flush()
                yield from tool("PrometheusRule", "promtool", "check", "rules", file.name)
    for scaled in of("ScaledObject"):
        spec = scaled["spec"]
        references = {trigger["authenticationRef"]["name"] for trigger in spec["triggers"]}
        if references != {a["metadata"]["name"] for a in of("TriggerAuthentication")}:
            yield "a trigger's credentials are not there"
        if spec["scaleTargetRef"]["name"] != of("Deployment")[0]["metadata"]["name"]:
            yield "what is scaled is not there"
        if "replicas" in of("Deployment")[0]["spec"]:
            yield "replicas are counted twice"
        if not 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]:
            yield "no room to scale"


def restricted(pod):
    """The pod security standard "restricted", and what we add to it."""
    context = pod["securityContext"]
    if not context.get("runAsNonRoot") or not context.get("runAsUser") or context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "the pod may be root's, or call what it likes"
    if pod.get("automountServiceAccountToken") is not False:
        yield "the pod has a token"
    if any(key in pod for key in ["hostNetwork", "hostPID", "hostIPC"]):
        yield "the pod is in the host"
    for volume in pod["volumes"]:
        if not volume.keys() & {"secret", "emptyDir"}:
            yield f"volume {volume['name']} is of another kind"
        if volume.get("secret", {}).get("defaultMode", 0o440) != 0o440:
            yield "a secret may be read by others"
    for container in pod["containers"] + pod.get("initContainers", []):
        has = container["securityContext"]
        if has.get("allowPrivilegeEscalation") is not False or has.get("readOnlyRootFilesystem") is not True or has.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{container['name']} is not confined"
        if "memory" not in container["resources"]["limits"]:
            yield f"{container['name']} may take all memory"
        if container["image"] != "revoker" and not is_pinned(container["image"]):
            yield f"{container['image']} is not pinned"


# systemd and Prometheus

def systemd(root):
    text = (root / "deploy/systemd/revoker.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "revoker.service"
        # It is not installed here.
        unit.write_text(text.replace("/usr/local/bin/revoker", "/bin/true"))
        code, out = run("systemd-analyze", "verify", "--man=no", unit)
        if code != 0 or "revoker.service" in out:
            yield f"systemd: {out.strip()}"
        code, out = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX_TENTHS}", unit)
        if code != 0:
            yield f"systemd: {out.strip().splitlines()[-1]}"
        elif not is_breaking():
            print("systemd:", out.strip().splitlines()[-1].strip("→ "))
    loaded = set(re.findall(r"^LoadCredential=([^:]+):/", text, re.M))
    named = set(re.findall(r"_FILE=%d/(.+)$", text, re.M))
    if loaded != named or not loaded:
        yield f"systemd: loaded are {sorted(loaded)}, named {sorted(named)}"


def prometheus(root):
    yield from tool("prometheus", "promtool", "check", "config", "--syntax-only", root / "deploy/compose/prometheus.yml")
    for path in (root / "deploy/compose/grafana").rglob("*.yaml"):
        if yaml.safe_load(path.read_text()).get("apiVersion") != 1:
            yield f"{path.name}: no version"


CHECKS = [dockerfile, compose, kubernetes, systemd, prometheus]


def complaints(root, checks=CHECKS):
    return [what for check in checks for what in check(root)]


# (check, file, what stands there, what is put there): each must be found.
BREAKS = [
    (dockerfile, "Dockerfile", "rust:1.88.0-slim-bookworm", "rust:latest"),
    (dockerfile, "Dockerfile", "USER 65532:65532", "USER root"),
    (dockerfile, "Dockerfile", "--locked ", ""),
    (compose, "compose.yaml", "restart: unless-stopped", "restarts: never"),
    (compose, "compose.yaml", '["127.0.0.1:9477:9477"]', '["9477:9477"]'),
    (compose, "compose.yaml", "./compose/rabbitmq.conf", "./compose/rabbit.conf"),
    (compose, "compose.yaml", "cap_drop: [ALL]", "cap_drop: []"),
    (compose, "compose.yaml", "REVOKER_STYTCH_SECRET_FILE: /run/secrets/revoker/stytch", "REVOKER_STYTCH_SECRET: abc"),
    (compose, "compose.yaml", "/run/secrets/revoker/seal.keys", "/run/secrets/seal.keys"),
    (compose, "compose.yaml", "rabbitmq:4.1.0-management", "rabbitmq:management"),
    (kubernetes, "kubernetes/base/deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
    (kubernetes, "kubernetes/base/deployment.yaml", "maxSurge: 1", "maxSurge: [1]"),
    (kubernetes, "kubernetes/base/deployment.yaml", "enableServiceLinks", "enableServiceLink"),
    (kubernetes, "kubernetes/base/deployment.yaml", "path: /readyz", "path: /ready"),
    (kubernetes, "kubernetes/base/deployment.yaml", "key: seal.keys, path: seal.keys", "key: seal.keys, path: keys"),
    (kubernetes, "kubernetes/base/deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false"),
    (kubernetes, "kubernetes/base/networkpolicy.yaml", "app.kubernetes.io/name: revoker", "app: revoker"),
    (kubernetes, "kubernetes/base/kustomization.yaml", "- serviceaccount.yaml", "- account.yaml"),
    (kubernetes, "kubernetes/components/keda/scaledobject.yaml", "authenticationRef: { name: revoker-keda }", "authenticationRef: { name: keda }"),
    (kubernetes, "kubernetes/components/prometheus-operator/servicemonitor.yaml", "port: admin", "port: http"),
    (kubernetes, "kubernetes/campaign", "capabilities: { drop: [ALL] }", "capabilities: {}"),
    (systemd, "systemd/revoker.service", "PrivateUsers=yes", "PrivateUser=yes"),
    (systemd, "systemd/revoker.service", "CapabilityBoundingSet=", "CapabilityBoundingSet=~"),
    (systemd, "systemd/revoker.service", "LoadCredential=stytch", "LoadCredential=stych"),
    (prometheus, "compose/prometheus.yml", "scrape_configs", "scrapes"),
]


def unseen(root):
    """Breaks that no check has found."""
    for check, path, stands, put in BREAKS:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            shutil.copytree(root / "deploy", copy / "deploy", symlinks=True)
            shutil.copytree(root / "dashboards", copy / "dashboards")
            shutil.copy(root / ".dockerignore", copy)
            file = copy / "deploy" / path
            text = file.read_text()
            if stands not in text:
                yield f"{path} has no {stands!r} to break"
            file.write_text(text.replace(stands, put))
            try:
                found = complaints(copy, [check])
            except Exception as error:
                found = [repr(error)]
            if not found:
                yield f"not seen: {path} with {put!r}"


if __name__ == "__main__":
    root = Path(sys.argv[-1]).resolve()
    found = list(unseen(root)) if is_breaking() else complaints(root)
    well = f"every one of {len(BREAKS)} breaks was found" if is_breaking() else "nothing is wrong"
    print("\n".join(found) or well)
    sys.exit(bool(found))
