use super::{DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// Which page of dead letters an operator wants to see.
#[derive(Debug, Clone)]
pub struct ListDeadLetters<Id> {
    /// Those in this state.
    pub status: DeadLetterStatus,
    /// Those that match.
    pub filter: DeadLetterFilter,
    /// Where the page begins: the `next` of the page before.
    pub cursor: Option<Id>,
    /// How many at most.
    pub limit: PageLimit,
}

/// Lists dead letters a page at a time, oldest first.
///
/// # Errors
/// When the store cannot be reached.
pub async fn list_dead_letters<L: DeadLetters>(
    letters: &L,
    wish: &ListDeadLetters<L::Id>,
) -> Result<Page<Kept<L>, L::Id>, StoreError> {
    let ListDeadLetters { status, ref filter, cursor: after, limit } = *wish;
    let query = DeadLetterQuery { status, filter, after };
    let found = letters.page(query, limit.plus_one()).await?;
    Ok(Page::from_rows(found, limit, |letter| letter.id))
}
