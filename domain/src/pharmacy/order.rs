use super::{
    Command, IllegalTransition, PharmacyEvent, ReceivedVersions, Work, WorkSnapshot, WorkStatus,
};
use crate::{EventStamp, OrderId, OrderVersion, Outcome, REDACTED_TEXT, Timestamp};

/// An order in the pharmacy: what ordering has told about it, and the pharmacy's [`Work`] on it.
///
/// The events of ordering may arrive twice, out of order, or with earlier events missing. The same
/// set of events tells the same in any sequence, and a repeated event changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrder {
    told: PharmacySnapshot,
    work: Work,
}

/// What ordering has told about an order, for stores and read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacySnapshot {
    /// The id of the order.
    pub id: OrderId,
    /// The versions of the order that were received.
    pub versions: ReceivedVersions,
    /// What to prepare; `None` until `OrderCreated` has been received.
    pub contents: Option<Contents>,
    /// The customer's cancellation; `None` if there is none.
    pub cancellation: Option<Cancellation>,
    /// Whether the data of the customer were erased. Then the order has no texts of people.
    pub redacted: bool,
}

/// A customer wants to cancel an order, or has cancelled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `OrderCreated` has not been received, so nobody knows what to prepare.
    #[error("the contents of the order have not been received yet")]
    ContentsUnknown,
    /// The command is not allowed in the current status.
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
}

/// What an order asks the pharmacy to prepare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The customer.
    pub customer_name: String,
    /// The items, in the sequence of the order.
    pub items: Vec<RequestedItem>,
    /// The customer's note.
    pub note: Option<String>,
    /// When the order was placed.
    pub ordered_at: Timestamp,
}

/// An item of an order, as ordering published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedItem {
    /// The product.
    pub product_id: i64,
    /// How many pieces are ordered.
    pub quantity: i32,
    /// The medication the customer means, if the customer named one.
    pub medication: Option<RequestedMedication>,
}

/// A medication, given by its code in a terminology, as ordering published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedMedication {
    /// The URI of the terminology.
    pub system: String,
    /// The medication's code in the terminology.
    pub code: String,
    /// The medication's name in the terminology.
    pub display: Option<String>,
}

impl PharmacyOrder {
    /// An order of which no event has been received yet.
    #[must_use]
    pub fn new(id: OrderId) -> Self {
        let told = PharmacySnapshot {
            id,
            versions: ReceivedVersions::default(),
            contents: None,
            cancellation: None,
            redacted: false,
        };
        Self { told, work: Work::new(id) }
    }

    /// Restores an order from the state that a store has saved. It has no recorded events.
    #[must_use]
    pub const fn restore(told: PharmacySnapshot, work: WorkSnapshot) -> Self {
        Self { told, work: Work::restore(work) }
    }

    /// Applies `OrderCreated`. It may arrive after the cancellation.
    pub fn order_created(&mut self, version: OrderVersion, contents: Contents) -> Outcome {
        let outcome = self.order_changed(version);
        if outcome.is_applied() && self.told.contents.is_none() {
            self.told.contents = Some(contents);
            self.stay_redacted();
        }
        outcome
    }

    /// Applies `OrderCancellationRequested`, or `OrderCancelled`: the pharmacy cancels the order,
    /// unless it is too late. They may arrive before `OrderCreated`.
    ///
    /// `OrderCancelled` usually follows from the pharmacy's own answer, and changes nothing then.
    /// Versions of ordering before the pharmacy was asked published it without a request.
    pub fn cancellation_told(
        &mut self,
        version: OrderVersion,
        cancellation: Cancellation,
        event_stamp: EventStamp,
    ) -> Outcome {
        let outcome = self.order_changed(version);
        if outcome.is_applied() {
            // The request is earlier than the cancellation, whichever arrives first.
            if self.told.cancellation.as_ref().is_none_or(|known| cancellation.at < known.at) {
                self.told.cancellation = Some(cancellation);
            }
            self.stay_redacted();
            let _ = self.work.cancellation_requested(version, event_stamp);
        }
        outcome
    }

    /// Applies `OrderRedacted`: replaces the name of the customer and all texts that people wrote about
    /// the order, and drops the note. Texts that arrive later are replaced, too, because events may
    /// arrive out of order.
    pub fn order_redacted(&mut self, version: OrderVersion) -> Outcome {
        let outcome = self.order_changed(version);
        if outcome.is_applied() {
            self.told.redacted = true;
            self.stay_redacted();
        }
        outcome
    }

    /// Replaces the texts of people if the order is redacted.
    fn stay_redacted(&mut self) {
        if !self.told.redacted {
            return;
        }
        if let Some(contents) = &mut self.told.contents {
            REDACTED_TEXT.clone_into(&mut contents.customer_name);
            contents.note = None;
        }
        if let Some(cancellation) = &mut self.told.cancellation {
            REDACTED_TEXT.clone_into(&mut cancellation.reason);
        }
        self.work.redact_texts();
    }

    /// Applies an event of the order that does not matter to the pharmacy: it only counts as
    /// received.
    pub fn order_changed(&mut self, version: OrderVersion) -> Outcome {
        if self.told.versions.add(version) { Outcome::Applied } else { Outcome::AlreadyApplied }
    }

    /// Carries out a command of a pharmacist and records the event.
    ///
    /// # Errors
    /// When the contents of the order are unknown, or the command is not allowed in its status.
    pub fn carry_out(
        &mut self,
        command: Command,
        event_stamp: EventStamp,
    ) -> Result<Outcome, CommandError> {
        if self.told.contents.is_none() {
            return Err(CommandError::ContentsUnknown);
        }
        let command = if self.told.redacted { command.redacted() } else { command };
        Ok(self.work.carry_out(command, event_stamp)?)
    }

    /// Applies an event of the pharmacy itself that the store has lost: see [`Work::recover`].
    pub fn recover(&mut self, event: &PharmacyEvent) -> Outcome {
        let outcome = self.work.recover(event);
        self.stay_redacted();
        outcome
    }

    /// The id of the order.
    #[must_use]
    pub const fn id(&self) -> OrderId {
        self.told.id
    }

    /// What ordering has told.
    #[must_use]
    pub const fn snapshot(&self) -> &PharmacySnapshot {
        &self.told
    }

    /// The state of the work.
    #[must_use]
    pub const fn work(&self) -> &WorkSnapshot {
        self.work.snapshot()
    }

    /// The status of the work.
    #[must_use]
    pub const fn status(&self) -> &WorkStatus {
        &self.work.snapshot().status
    }

    /// The events recorded since the order was new or restored. A save stores them together with
    /// the state.
    #[must_use]
    pub fn recorded(&self) -> &[PharmacyEvent] {
        self.work.recorded()
    }

    /// The same order after a save: its recorded events are removed.
    #[must_use]
    pub fn saved(self) -> Self {
        Self { work: self.work.saved(), ..self }
    }
}
