// What both Node workers share: consume, retry, then ack or hand to the queue's dead letters.
import amqp from 'amqplib';

export const { BENCH_AMQP_URL, BENCH_QUEUE, BENCH_API_URL, BENCH_PROJECT_ID, BENCH_SECRET } = process.env;
export const CONCURRENCY = Number(process.env.BENCH_CONCURRENCY);

const ATTEMPTS = 6;
const FIRST_DELAY_MS = 1_000;
const DELAY_MS_MAX = 60_000;

// `error.status_code` is the API's, and absent when the network failed.
const isWorthARetry = ({ status_code: status }) => status === undefined || status === 429 || status >= 500;

async function withRetries(call) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS || !isWorthARetry(error)) throw error;
      const longest = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** (attempt - 1));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}

// Runs until SIGTERM. `revoke(sessionId)` throws what the API or the network had against it.
export async function consume(revoke) {
  const connection = await amqp.connect(BENCH_AMQP_URL);
  const channel = await connection.createChannel();
  await channel.prefetch(CONCURRENCY);
  const inHand = new Set();

  const settle = async (message) => {
    try {
      const { session_id: sessionId } = JSON.parse(message.content);
      await withRetries(() => revoke(sessionId));
      channel.ack(message);
    } catch (error) {
      console.error(`dead letter: ${error.message}`);
      channel.nack(message, false, false);
    }
  };
  const { consumerTag } = await channel.consume(BENCH_QUEUE, (message) => {
    const done = settle(message).finally(() => inHand.delete(done));
    inHand.add(done);
  });

  process.once('SIGTERM', async () => {
    await channel.cancel(consumerTag);
    await Promise.all(inHand);
    await connection.close();
    process.exit(0);
  });
}
