//! The command `dead-letters` of every program that has them: list, retry and discard.

mod line;
mod run;

use std::error::Error;
use std::str::FromStr;

use application::dead_letters::{
    DeadLetterFilter, DeadLetterStatus, FilterError, Selection, SelectionArgs, SelectionError,
};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

pub use line::DeadContent;
pub use run::{CommandError, run};

/// List, retry or discard dead letters
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLettersCommand<Id>
where
    Id: FromStr + Clone + Send + Sync + 'static,
    <Id as FromStr>::Err: Error + Send + Sync + 'static,
{
    /// List dead letters, oldest first
    List {
        /// Only dead letters in this state: open, retried or discarded
        #[arg(long, default_value_t = DeadLetterStatus::Open, value_name = "STATE")]
        state: DeadLetterStatus,
        /// Which ones.
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// Process dead letters again, after the cause of the failure is fixed
    Retry {
        /// Which ones.
        #[command(flatten)]
        which: SelectArgs<Id>,
    },
    /// Discard dead letters, which cannot be undone; they stay in the list as discarded
    Discard {
        /// Which ones.
        #[command(flatten)]
        which: SelectArgs<Id>,
    },
}

/// Selects dead letters by their content.
#[derive(Debug, Clone, Args)]
pub struct FilterArgs {
    /// Only dead letters whose reason contains this text (case-sensitive)
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Only dead letters of this event type, such as `OrderCreated`
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub event_type: Option<String>,
}

/// Which dead letters to retry or discard.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs<Id>
where
    Id: FromStr + Clone + Send + Sync + 'static,
    <Id as FromStr>::Err: Error + Send + Sync + 'static,
{
    /// The ids, as `list` shows them
    #[arg(value_name = "ID", required_unless_present_any = ["all", "reason", "event_type"],
          conflicts_with_all = ["all", "reason", "event_type"])]
    pub ids: Vec<Id>,
    /// All open dead letters
    #[arg(long, conflicts_with_all = ["reason", "event_type"])]
    pub all: bool,
    /// Open dead letters that match.
    #[command(flatten)]
    pub filter: FilterArgs,
}

impl FilterArgs {
    fn filter(&self) -> Result<DeadLetterFilter, FilterError> {
        DeadLetterFilter::of(self.reason.as_deref(), self.event_type.as_deref())
    }
}

impl<Id> SelectArgs<Id>
where
    Id: FromStr + Clone + Send + Sync + 'static,
    <Id as FromStr>::Err: Error + Send + Sync + 'static,
{
    fn selection(self) -> Result<Selection<Id>, SelectionError> {
        let Self { ids, all, filter: FilterArgs { reason, event_type } } = self;
        SelectionArgs { ids, all, reason, event_type }.try_into()
    }
}

#[cfg(test)]
mod tests;
