use std::error::Error;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::str::FromStr;

use application::StoreError;
use application::dead_letters::{
    ActOutcome, ActResult, DeadLetterQuery, DeadLetters, FilterError, Retry, RetryError,
    SelectionError, discard_dead_letters, retry_dead_letters,
};

use super::{DeadContent, DeadLettersCommand};

/// How many dead letters are read at a time.
const PAGE: usize = 500;

/// Why a command was not carried out to its end. What was printed until then is done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The store failed.
    #[error("cannot read or change the dead letters")]
    Store(#[from] StoreError),
    /// Retrying failed.
    #[error(transparent)]
    Retry(#[from] RetryError),
    /// It is not said which dead letters are meant.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// A filter is empty.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The results cannot be printed.
    #[error("cannot print the results")]
    Print(#[from] io::Error),
}

/// Carries a command out and prints each dead letter, or each result, on a line of its own. Answers
/// whether all was done that the operator wanted.
///
/// # Errors
/// When the store fails, a record cannot be decoded for now, or `out` fails.
pub async fn run<L>(
    command: DeadLettersCommand<L::Id>,
    letters: &L,
    how: &impl Retry<L>,
    out: &mut (impl Write + Send),
) -> Result<bool, CommandError>
where
    L: DeadLetters<Id: FromStr<Err: Error + Send + Sync + 'static> + 'static, Content: DeadContent>,
{
    let mut results = Results { out, all_done: true, printed: Ok(()) };
    match command {
        DeadLettersCommand::List { state: status, filter } => {
            let filter = filter.filter()?;
            let mut after = None;
            loop {
                let query = DeadLetterQuery { status, filter: &filter, after };
                let page = letters.page(query, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                for letter in &page {
                    writeln!(results.out, "{}", L::Content::line(letter))?;
                }
            }
        }
        DeadLettersCommand::Retry { which } => {
            let report = |result| results.print::<L>(&result);
            retry_dead_letters(letters, how, &which.selection()?, report).await?;
        }
        DeadLettersCommand::Discard { which } => {
            let report = |result| results.print::<L>(&result);
            discard_dead_letters(letters, &which.selection()?, report).await?;
        }
    }
    results.printed?;
    Ok(results.all_done)
}

/// The results of an act, as they are printed.
struct Results<'o, W> {
    out: &'o mut W,
    all_done: bool,
    printed: io::Result<()>,
}

impl<W: Write> Results<'_, W> {
    /// Prints a result. If that fails, the act is to end.
    fn print<L>(&mut self, ActResult { id, outcome }: &ActResult<L::Id>) -> ControlFlow<()>
    where
        L: DeadLetters<Content: DeadContent>,
    {
        self.all_done &= outcome.is_done();
        if self.printed.is_ok() {
            self.printed = match outcome {
                ActOutcome::Retried => writeln!(self.out, "{id}: {}", L::Content::RETRIED),
                ActOutcome::Discarded => writeln!(self.out, "{id}: discarded"),
                ActOutcome::StillDead { reason } => {
                    writeln!(self.out, "{id}: still cannot be processed: {}", reason.escape_debug())
                }
                ActOutcome::NotOpen => {
                    writeln!(self.out, "{id}: there is no open dead letter with this id")
                }
            };
        }
        if self.printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
