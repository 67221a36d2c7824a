use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::{debug, trace, warn};

/// Passes what librdkafka says on to the log, in a voice that fits.
///
/// A broker that cannot be reached is no error of this program: librdkafka tries again by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Logging;

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
        let unreachable = matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::AllBrokersDown
            )
        );
        // Said for each attempt. Whoever needs a broker and finds none says so once.
        if unreachable {
            debug!(target: "librdkafka", "{reason}");
        } else {
            warn!(target: "librdkafka", "{reason}");
        }
    }
}

impl ConsumerContext for Logging {}
