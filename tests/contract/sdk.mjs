// Makes the calls that standard input lists with Stytch's own client for Node, one JSON object a line, and
// says of each how it ended: sdk.mjs BASE_URL PROJECT_ID SECRET. Run beside the package `stytch`.
import { createInterface } from "node:readline";
import stytch from "stytch";

const [env, project_id, secret] = process.argv.slice(2);
const client = new stytch.Client({ project_id, secret, env });
const calls = {
  revoke: (parameters) => client.sessions.revoke(parameters),
  get: (parameters) => client.sessions.get(parameters),
  whoami: () => client.debug.whoami({}),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, parameters } = JSON.parse(line);
  let ended;
  try {
    ended = await calls[call](parameters);
  } catch (error) {
    const { status_code, request_id, error_type, error_message } = error;
    ended = { class: error.constructor.name, status_code, request_id, error_type, error_message };
  }
  console.log(JSON.stringify(ended));
}
