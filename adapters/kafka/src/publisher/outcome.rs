//! What an answer to a record means: the table of librdkafka's error codes.
//!
//! Kafka answers for a batch of records, and librdkafka gives each of them that answer. So an answer
//! says something about one record only if that record was sent alone, and even then only if it is
//! about the record's size or content:
//!
//! | meaning | sent in a batch | sent alone |
//! |---|---|---|
//! | [`Meaning::Outage`] | unreachable | unreachable |
//! | [`Meaning::TooLarge`] | sent again alone | refused |
//! | [`Meaning::Unclear`] | sent again alone | failed if Kafka takes other records, else unreachable |
//!
//! Whatever a setting, a right, a clock or a broker could cause is an outage: it is the same for the
//! next record, and ends when somebody has mended it. A record must not pay for it.

use application::relay::Delivery;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// What became of one record that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is acknowledged.
    Acknowledged,
    /// It was not handed over in time.
    Unsent,
    /// It is larger than this client ever sends; Kafka was not asked.
    TooLargeToSend(String),
    /// It is not acknowledged, for this reason.
    Error(Meaning, String),
}

/// What an error code says about the record, its batch or Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Kafka takes nothing at the moment, or nothing from this program. The record may have arrived.
    Outage,
    /// The batch is larger than the topic allows; alone, so is the record.
    TooLarge,
    /// The batch was rejected for a reason that the code does not name.
    Unclear,
}

impl Answer {
    /// The answer to an error of a record that was handed over.
    pub(super) fn of(error: &KafkaError) -> Self {
        let meaning = error.rdkafka_error_code().map_or(Meaning::Unclear, Meaning::of);
        Self::Error(meaning, error.to_string())
    }

    /// The answer to an error of a record that librdkafka did not take over.
    pub(super) fn not_taken_over(error: &KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(Code::MessageSizeTooLarge) => Self::TooLargeToSend(error.to_string()),
            _ => Self::of(error),
        }
    }

    /// What became of a record that was sent together with others; `None` if that is known only once
    /// it was sent alone.
    pub(super) fn in_a_batch(&self) -> Option<Delivery> {
        match self {
            Self::Acknowledged => Some(Delivery::Acknowledged),
            Self::Unsent => Some(Delivery::Unsent),
            Self::TooLargeToSend(why) => Some(Delivery::Refused(why.clone())),
            Self::Error(Meaning::Outage, why) => Some(Delivery::Unreachable(why.clone())),
            Self::Error(Meaning::TooLarge | Meaning::Unclear, _) => None,
        }
    }

    /// What became of a record that was sent alone. `others_are_taken`: Kafka has acknowledged other
    /// records at about the same time, so that what is wrong is with this one.
    pub(super) fn alone(self, others_are_taken: bool) -> Delivery {
        match self {
            Self::Acknowledged => Delivery::Acknowledged,
            Self::Unsent => Delivery::Unsent,
            Self::TooLargeToSend(why) | Self::Error(Meaning::TooLarge, why) => {
                Delivery::Refused(why)
            }
            Self::Error(Meaning::Unclear, why) if others_are_taken => Delivery::Failed(why),
            Self::Error(Meaning::Outage | Meaning::Unclear, why) => Delivery::Unreachable(why),
        }
    }
}

impl Meaning {
    /// What this code means. One that is not in the table is newer than it, and unclear.
    fn of(code: Code) -> Self {
        let row = MEANINGS.iter().find(|(_, codes)| codes.contains(&code));
        row.map_or(Self::Unclear, |(meaning, _)| *meaning)
    }
}

