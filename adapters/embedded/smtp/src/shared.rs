use std::sync::{Arc, PoisonError, RwLock};

use crate::behaviour::Behaviour;
use crate::mailbox::Mailbox;
use crate::{Reaction, Step};

/// What all sessions of a server use.
pub(crate) struct Shared {
    pub(crate) mailbox: Arc<Mailbox>,
    behaviour: RwLock<Behaviour>,
}

impl Default for Shared {
    /// An empty mailbox, and a server that accepts every mail.
    fn default() -> Self {
        Self {
            mailbox: Arc::new(Mailbox::new()),
            behaviour: RwLock::new(Arc::new(|_| Reaction::Accept)),
        }
    }
}

impl Shared {
    /// Decides from now on what to do at each step.
    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// What to do at this step.
    pub(crate) fn reaction(&self, step: Step<'_>) -> Reaction {
        let behaviour = self.behaviour.read().unwrap_or_else(PoisonError::into_inner).clone();
        behaviour(step)
    }
}
