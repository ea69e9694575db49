//! `revoker definitions`: exchanges, queues, bindings, users and rights, as RabbitMQ imports them.
//!
//! For `REVOKER_TOPOLOGY=verify`: whoever runs the broker makes all that is there, and the worker's user may
//! neither declare nor delete any of it. `deploy/rabbitmq/definitions.json` is what this prints by default.
//! Written from the same data as what a worker declares, so that the two cannot differ.
//!
//! Not here: passwords. The users have none, so that nobody can log in until they are given one. Nor the
//! exchange that is the owner lock: its argument names the Stytch project, so the first worker makes it.

use serde_json::{Value, json};

use super::{Failure, print};
use crate::{
    broker::topology::{Argument, Names, Queue, topology},
    config::DefinitionsArgs,
    event::Lane,
};

/// The worker's user.
const WORKER: &str = "revoker";
/// A publisher's user, to be copied for each publisher.
const PUBLISHER: &str = "publisher-example";
/// Who runs campaigns and replays dead letters.
const OPERATOR: &str = "operator";
/// Matches no name.
const NOTHING: &str = "^$";

/// What is defined.
#[derive(Debug, clap::Args)]
#[command(after_help = USE)]
pub struct Args {
    /// The vhost, which is made, too.
    #[arg(long, value_name = "NAME", default_value = "revoker")]
    vhost: String,
    #[command(flatten)]
    settings: DefinitionsArgs,
}

const USE: &str = "\
Import it with rabbitmqctl import_definitions FILE, then give each user a password with rabbitmqctl
change_password USER PASSWORD: until then nobody can log in. Settings must be those of the workers.";

/// Prints the definitions.
///
/// # Errors
/// When settings are wrong, or standard output is closed.
pub fn run(args: &Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    // The project is named by the lock alone, which is left out.
    let all = topology(&settings.prefix, "", &settings.retry_delays);
    let (vhost, names) = (&args.vhost, Names::new(&settings.prefix));
    let exchanges = all.exchanges.iter().map(|name| exchange(vhost, name));
    let bindings = all.queues.iter().flat_map(|queue| bindings(vhost, queue));
    let document = json!({
        "users": users(),
        "vhosts": [{ "name": vhost }],
        "permissions": permissions(vhost, &names),
        "topic_permissions": topic_permissions(vhost, &names),
        "exchanges": exchanges.collect::<Vec<_>>(),
        "queues": all.queues.iter().map(|q| self::queue(vhost, q)).collect::<Vec<_>>(),
        "bindings": bindings.collect::<Vec<_>>(),
    });
    Ok(print(&format!("{document:#}\n"))?)
}

/// Users whose password hash is empty cannot log in with any password.
fn users() -> Vec<Value> {
    let user = |name: &&str| {
        json!({
            "name": name,
            "password_hash": "",
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [],
        })
    };
    [WORKER, PUBLISHER, OPERATOR].iter().map(user).collect()
}

fn permissions(vhost: &str, names: &Names) -> Vec<Value> {
    let named = |rest: &str| format!("^{}\\.{rest}$", escaped(names.prefix()));
    let lanes = Lane::ALL.iter().map(|lane| lane.as_str());
    let lanes = format!("({})", lanes.collect::<Vec<_>>().join("|"));
    let row = |user: &str, configure: String, write: String, read: String| json!({ "user": user, "vhost": vhost, "configure": configure, "write": write, "read": read });
    vec![
        // The first worker makes the lock. Its argument names an alternate exchange, which never exists:
        // for that RabbitMQ asks for the right to read the lock and to write to the alternate.
        row(
            WORKER,
            named("owner"),
            named(&format!("(dead|outcomes|{lanes}\\.retry\\..+|owner\\..+)")),
            named(&format!("({lanes}|unhandled|control|owner)",)),
        ),
        row(PUBLISHER, NOTHING.into(), named(&lanes), NOTHING.into()),
        row(
            OPERATOR,
            named("dead\\.lock"),
            named(&format!("(control|{lanes}(\\.return)?)")),
            named("(dead|audit|control)"),
        ),
    ]
}

/// A publisher's routing key is its name: outcomes go to it, and brakes are per name.
fn topic_permissions(vhost: &str, names: &Names) -> Vec<Value> {
    let own = |lane: &Lane| {
        json!({
            "user": PUBLISHER,
            "vhost": vhost,
            "exchange": names.lane(*lane),
            "write": "^{username}$",
            "read": NOTHING,
        })
    };
    Lane::ALL.iter().map(own).collect()
}

fn exchange(vhost: &str, name: &str) -> Value {
    json!({
        "name": name,
        "vhost": vhost,
        "type": "topic",
        "durable": true,
        "auto_delete": false,
        "internal": false,
        "arguments": {},
    })
}

fn queue(vhost: &str, queue: &Queue) -> Value {
    let value = |argument: &Argument| match argument {
        Argument::Text(text) => Value::from(text.as_str()),
        Argument::Int(number) => Value::from(*number),
    };
    let arguments = queue.arguments.iter();
    let arguments = arguments.map(|(name, argument)| ((*name).to_owned(), value(argument)));
    json!({
        "name": queue.name,
        "vhost": vhost,
        "durable": true,
        "auto_delete": false,
        "arguments": Value::Object(arguments.collect()),
    })
}

fn bindings<'a>(vhost: &'a str, queue: &'a Queue) -> impl Iterator<Item = Value> + 'a {
    queue.bound_to.iter().map(move |exchange| {
        json!({
            "source": exchange,
            "vhost": vhost,
            "destination": queue.name,
            "destination_type": "queue",
            "routing_key": "#",
            "arguments": {},
        })
    })
}

/// The prefix as a pattern: of what it may hold, only a dot means something else in one.
fn escaped(prefix: &str) -> String {
    prefix.replace('.', "\\.")
}
