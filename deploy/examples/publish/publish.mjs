// Asks Revoker to end a user's sessions, or one: node publish.mjs AMQP_URL USER_OR_SESSION_ID [EXCHANGE]
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";

const PUBLISHER = "password-reset"; // your service: the routing key, and by rights its user's name in RabbitMQ
const TIMEOUT = 5_000; // milliseconds, for each try; three tries

const newEvent = (target) => ({
  type: "session.revoke.v1",
  id: randomUUID(), // of this event for ever: published again, it is the same
  occurred_at: new Date().toISOString(), // before the password is changed
  reason: "password_reset",
  [target.startsWith("session-") ? "session_id" : "user_id"]: target,
});

class Refused extends Error {} // trying again at once is pointless

async function publish(amqpUrl, exchange, event) {
  const connection = await amqp.connect(amqpUrl, { timeout: TIMEOUT });
  connection.on("error", () => {}); // without a listener it would end the process; what failed is told below
  try {
    const channel = await connection.createConfirmChannel();
    await new Promise((confirmed, failed) => {
      // 404, 403, 406: the broker closes the channel. A return comes before the confirm of what came back.
      channel.on("error", (error) => failed(error.code ? new Refused(`refused: ${error.message}`) : error));
      channel.on("return", () => failed(new Refused(
        `returned: no queue takes what is published to ${exchange}; does a worker run with this vhost and prefix?`)));
      channel.publish(exchange, PUBLISHER, Buffer.from(JSON.stringify(event)), {
        contentType: "application/json", persistent: true, messageId: event.id, mandatory: true,
      }, (nack) => (nack ? failed(nack) : confirmed()));
      sleep(TIMEOUT, null, { ref: false }).then(() => failed(new Error(`no confirm within ${TIMEOUT} ms`)));
    });
  } finally {
    connection.close().catch(() => {});
  }
}

async function main(amqpUrl, target, exchange = "revocation.urgent") {
  const event = newEvent(target); // in a service: written to an outbox, in the transaction that changes the password
  for (const wait of [1_000, 2_000, 0]) {
    try {
      await publish(amqpUrl, exchange, event);
      return console.log("published", event.id);
    } catch (error) {
      if (error instanceof Refused) throw error;
      console.error("not confirmed:", error.message); // refused by a full queue, too late, or no connection
      await sleep(wait);
    }
  }
  throw new Error("given up: the event stays in the outbox, and is published again with the same id");
}

main(...process.argv.slice(2)).then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
