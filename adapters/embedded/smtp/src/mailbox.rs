use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::Mail;

/// The latest mails, in memory: at most [`Mailbox::MAX_MAILS`] and [`Mailbox::MAX_BYTES`].
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    /// The number of the latest mail.
    latest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    mails: VecDeque<Arc<Mail>>,
    bytes: usize,
    latest: u64,
}

impl Mailbox {
    /// Maximum number of mails.
    pub(crate) const MAX_MAILS: usize = 1000;

    /// Maximum size of all mails together, in bytes.
    pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;

    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), latest: watch::Sender::new(0) }
    }

    /// Stores the mail and deletes the oldest ones that are too many. `mail` makes it from its number.
    pub(crate) fn add(&self, mail: impl FnOnce(u64) -> Mail) {
        let mut state = self.state();
        state.latest += 1;
        let mail = Arc::new(mail(state.latest));
        state.bytes += mail.raw.len();
        state.mails.push_back(mail);
        while state.mails.len() > Self::MAX_MAILS || state.bytes > Self::MAX_BYTES {
            let Some(oldest) = state.mails.pop_front() else { break };
            state.bytes -= oldest.raw.len();
        }
        // While the lock is held, so that the numbers ascend.
        self.latest.send_replace(state.latest);
    }

    /// All mails, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Mail>> {
        self.state().mails.iter().cloned().collect()
    }

    /// The mail with this number, if it is still stored.
    pub(crate) fn get(&self, number: u64) -> Option<Arc<Mail>> {
        self.state().mails.iter().find(|mail| mail.number == number).cloned()
    }

    /// Changes with each mail.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use runtime::clock;

    use super::*;

    fn mail(number: u64, bytes: usize) -> Mail {
        Mail {
            number,
            received_at: clock::now(),
            from: String::new(),
            to: vec![],
            raw: vec![b'x'; bytes],
            accepted: true,
            answer: String::new(),
        }
    }

    fn numbers(mailbox: &Mailbox) -> Vec<u64> {
        mailbox.all().iter().map(|mail| mail.number).collect()
    }

    #[test]
    fn the_oldest_mails_are_deleted_when_there_are_too_many() {
        let mailbox = Mailbox::new();
        for _ in 0..Mailbox::MAX_MAILS + 2 {
            mailbox.add(|number| mail(number, 1));
        }
        assert_eq!(numbers(&mailbox), (3..=1002).collect::<Vec<_>>());
        assert!(mailbox.get(2).is_none());
        assert_eq!(mailbox.get(3).unwrap().number, 3);
    }

    #[test]
    fn the_oldest_mails_are_deleted_when_they_are_too_large_together() {
        let mailbox = Mailbox::new();
        for bytes in [1, Mailbox::MAX_BYTES / 2, Mailbox::MAX_BYTES / 2] {
            mailbox.add(|number| mail(number, bytes));
        }
        assert_eq!(numbers(&mailbox), [2, 3]);
        mailbox.add(|number| mail(number, 1));
        assert_eq!(numbers(&mailbox), [3, 4]);
    }
}
