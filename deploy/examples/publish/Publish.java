// Asks Revoker to end a user's sessions, or one: java -cp amqp-client.jar:slf4j-api.jar Publish.java
// AMQP_URL USER_OR_SESSION_ID [EXCHANGE]. The first jar is com.rabbitmq:amqp-client, which needs the second.
import com.rabbitmq.client.*;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

public class Publish {
  static final String PUBLISHER = "password-reset"; // your service: the routing key, and by rights its user's name
  static final int TIMEOUT = 5_000; // milliseconds, for each try; three tries

  static class Refused extends Exception { // trying again at once is pointless
    Refused(String why) { super(why); }
  }

  static void publish(String amqpUrl, String exchange, String id, String event) throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(amqpUrl);
    factory.setConnectionTimeout(TIMEOUT);
    factory.setHandshakeTimeout(TIMEOUT);
    factory.setAutomaticRecoveryEnabled(false); // what is not confirmed is published again, below
    Connection connection = factory.newConnection();
    try {
      Channel channel = connection.createChannel();
      AtomicBoolean returned = new AtomicBoolean();
      channel.addReturnListener((code, text, from, key, properties, body) -> returned.set(true));
      channel.confirmSelect();
      AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
          .contentType("application/json").deliveryMode(2).messageId(id).build();
      boolean mandatory = true;
      channel.basicPublish(exchange, PUBLISHER, mandatory, properties, event.getBytes(StandardCharsets.UTF_8));
      channel.waitForConfirmsOrDie(TIMEOUT); // an IOException when the broker refuses, as a full queue does
      if (returned.get()) { // a return comes before the confirm of what came back
        throw new Refused("returned: no queue takes what is published to " + exchange
            + "; does a worker run with this vhost and prefix?");
      }
    } catch (ShutdownSignalException closed) { // 404, 403, 406: the broker closes the channel
      if (closed.isHardError()) throw closed;
      throw new Refused("refused: " + closed.getReason());
    } finally {
      connection.abort(TIMEOUT);
    }
  }

  public static void main(String[] args) throws Exception {
    String exchange = args.length > 2 ? args[2] : "revocation.urgent";
    String id = UUID.randomUUID().toString(); // of this event for ever: published again, it is the same
    String field = args[1].startsWith("session-") ? "session_id" : "user_id";
    // In a service: written to an outbox, in the transaction that changes the password. Use your JSON library.
    String event = String.format("{\"type\":\"session.revoke.v1\",\"id\":\"%s\",\"occurred_at\":\"%s\","
        + "\"reason\":\"password_reset\",\"%s\":\"%s\"}", id, Instant.now(), field, args[1]);
    for (int wait : new int[] {1_000, 2_000, 0}) {
      try {
        publish(args[0], exchange, id, event);
        System.out.println("published " + id);
        return;
      } catch (Refused refused) {
        System.err.println(refused.getMessage());
        System.exit(1);
      } catch (IOException | TimeoutException | ShutdownSignalException error) {
        System.err.println("not confirmed: " + error); // refused by a full queue, too late, or no connection
        Thread.sleep(wait);
      }
    }
    System.err.println("given up: the event stays in the outbox, and is published again with the same id");
    System.exit(1);
  }
}
