"""deploy/kubernetes/campaign against a kubectl that only answers: what it does with lists, reports and exit codes.

Usage: campaign.py ROOT
"""

import os, subprocess, sys, tempfile
from pathlib import Path

SCRIPT = Path(sys.argv[1]).resolve() / "deploy/kubernetes/campaign"

# Two pods, one after the other; their exit codes stand in the file `codes`, one a line.
KUBECTL = r"""#!/bin/bash
set -u
cd "$(dirname "$0")"
echo "$*" >>calls
case "$*" in
  *"get deployment"*image*) printf registry.example/revoker:7 ;;
  *"get deployment"*configMapRef*) printf revoker-abc ;;
  *" create "*) cat >>manifests; n=$(grep -c ' create ' calls); echo "pod/$n" ;;
  *" get pod/"*) n=$(grep -c ' create ' calls); sed -n "${n}p" codes ;;
  *"cat >/campaign/part"*) cat >>lists ;;
  *"exec"*"tar -C"*) mkdir -p made/report-drill.1; echo proof >made/report-drill.1/digest; tar -C made -cf - report-drill.1 ;;
esac
"""


def check(arguments, codes, ends, pods):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "bin").mkdir()
        kubectl = folder / "bin/kubectl"
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        (folder / "bin/codes").write_text("".join(f"{code}\n" for code in codes))
        (folder / "users.csv").write_text("user-test-1\n")
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder)}
        done = subprocess.run([SCRIPT, *arguments], cwd=folder, env=env, text=True, capture_output=True)
        read = lambda name: (folder / "bin" / name).read_text() if (folder / "bin" / name).exists() else ""
        calls, manifests = read("calls"), read("manifests")
        about = f"{arguments}: {done}\n{calls}"
        assert done.returncode == ends, about
        assert calls.count(" create ") == pods and calls.count(" delete ") == pods, about
        assert read("lists") == "user-test-1\n" * pods, about
        report = folder / "report-drill.1/digest"
        assert report.exists() == (pods > 0 and ends != 64), about
        if pods:
            assert "image: registry.example/revoker:7" in manifests and "name: revoker-abc" in manifests, manifests
        return manifests


why = ["--reason", "security_incident", "--why", 'it says "stolen"']
manifests = check(["users.csv", "drill.1", *why], [0, 0], 0, 2)
assert r'"it says \"stolen\""' in manifests, manifests
check(["users.csv", "drill.1", *why], [1, 1], 1, 2)
check(["users.csv", "drill.1", *why], [64], 64, 1)
check(["--report", "users.csv", "drill.1"], [0], 0, 1)
check(["users.csv"], [], 64, 0)
check(["nowhere.csv", "drill.1", *why], [], 1, 0)
check(["users.csv", "../up", *why], [], 1, 0)
print("campaign: lists go in, reports come out, pods are deleted")
