// Asks Revoker to end a user's sessions, or one: publish AMQP_URL USER_OR_SESSION_ID [EXCHANGE]
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const publisher = "password-reset" // your service: the routing key, and by rights its user's name in RabbitMQ
const timeout = 5 * time.Second    // for each try; three tries

// Trying again at once is pointless.
type refused struct{ error }

func newEvent(target string) (id string, body []byte) {
	random := make([]byte, 16)
	rand.Read(random)
	id = fmt.Sprintf("%x", random) // of this event for ever: published again, it is the same
	field := "user_id"
	if strings.HasPrefix(target, "session-") {
		field = "session_id"
	}
	body, _ = json.Marshal(map[string]string{
		"type": "session.revoke.v1", "id": id, "reason": "password_reset", field: target,
		"occurred_at": time.Now().UTC().Format(time.RFC3339Nano), // before the password is changed
	})
	return id, body
}

func publish(amqpURL, exchange, id string, body []byte) error {
	connection, err := amqp.DialConfig(amqpURL, amqp.Config{Dial: amqp.DefaultDial(timeout)})
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	returned := channel.NotifyReturn(make(chan amqp.Return, 1))
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	if err := channel.Confirm(false); err != nil {
		return err
	}
	confirmed := channel.NotifyPublish(make(chan amqp.Confirmation, 1))
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	mandatory, immediate := true, false
	err = channel.PublishWithContext(ctx, exchange, publisher, mandatory, immediate, amqp.Publishing{
		ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: id, Body: body})
	if err != nil {
		return err
	}
	select {
	case <-returned: // a return comes before the confirm of what came back
		return refused{fmt.Errorf("returned: no queue takes what is published to %s; does a worker run with this vhost and prefix?", exchange)}
	case reason := <-closed: // 404, 403, 406: the broker closes the channel
		if reason != nil && reason.Code < 500 {
			return refused{fmt.Errorf("refused: %w", reason)}
		}
		return errors.New("the connection is gone")
	case confirmation := <-confirmed:
		if len(returned) > 0 {
			return refused{fmt.Errorf("returned: no queue takes what is published to %s; does a worker run with this vhost and prefix?", exchange)}
		}
		if !confirmation.Ack {
			return errors.New("the broker refused it: a full queue")
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no confirm within %s", timeout)
	}
}

func main() {
	exchange := "revocation.urgent"
	if len(os.Args) > 3 {
		exchange = os.Args[3]
	}
	id, body := newEvent(os.Args[2]) // in a service: written to an outbox, in the transaction that changes the password
	for _, wait := range []time.Duration{1, 2, 0} {
		err := publish(os.Args[1], exchange, id, body)
		if err == nil {
			fmt.Println("published", id)
			return
		}
		if errors.As(err, &refused{}) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "not confirmed:", err) // refused by a full queue, too late, or no connection
		time.Sleep(wait * time.Second)
	}
	fmt.Fprintln(os.Stderr, "given up: the event stays in the outbox, and is published again with the same id")
	os.Exit(1)
}
