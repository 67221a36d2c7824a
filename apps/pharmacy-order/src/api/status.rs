use std::str::FromStr;

use application::pharmacy::WorkState;
use domain::pharmacy::Action;
use serde::Serialize;
use utoipa::ToSchema;

/// The status of an order in the pharmacy
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// A pharmacist has to review it
    Draft,
    /// A pharmacist has confirmed that it can be prepared
    Confirmed,
    /// It is being prepared
    InPreparation,
    /// The customer can pick it up
    Ready,
    /// The customer has it
    Dispensed,
    /// The pharmacy does not dispense it
    Rejected,
    /// The customer has cancelled it
    Cancelled,
}

impl From<WorkState> for Status {
    fn from(state: WorkState) -> Self {
        match state {
            WorkState::Draft => Self::Draft,
            WorkState::Confirmed => Self::Confirmed,
            WorkState::InPreparation => Self::InPreparation,
            WorkState::Ready => Self::Ready,
            WorkState::Dispensed => Self::Dispensed,
            WorkState::Rejected => Self::Rejected,
            WorkState::Cancelled => Self::Cancelled,
        }
    }
}

/// The states of the orders in a list: at least one, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States(pub(super) Vec<WorkState>);

/// The error for a text that is not a list of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one or more of draft, confirmed, in_preparation, ready, dispensed, rejected, cancelled, \
     separated by commas"
)]
pub(super) struct StatesError;

impl FromStr for States {
    type Err = StatesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let state = |name: &str| WorkState::ALL.into_iter().find(|state| state.as_str() == name);
        let mut states: Vec<WorkState> =
            text.split(',').map(state).collect::<Option<_>>().ok_or(StatesError)?;
        states.sort_unstable();
        states.dedup();
        Ok(Self(states))
    }
}

/// What a pharmacist can do with an order
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Action)]
#[serde(rename_all = "lowercase")]
pub(super) enum ActionJson {
    /// Confirm that it can be prepared
    Confirm,
    /// Start to prepare it
    Start,
    /// Mark it as ready for the customer
    Ready,
    /// Hand it to the customer
    Dispense,
    /// Refuse to dispense it
    Reject,
}

impl From<Action> for ActionJson {
    fn from(action: Action) -> Self {
        match action {
            Action::Confirm => Self::Confirm,
            Action::Start => Self::Start,
            Action::MarkReady => Self::Ready,
            Action::Dispense => Self::Dispense,
            Action::Reject => Self::Reject,
        }
    }
}

impl ActionJson {
    /// The last segment of the action's path.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Start => "start",
            Self::Ready => "ready",
            Self::Dispense => "dispense",
            Self::Reject => "reject",
        }
    }
}
