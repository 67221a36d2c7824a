use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{
    ActOutcome, ActResult, DeadLetterQuery, DeadLetterStatus, DeadLetters, PAGE, Selection,
};
use crate::StoreError;

/// Discards the selected dead letters for good; they stay listed as discarded, with the time.
///
/// `report` gets each result and may end the act after it. Results come in the order of the ids given,
/// or oldest first.
///
/// # Errors
/// When the store cannot be reached. What was reported until then is done.
pub async fn discard_dead_letters<L: DeadLetters>(
    letters: &L,
    selection: &Selection<L::Id>,
    mut report: impl FnMut(ActResult<L::Id>) -> ControlFlow<()> + Send,
) -> Result<(), StoreError> {
    match selection {
        Selection::Ids(ids) => {
            for chunk in ids.chunks(PAGE) {
                if discard_all(letters, chunk, &mut report).await?.is_break() {
                    break;
                }
            }
        }
        Selection::Matching(filter) => {
            let mut after = None;
            loop {
                let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter, after };
                let page = letters.page(query, PAGE).await?;
                let ids: Vec<L::Id> = page.iter().map(|letter| letter.id).collect();
                after = ids.last().copied();
                if after.is_none() || discard_all(letters, &ids, &mut report).await?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn discard_all<L: DeadLetters>(
    letters: &L,
    ids: &[L::Id],
    report: &mut (impl FnMut(ActResult<L::Id>) -> ControlFlow<()> + Send),
) -> Result<ControlFlow<()>, StoreError> {
    let mut open: BTreeSet<L::Id> = letters.discard(ids).await?.into_iter().collect();
    let mut flow = ControlFlow::Continue(());
    for &id in ids {
        // An id that is given twice is discarded once.
        let outcome = if open.remove(&id) { ActOutcome::Discarded } else { ActOutcome::NotOpen };
        // The whole chunk is done, so the whole chunk is reported.
        if report(ActResult { id, outcome }).is_break() {
            flow = ControlFlow::Break(());
        }
    }
    Ok(flow)
}
