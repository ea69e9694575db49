//! The pretend API: Stytch's sessions endpoints in memory, with a rate limit and faults.
