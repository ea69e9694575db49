// A worker with amqplib and Stytch's official SDK.
import stytch from 'stytch';
import { BENCH_API_URL, BENCH_PROJECT_ID, BENCH_SECRET, consume } from './consumer.mjs';

// `env` takes any base URL; `custom_base_url` refuses one without TLS.
const client = new stytch.Client({ project_id: BENCH_PROJECT_ID, secret: BENCH_SECRET, env: `${BENCH_API_URL}/` });

await consume((sessionId) => client.sessions.revoke({ session_id: sessionId }));
