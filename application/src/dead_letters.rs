//! Dead letters: what could not be processed, kept until an operator retries or discards it.
//!
//! There are two kinds. A consumer keeps records that it could not consume, each under a number:
//! [`ConsumerDeadLetters`]. The outbox keeps events that Kafka refused, each under its event id:
//! [`OutboxDeadLetters`]. Both are listed, selected and settled in the same way. Only a retry differs:
//! a record is consumed again ([`ConsumeAgain`]), an event is published again ([`PublishAgain`]).

mod consume_again;
mod discard;
mod filter;
mod kept;
mod list;
mod port;
mod publish_again;
mod report;
mod retry;
mod selection;

pub use consume_again::ConsumeAgain;
pub use discard::discard_dead_letters;
pub use filter::{DeadLetterFilter, FilterError};
pub use kept::{
    DeadLetterNumber, DeadLetterNumberError, DeadLetterState, DeadLetterStatus,
    DeadLetterStatusError, KeptDeadLetter, RefusedEvent,
};
pub use list::{ListDeadLetters, list_dead_letters};
pub use port::{ConsumerDeadLetters, DeadLetterQuery, DeadLetters, Kept, OutboxDeadLetters};
pub use publish_again::PublishAgain;
pub use report::{ActOutcome, ActResult};
pub use retry::{Retried, Retry, RetryError, retry_dead_letters};
pub use selection::{Selection, SelectionArgs, SelectionError};

/// How many dead letters an act reads at a time.
const PAGE: usize = 500;
