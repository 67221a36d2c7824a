use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tracing::{debug, trace, warn};

/// Forwards the log lines and errors of librdkafka to `tracing`.
///
/// An unreachable broker is logged at debug level only, because librdkafka reconnects by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Logging {
    /// The last authentication or TLS failure.
    pub(super) auth_failure: AuthFailure,
}

impl ClientContext for Logging {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Even its warnings are mostly about connections that it restores by itself.
        if matches!(level, RDKafkaLogLevel::Debug) {
            trace!(target: "librdkafka", facility, "{message}");
        } else {
            debug!(target: "librdkafka", facility, "{message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // Reported for each attempt. The code that needs a broker logs the outage once.
            Some(
                Code::BrokerTransportFailure
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::AllBrokersDown,
            ) => debug!(target: "librdkafka", "{reason}"),
            // Also reported for each attempt. It is kept as the reason of the outage.
            Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) => {
                debug!(target: "librdkafka", "{reason}");
                self.auth_failure.note(reason);
            }
            _ => warn!(target: "librdkafka", "{reason}"),
        }
    }
}

impl ConsumerContext for Logging {}

impl ProducerContext for Logging {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// The last reason why a broker rejected this client: a wrong password or certificate.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthFailure(Arc<Mutex<Option<String>>>);

impl AuthFailure {
    fn note(&self, reason: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }

    /// Returns the reason and clears it. `None` if there was no failure since the last call.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
