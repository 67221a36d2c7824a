use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tracing::{debug, trace, warn};

/// Passes what librdkafka says on to the log, in a voice that fits.
///
/// A broker that cannot be reached is no error of this program: librdkafka tries again by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Logging {
    /// Why a broker did not let this client in, if one did not.
    pub(super) refusal: Refusal,
}

impl ClientContext for Logging {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Even its warnings are about connections that it makes again by itself.
        if matches!(level, RDKafkaLogLevel::Debug) {
            trace!(target: "librdkafka", facility, "{message}");
        } else {
            debug!(target: "librdkafka", facility, "{message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // Said for each attempt. Whoever needs a broker and finds none says so once.
            Some(
                Code::BrokerTransportFailure
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::AllBrokersDown,
            ) => debug!(target: "librdkafka", "{reason}"),
            // So is this, and it tells why none is found.
            Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) => {
                debug!(target: "librdkafka", "{reason}");
                self.refusal.note(reason);
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

/// The last reason for which a broker did not let a client in: a password, or a certificate.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal(Arc<Mutex<Option<String>>>);

impl Refusal {
    fn note(&self, reason: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }

    /// The reason, if there was one since somebody asked.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
