use std::error::Error;
use std::future::Future;
use std::io::{self, Write};

use application::StoreError;
use application::inbox::Inbox;
use application::published::{Content, RawRecord, RecordHeader};
use clap::Subcommand;
use domain::Timestamp;

use super::{DeadLetterState, DeadLetters, KeptDeadLetter, Retried, retry};

/// How many letters are read at a time.
const PAGE: u32 = 500;

/// What an operator can do about records that had no effect.
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, oldest first
    List {
        /// Only those in this state: open, retried or discarded
        #[arg(long, default_value_t = DeadLetterState::Open, value_name = "STATE")]
        state: DeadLetterState,
    },
    /// Take records in again, now that they can be
    Retry {
        /// The numbers of the letters
        #[arg(value_name = "NUMBER", required_unless_present = "all")]
        numbers: Vec<i64>,
        /// All that are open
        #[arg(long, conflicts_with = "numbers")]
        all: bool,
    },
    /// Give records up for good; they stay in the table
    Discard {
        /// The numbers of the letters
        #[arg(value_name = "NUMBER", required = true)]
        numbers: Vec<i64>,
    },
}

/// Why a command was not carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The store failed.
    #[error("the dead letters cannot be reached")]
    Store(#[from] StoreError),
    /// Nobody can tell what a record says for now.
    #[error("the record of dead letter {number} cannot be decoded for now")]
    Decode {
        /// The number of the letter.
        number: i64,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer cannot be written.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}

impl DeadLettersCommand {
    /// Carries the command out, telling each step to `out`; answers whether all of it was done.
    ///
    /// `decode` reads a record again: an error of it, unlike [`Content::Unreadable`], passes with time.
    ///
    /// # Errors
    /// When the store, `decode` or `out` fails. What was done until then is done.
    pub async fn run<D, F, E>(
        self,
        letters: &DeadLetters,
        inbox: &impl Inbox,
        decode: D,
        out: &mut (impl Write + Send),
    ) -> Result<bool, CommandError>
    where
        D: Fn(RawRecord) -> F + Send,
        F: Future<Output = Result<Content, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        match self {
            Self::List { state } => {
                let mut after = i64::MIN;
                loop {
                    let page = letters.list(state, after, PAGE).await?;
                    let Some(last) = page.last() else { return Ok(true) };
                    after = last.id;
                    for kept in &page {
                        writeln!(out, "{}", line(kept))?;
                    }
                }
            }
            Self::Retry { numbers, .. } if !numbers.is_empty() => {
                let mut all_done = true;
                for number in numbers {
                    all_done &= match letters.find(number).await? {
                        Some(kept) if kept.state == DeadLetterState::Open => {
                            again(letters, kept, inbox, &decode, out).await?
                        }
                        _ => not_open(number, out)?,
                    };
                }
                Ok(all_done)
            }
            Self::Retry { .. } => {
                let (mut all_done, mut after) = (true, i64::MIN);
                loop {
                    let page = letters.list(DeadLetterState::Open, after, PAGE).await?;
                    let Some(last) = page.last() else { return Ok(all_done) };
                    after = last.id;
                    for kept in page {
                        all_done &= again(letters, kept, inbox, &decode, out).await?;
                    }
                }
            }
            Self::Discard { numbers } => {
                let mut all_done = true;
                for number in numbers {
                    if letters.discard(number).await? {
                        writeln!(out, "{number}: discarded")?;
                    } else {
                        all_done = not_open(number, out)?;
                    }
                }
                Ok(all_done)
            }
        }
    }
}

async fn again<D, F, E>(
    letters: &DeadLetters,
    kept: KeptDeadLetter,
    inbox: &impl Inbox,
    decode: &D,
    out: &mut (impl Write + Send),
) -> Result<bool, CommandError>
where
    D: Fn(RawRecord) -> F + Send,
    F: Future<Output = Result<Content, E>> + Send,
    E: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let number = kept.id;
    let content = decode(kept.letter.record).await;
    let content = content.map_err(|error| CommandError::Decode { number, source: error.into() })?;
    match retry(letters, number, content, inbox).await? {
        Retried::TakenIn => {
            writeln!(out, "{number}: taken in")?;
            Ok(true)
        }
        Retried::StillDead { reason } => {
            writeln!(out, "{number}: still has no effect: {}", reason.escape_debug())?;
            Ok(false)
        }
    }
}

fn not_open(number: i64, out: &mut impl Write) -> Result<bool, CommandError> {
    writeln!(out, "{number}: there is no open dead letter of this number")?;
    Ok(false)
}

/// Foreign data is shown without the control characters a terminal would obey.
fn line(kept: &KeptDeadLetter) -> String {
    let KeptDeadLetter { id, letter, state, kept_at } = kept;
    let record = &letter.record;
    let key = record.key.as_deref().map_or_else(|| "-".into(), String::from_utf8_lossy);
    let value = match &record.value {
        Some(value) => format!("{} bytes", value.len()),
        None => "tombstone".to_owned(),
    };
    let millis = record.timestamp_ms.and_then(|millis| millis.checked_mul(1_000));
    let made_at = match millis.map(Timestamp::from_micros) {
        Some(Ok(at)) => at.to_string(),
        // It may be any number.
        Some(Err(_)) | None => "-".to_owned(),
    };
    let headers: Vec<String> = record.headers.iter().map(header).collect();
    format!(
        "{id}\t{state}\t{kept_at}\t{}/{}@{}\t{}\t{value}\t{}\t{made_at}\t{}",
        record.topic,
        record.partition,
        record.offset,
        key.escape_debug(),
        letter.reason.escape_debug(),
        headers.join(" "),
    )
}

fn header(RecordHeader { name, value }: &RecordHeader) -> String {
    let value = value.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    format!("{}={}", name.escape_debug(), value.escape_debug())
}
