use application::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept,
};

/// The open dead letters.
pub async fn open_dead_letters<L: DeadLetters>(letters: &L) -> Vec<Kept<L>> {
    let filter = DeadLetterFilter::default();
    let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter: &filter, after: None };
    letters.page(query, 1000).await.unwrap()
}
