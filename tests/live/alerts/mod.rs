//! Alerts on their way from a worker to whoever is told, and what the runbook tells them to do.

mod fired;
mod runbook;
mod told;
