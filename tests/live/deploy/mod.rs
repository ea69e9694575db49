//! The worker as it is deployed: TLS to the broker and to the API, secrets that change, several replicas.

mod book;
mod node;
mod replicas;
mod secrets;
mod tls;
