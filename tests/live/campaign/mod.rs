//! Campaigns against a real broker.

mod forged;
mod gap;
mod given;
mod report;
mod unwritten;
