//! The whole product in one process; being put together.
