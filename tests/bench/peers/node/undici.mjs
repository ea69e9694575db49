// A worker with amqplib and undici, Node's fastest HTTP client, without an SDK.
import { Pool } from 'undici';
import { BENCH_API_URL, BENCH_PROJECT_ID, BENCH_SECRET, CONCURRENCY, consume } from './consumer.mjs';

const TIMEOUT_MS = 10_000;

const pool = new Pool(BENCH_API_URL, {
  connections: CONCURRENCY,
  headersTimeout: TIMEOUT_MS,
  bodyTimeout: TIMEOUT_MS,
});
const credentials = Buffer.from(`${BENCH_PROJECT_ID}:${BENCH_SECRET}`).toString('base64');
const headers = { 'content-type': 'application/json', authorization: `Basic ${credentials}` };

await consume(async (sessionId) => {
  const body = JSON.stringify({ session_id: sessionId });
  const answer = await pool.request({ method: 'POST', path: '/v1/sessions/revoke', headers, body });
  const result = await answer.body.json();
  if (answer.statusCode !== 200) {
    throw Object.assign(new Error(result.error_type), { status_code: answer.statusCode });
  }
});
