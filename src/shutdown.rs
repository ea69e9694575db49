//! Signals to a token, a drain with a deadline, and how it ended.
