use application::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept,
};
use application::published::{DeadLetter, RawRecord};

/// The open dead letters.
pub async fn open_dead_letters<L: DeadLetters>(letters: &L) -> Vec<Kept<L>> {
    let filter = DeadLetterFilter::default();
    let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter: &filter, after: None };
    letters.page(query, 1000).await.unwrap()
}

/// The open dead letters as they were stored.
pub async fn stored_dead_letters<L>(letters: &L) -> Vec<DeadLetter>
where
    L: DeadLetters<Content = RawRecord>,
{
    let open = open_dead_letters(letters).await.into_iter();
    open.map(|kept| DeadLetter { record: kept.content, reason: kept.reason }).collect()
}
