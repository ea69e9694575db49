//! Flags and `REVOKER_*` variables become the stages' setting structs; all errors at once.
