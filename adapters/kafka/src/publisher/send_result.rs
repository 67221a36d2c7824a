use application::relay::Delivery;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::error_codes::ErrorKind;

/// The result of sending one record.
///
/// Kafka answers for a whole batch, and librdkafka reports that answer for each record in it. So an
/// error is about one record only if the record was sent alone, and if it is about its size or
/// content:
///
/// | error | sent in a batch | sent alone |
/// |---|---|---|
/// | [`ErrorKind::Outage`] | unreachable | unreachable |
/// | [`ErrorKind::TooLarge`] | sent again alone | refused |
/// | [`ErrorKind::Unclear`] | sent again alone | failed if Kafka accepts others, else unreachable |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SendResult {
    /// Kafka has acknowledged it.
    Acknowledged,
    /// It was not passed to librdkafka, because there was too little time left.
    Unsent,
    /// It is larger than the limit of this client. It was not sent.
    TooLargeToSend(String),
    /// It is not acknowledged, for this reason.
    Error(ErrorKind, String),
}

impl SendResult {
    /// The result for a record that librdkafka has accepted but failed to deliver.
    pub(super) fn of(error: &KafkaError) -> Self {
        let kind = error.rdkafka_error_code().map_or(ErrorKind::Unclear, ErrorKind::of);
        Self::Error(kind, error.to_string())
    }

    /// The result for a record that librdkafka did not accept.
    pub(super) fn of_enqueue_error(error: &KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(Code::MessageSizeTooLarge) => Self::TooLargeToSend(error.to_string()),
            _ => Self::of(error),
        }
    }

    /// The delivery of a record that was sent in a batch. `None` if the record has to be sent again
    /// alone, because the error may be about another record.
    pub(super) fn delivery_in_batch(&self) -> Option<Delivery> {
        match self {
            Self::Acknowledged => Some(Delivery::Acknowledged),
            Self::Unsent => Some(Delivery::Unsent),
            Self::TooLargeToSend(why) => Some(Delivery::Refused(why.clone())),
            Self::Error(ErrorKind::Outage, why) => Some(Delivery::Unreachable(why.clone())),
            Self::Error(ErrorKind::TooLarge | ErrorKind::Unclear, _) => None,
        }
    }

    /// The delivery of a record that was sent alone.
    ///
    /// `others_acknowledged`: Kafka has acknowledged other records at about the same time, so an
    /// unclear error is about this record.
    pub(super) fn delivery_alone(self, others_acknowledged: bool) -> Delivery {
        match self {
            Self::Acknowledged => Delivery::Acknowledged,
            Self::Unsent => Delivery::Unsent,
            Self::TooLargeToSend(why) | Self::Error(ErrorKind::TooLarge, why) => {
                Delivery::Refused(why)
            }
            Self::Error(ErrorKind::Unclear, why) if others_acknowledged => Delivery::Failed(why),
            Self::Error(ErrorKind::Outage | ErrorKind::Unclear, why) => Delivery::Unreachable(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::error_codes::tests::all_codes;
    use super::*;

    fn result(code: Code) -> SendResult {
        SendResult::of(&KafkaError::MessageProduction(code))
    }

    #[test]
    fn a_record_in_a_batch_is_never_refused_or_failed() {
        for code in all_codes() {
            let delivery = result(code).delivery_in_batch();
            assert!(
                matches!(delivery, None | Some(Delivery::Unreachable(_))),
                "{code:?}: {delivery:?}"
            );
        }
    }

    #[test]
    fn a_record_sent_alone_is_refused_only_for_its_size() {
        for code in all_codes() {
            let delivery = result(code).delivery_alone(true);
            let size =
                [Code::MessageSizeTooLarge, Code::MessageBatchTooLarge, Code::InvalidMessageSize];
            let refused = matches!(delivery, Delivery::Refused(_));
            assert_eq!(refused, size.contains(&code), "{code:?}: {delivery:?}");
        }
    }

    #[test]
    fn errors_of_settings_authorization_clocks_and_brokers_are_outages() {
        for code in [
            Code::InvalidTimestamp,
            Code::PolicyViolation,
            Code::TopicAuthorizationFailed,
            Code::ClusterAuthorizationFailed,
            Code::SaslAuthenticationFailed,
            Code::InvalidMessage,
            Code::UnsupportedCompressionType,
            Code::UnknownTopicOrPartition,
            Code::InvalidTopic,
            Code::InvalidRequiredAcks,
            Code::NotEnoughReplicas,
            Code::KafkaStorageError,
            Code::MessageTimedOut,
            Code::QueueFull,
            Code::PurgeQueue,
        ] {
            for delivery in
                [result(code).delivery_in_batch(), Some(result(code).delivery_alone(true))]
            {
                assert!(
                    matches!(delivery, Some(Delivery::Unreachable(_))),
                    "{code:?}: {delivery:?}"
                );
            }
        }
    }

    #[test]
    fn an_unclear_error_fails_the_record_only_if_others_are_acknowledged() {
        for code in [Code::InvalidRecord, Code::Unknown, Code::InvalidRequest] {
            assert_eq!(result(code).delivery_in_batch(), None);
            assert!(matches!(result(code).delivery_alone(true), Delivery::Failed(_)), "{code:?}");
            assert!(
                matches!(result(code).delivery_alone(false), Delivery::Unreachable(_)),
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_record_that_is_too_large_for_this_client_is_refused_at_once() {
        let error = KafkaError::MessageProduction(Code::MessageSizeTooLarge);
        let result = SendResult::of_enqueue_error(&error);
        assert!(matches!(result.delivery_in_batch(), Some(Delivery::Refused(_))), "{result:?}");
    }
}
