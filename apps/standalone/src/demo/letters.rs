use std::collections::HashMap;

use reqwest::Client;
use runtime::StartError;
use serde::Deserialize;
use uuid::Uuid;

/// The letters that the embedded mail server has received, by the event that they are about.
pub(super) type Letters = HashMap<Uuid, Vec<Letter>>;

/// A letter that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Later letters have higher numbers.
    pub(super) number: u64,
    /// The address of the recipient.
    pub(super) to: String,
}

#[derive(Deserialize)]
struct Mail {
    number: u64,
    to: Vec<String>,
    headers: Vec<(String, String)>,
}

/// Reads all letters of the mail server with this web page.
pub(super) async fn read(client: &Client, page: &str) -> Result<Letters, StartError> {
    let failed = |error: reqwest::Error| StartError::other("cannot read the letters", error);
    let answer = client.get(format!("{page}/api/mails")).send().await.map_err(failed)?;
    let mails: Vec<Mail> =
        answer.error_for_status().map_err(failed)?.json().await.map_err(failed)?;
    let mut letters = Letters::new();
    for mail in mails {
        let Some(event) = event_of(&mail) else { continue };
        let letter = Letter { number: mail.number, to: mail.to.join(", ") };
        letters.entry(event).or_default().push(letter);
    }
    Ok(letters)
}

/// The id of the event, which is the first part of the `Message-ID`.
fn event_of(mail: &Mail) -> Option<Uuid> {
    let (_, id) = mail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("message-id"))?;
    let (event, _) = id.strip_prefix('<')?.split_once('@')?;
    event.parse().ok()
}
