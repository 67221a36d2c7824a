//! In-memory ports, and the contract suites every implementation of a port must pass.
