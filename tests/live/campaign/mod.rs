//! Campaigns against a real broker.

mod forged;
mod given;
mod report;
mod unwritten;
