//! What others build on: the ways an event may come, the examples to copy, the pretend API to the official
//! clients.

mod lanes;
mod verify;
