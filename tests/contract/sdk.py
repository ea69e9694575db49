"""Makes the calls that standard input lists with Stytch's own client for Python, one JSON object a line, and
says of each how it ended: sdk.py BASE_URL PROJECT_ID SECRET."""
import json, sys
import stytch
from stytch.core.response_base import StytchError

client = stytch.Client(project_id=sys.argv[2], secret=sys.argv[3], environment=sys.argv[1], suppress_warnings=True)
calls = {"revoke": client.sessions.revoke, "get": client.sessions.get, "whoami": client.debug.whoami}

for line in sys.stdin:
    call = json.loads(line)
    try:
        ended = json.loads(calls[call["call"]](**call["parameters"]).model_dump_json())
    except StytchError as error:
        ended = json.loads(error.details.model_dump_json()) | {"class": type(error).__name__}
    print(json.dumps(ended), flush=True)
