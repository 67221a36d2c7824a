use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a check found.
#[derive(Debug)]
pub struct CheckResult {
    /// Whether the thing is there.
    pub ready: bool,
    /// If not: what is wrong, unless it may only be logged.
    pub reason: Option<String>,
    /// What an operator should look at, although the program does its work.
    pub warning: Option<String>,
}

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something a program needs to do its work, and a way to ask whether it is there.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    ask: Arc<dyn Fn() -> Answer + Send + Sync>,
    warning: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    shows_reason: bool,
}

impl Check {
    /// A check called `name`. What it finds wrong goes to the log, not to the client: an error of a
    /// connection may name hosts and users.
    pub fn new<F, Fut>(name: &'static str, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let ask = Arc::new(move || -> Answer { Box::pin(ask()) });
        Self { name, ask, warning: Arc::new(|| None), shows_reason: false }
    }

    /// Lets `/readyz` show what the check finds wrong. For findings in our own words.
    #[must_use]
    pub fn showing_reason(self) -> Self {
        Self { shows_reason: true, ..self }
    }

    /// Lets `/readyz` show what an operator should look at although the program does its work. It
    /// must be in our own words, and does not count against readiness.
    #[must_use]
    pub fn with_warning<F>(self, warning: F) -> Self
    where
        F: Fn() -> Option<String> + Send + Sync + 'static,
    {
        Self { warning: Arc::new(warning), ..self }
    }

    /// Asks whether it is there.
    pub async fn run(&self) -> CheckResult {
        let answer = tokio::time::timeout(PATIENCE, (self.ask)()).await;
        let reason = match answer {
            Ok(answer) => answer.err(),
            Err(_) => Some(format!("no answer within {PATIENCE:?}")),
        };
        if let Some(reason) = &reason {
            tracing::debug!("{} is not ready: {reason}", self.name);
        }
        let ready = reason.is_none();
        let reason = reason.filter(|_| self.shows_reason);
        CheckResult { ready, reason, warning: (self.warning)() }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}
