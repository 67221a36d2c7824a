use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A check that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The result of a readiness check.
#[derive(Debug)]
pub struct CheckResult {
    /// Whether the check succeeded.
    pub ready: bool,
    /// Why it failed. `None` if it succeeded, or if the reason may only be logged.
    pub reason: Option<String>,
    /// A problem for an operator that does not make the program unready.
    pub warning: Option<String>,
}

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A readiness check of a service or a condition that a program needs.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    ask: Arc<dyn Fn() -> Answer + Send + Sync>,
    warning: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    shows_reason: bool,
}

impl Check {
    /// A check with this name. The reason of a failure is logged and not shown to clients, because
    /// connection errors may contain names of hosts and users.
    pub fn new<F, Fut>(name: &'static str, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let ask = Arc::new(move || -> Answer { Box::pin(ask()) });
        Self { name, ask, warning: Arc::new(|| None), shows_reason: false }
    }

    /// Shows the reason of a failure on `/readyz`. Only for reasons that this product formulates.
    #[must_use]
    pub fn showing_reason(self) -> Self {
        Self { shows_reason: true, ..self }
    }

    /// Shows this warning on `/readyz`. It does not make the program unready. Only for warnings
    /// that this product formulates.
    #[must_use]
    pub fn with_warning<F>(self, warning: F) -> Self
    where
        F: Fn() -> Option<String> + Send + Sync + 'static,
    {
        Self { warning: Arc::new(warning), ..self }
    }

    /// Runs the check.
    pub async fn run(&self) -> CheckResult {
        let answer = tokio::time::timeout(TIMEOUT, (self.ask)()).await;
        let reason = match answer {
            Ok(answer) => answer.err(),
            Err(_) => Some(format!("no answer within {TIMEOUT:?}")),
        };
        if let Some(reason) = &reason {
            tracing::debug!("{} is not ready: {reason}", self.name);
        }
        let ready = reason.is_none();
        let reason = reason.filter(|_| self.shows_reason);
        CheckResult { ready, reason, warning: (self.warning)() }
    }

    /// The name of the check.
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
