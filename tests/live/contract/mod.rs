//! What others build on: the ways an event may come, the examples to copy, the pretend API to the official
//! clients.

mod client;
mod errors;
mod examples;
mod full;
mod installed;
mod lanes;
mod sdks;
mod verify;
