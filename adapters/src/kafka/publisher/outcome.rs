use application::relay::Delivery;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// What an error of librdkafka means for the record it was about.
///
/// When in doubt it is the record's own failure, which is tried again with growing pauses: an error
/// mistaken for an outage would hold up everything, one mistaken for a refusal would lose the event.
pub(super) fn delivery(error: &KafkaError) -> Delivery {
    let why = error.to_string();
    let Some(code) = error.rdkafka_error_code() else {
        return Delivery::Failed(why);
    };
    match code {
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidRecord => {
            Delivery::Refused(why)
        }
        Code::MessageTimedOut
        | Code::TimedOutQueue
        | Code::OperationTimedOut
        | Code::RequestTimedOut
        | Code::QueueFull
        | Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::SSL
        | Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::NetworkException
        | Code::BrokerNotAvailable
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::ReplicaNotAvailable
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::ISRInsufficient
        | Code::KafkaStorageError
        | Code::ThrottlingQuotaExceeded
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        // The producer itself is at its end; the next one sends the record again.
        | Code::Fatal
        | Code::PurgeQueue
        | Code::PurgeInflight
        | Code::GaplessGuarantee
        | Code::OutOfOrderSequenceNumber
        | Code::UnknownProducerId
        | Code::InvalidProducerEpoch
        | Code::ProducerFenced
        | Code::DestroyBroker
        | Code::BrokerDestroy => Delivery::Unreachable(why),
        _ => Delivery::Failed(why),
    }
}