/// Every code that librdkafka knows. (`NoError` is no error, and never asked for.)
const MEANINGS: &[(Meaning, &[Code])] = &[
    // `max.message.bytes` and `segment.bytes` of the topic. They could be raised, but as long as they
    // are not, the record would hold up its order for good.
    (
        Meaning::TooLarge,
        &[Code::MessageSizeTooLarge, Code::MessageBatchTooLarge, Code::InvalidMessageSize],
    ),
    // A broker's own validation (of schemas, say) and errors without a name. They may be due to the
    // record, or to a setting: see what becomes of others.
    (
        Meaning::Unclear,
        &[
            Code::InvalidRecord,
            Code::InvalidDifferentRecord,
            Code::Unknown,
            Code::Fail,
            Code::InvalidRequest,
            Code::InvalidArgument,
            Code::BadCompression,
            Code::KeySerialization,
            Code::ValueSerialization,
            Code::KeyDeserialization,
            Code::ValueDeserialization,
            Code::Application,
            Code::InvalidType,
        ],
    ),
    // No broker, or none that can do it now.
    (
        Meaning::Outage,
        &[
            Code::BrokerDestroy,
            Code::DestroyBroker,
            Code::BrokerTransportFailure,
            Code::CriticalSystemResource,
            Code::Resolve,
            Code::MessageTimedOut,
            Code::TimedOutQueue,
            Code::OperationTimedOut,
            Code::RequestTimedOut,
            Code::QueueFull,
            Code::AllBrokersDown,
            Code::NetworkException,
            Code::BrokerNotAvailable,
            Code::LeaderNotAvailable,
            Code::NotLeaderForPartition,
            Code::ReplicaNotAvailable,
            Code::PreferredLeaderNotAvailable,
            Code::EligibleLeadersNotAvailable,
            Code::ListenerNotFound,
            Code::NotEnoughReplicas,
            Code::NotEnoughReplicasAfterAppend,
            Code::ISRInsufficient,
            Code::KafkaStorageError,
            Code::LogDirNotFound,
            Code::ThrottlingQuotaExceeded,
            Code::ReassignmentInProgress,
            Code::NotController,
            Code::StaleControllerEpoch,
            Code::StaleBrokerEpoch,
            Code::FencedLeaderEpoch,
            Code::UnknownLeaderEpoch,
            Code::UnknownBroker,
            Code::RebootstrapRequired,
            Code::Retry,
            Code::Interrupted,
            Code::WaitCache,
            Code::InProgress,
            Code::PreviousInProgress,
            Code::Outdated,
            Code::OperationNotAttempted,
        ],
    ),
    // What arrives damaged was damaged on its way, or an answer was.
    (Meaning::Outage, &[Code::InvalidMessage, Code::BadMessage, Code::Underflow, Code::Partial]),
    // The topic is not there, or not as it should be: its settings, a policy of the brokers, clocks
    // (`message.timestamp.before.max.ms` and `…after.max.ms`), what brokers of this version can do.
    (
        Meaning::Outage,
        &[
            Code::UnknownTopicOrPartition,
            Code::UnknownTopic,
            Code::UnknownPartition,
            Code::UnknownTopicId,
            Code::InvalidTopic,
            Code::InvalidTimestamp,
            Code::PolicyViolation,
            Code::InvalidRequiredAcks,
            Code::InvalidConfig,
            Code::InvalidPartitions,
            Code::InvalidReplicationFactor,
            Code::InvalidReplicaAssignment,
            Code::UnsupportedCompressionType,
            Code::UnsupportedForMessageFormat,
            Code::UnsupportedVersion,
            Code::UnsupportedFeature,
            Code::NotImplemented,
            Code::NotConfigured,
            Code::UnknownProtocol,
            Code::TopicAlreadyExists,
            Code::TopicDeletionDisabled,
            Code::ReadOnly,
            Code::NoEnt,
            Code::FileSystem,
        ],
    ),
    // Rights, passwords and certificates.
    (
        Meaning::Outage,
        &[
            Code::SSL,
            Code::Authentication,
            Code::SaslAuthenticationFailed,
            Code::UnsupportedSASLMechanism,
            Code::IllegalSASLState,
            Code::SecurityDisabled,
            Code::TopicAuthorizationFailed,
            Code::ClusterAuthorizationFailed,
            Code::GroupAuthorizationFailed,
            Code::TransactionalIdAuthorizationFailed,
            Code::DelegationTokenAuthDisabled,
            Code::DelegationTokenNotFound,
            Code::DelegationTokenOwnerMismatch,
            Code::DelegationTokenRequestNotAllowed,
            Code::DelegationTokenAuthorizationFailed,
            Code::DelegationTokenExpired,
            Code::InvalidPrincipalType,
            Code::PrincipalDeserializationFailure,
            Code::UnacceptableCredential,
        ],
    ),
    // The producer itself is at its end; the next one sends the record again.
    (
        Meaning::Outage,
        &[
            Code::Fatal,
            Code::State,
            Code::Conflict,
            Code::Inconsistent,
            Code::PurgeQueue,
            Code::PurgeInflight,
            Code::GaplessGuarantee,
            Code::OutOfOrderSequenceNumber,
            Code::DuplicateSequenceNumber,
            Code::UnknownProducerId,
            Code::InvalidProducerEpoch,
            Code::ProducerFenced,
            Code::Fenced,
        ],
    ),
    // About transactions, groups, offsets, administration and telemetry: no answer to a record. A
    // broker or proxy that gives one is not itself.
    (
        Meaning::Outage,
        &[
            Code::InvalidTransactionalState,
            Code::InvalidProducerIdMapping,
            Code::InvalidTransactionTimeout,
            Code::ConcurrentTransactions,
            Code::TransactionCoordinatorFenced,
            Code::WaitingForCoordinator,
            Code::CoordinatorLoadInProgress,
            Code::CoordinatorNotAvailable,
            Code::NotCoordinator,
            Code::UnknownGroup,
            Code::ExistingSubscription,
            Code::AssignPartitions,
            Code::RevokePartitions,
            Code::AssignmentLost,
            Code::IllegalGeneration,
            Code::InconsistentGroupProtocol,
            Code::InvalidGroupId,
            Code::UnknownMemberId,
            Code::InvalidSessionTimeout,
            Code::RebalanceInProgress,
            Code::NonEmptyGroup,
            Code::GroupIdNotFound,
            Code::MemberIdRequired,
            Code::GroupMaxSizeReached,
            Code::FencedInstanceId,
            Code::GroupSubscribedToTopic,
            Code::FencedMemberEpoch,
            Code::UnreleasedInstanceId,
            Code::UnsupportedAssignor,
            Code::StaleMemberEpoch,
            Code::PollExceeded,
            Code::PartitionEOF,
            Code::NoOffset,
            Code::OffsetOutOfRange,
            Code::OffsetMetadataTooLarge,
            Code::OffsetNotAvailable,
            Code::InvalidCommitOffsetSize,
            Code::UnstableOffsetCommit,
            Code::AutoOffsetReset,
            Code::LogTruncation,
            Code::FetchSessionIdNotFound,
            Code::InvalidFetchSessionEpoch,
            Code::ElectionNotNeeded,
            Code::NoReassignmentInProgress,
            Code::ResourceNotFound,
            Code::DuplicateResource,
            Code::InconsistentVoterSet,
            Code::InvalidUpdateVersion,
            Code::FeatureUpdateFailed,
            Code::UnknownSubscriptionId,
            Code::TelemetryTooLarge,
            Code::NodeUpdate,
            Code::Noop,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaRespErr;

    use super::*;

    /// All codes of this version of librdkafka.
    fn known() -> Vec<Code> {
        let codes = (-300..1000).filter_map(|code| RDKafkaRespErr::try_from(code).ok());
        let ends = ["Begin", "End", "EndAll", "NoError"];
        let is_end = |code: &Code| ends.contains(&format!("{code:?}").as_str());
        codes.map(Code::from).filter(|code| !is_end(code)).collect()
    }

    fn answer(code: Code) -> Answer {
        Answer::of(&KafkaError::MessageProduction(code))
    }

    #[test]
    fn every_code_has_one_row() {
        let known = known();
        assert!(known.len() > 150, "only {} codes", known.len());
        for code in &known {
            let rows = MEANINGS.iter().flat_map(|(_, codes)| *codes).filter(|row| *row == code);
            assert_eq!(rows.count(), 1, "{code:?}");
        }
        let rows: usize = MEANINGS.iter().map(|(_, codes)| codes.len()).sum();
        assert_eq!(rows, known.len(), "a row for a code that librdkafka does not know");
    }

    #[test]
    fn nothing_is_refused_or_failed_as_part_of_a_batch() {
        for code in known() {
            let delivery = answer(code).in_a_batch();
            assert!(
                matches!(delivery, None | Some(Delivery::Unreachable(_))),
                "{code:?}: {delivery:?}"
            );
        }
    }

    #[test]
    fn alone_a_record_is_refused_for_its_size_and_for_nothing_else() {
        for code in known() {
            let delivery = answer(code).alone(true);
            let size =
                [Code::MessageSizeTooLarge, Code::MessageBatchTooLarge, Code::InvalidMessageSize];
            let refused = matches!(delivery, Delivery::Refused(_));
            assert_eq!(refused, size.contains(&code), "{code:?}: {delivery:?}");
        }
    }

    #[test]
    fn settings_rights_clocks_and_brokers_are_an_outage_however_the_record_was_sent() {
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
            for delivery in [answer(code).in_a_batch(), Some(answer(code).alone(true))] {
                assert!(
                    matches!(delivery, Some(Delivery::Unreachable(_))),
                    "{code:?}: {delivery:?}"
                );
            }
        }
    }

    #[test]
    fn an_unclear_error_is_the_records_own_only_if_others_are_taken() {
        for code in [Code::InvalidRecord, Code::Unknown, Code::InvalidRequest] {
            assert_eq!(answer(code).in_a_batch(), None);
            assert!(matches!(answer(code).alone(true), Delivery::Failed(_)), "{code:?}");
            assert!(matches!(answer(code).alone(false), Delivery::Unreachable(_)), "{code:?}");
        }
    }

    #[test]
    fn a_record_that_is_too_large_for_this_client_needs_no_second_try() {
        let error = KafkaError::MessageProduction(Code::MessageSizeTooLarge);
        let answer = Answer::not_taken_over(&error);
        assert!(matches!(answer.in_a_batch(), Some(Delivery::Refused(_))), "{answer:?}");
    }
}
