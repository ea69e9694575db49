//! One message's life: decode, gate, call, classify, settle.
