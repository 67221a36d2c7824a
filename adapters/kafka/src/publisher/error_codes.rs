//! Classification of the error codes of librdkafka.
//!
//! Every error that a setting, an authorization, a clock or a broker can cause is an outage: it
//! affects the next record too, and ends when an operator fixes it. Such an error must not fail a
//! record.

use rdkafka::error::RDKafkaErrorCode as Code;

/// What an error code says about the record, its batch or Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorKind {
    /// Kafka accepts no records now, or none from this program. The record may have been stored.
    Outage,
    /// The batch is larger than the topic allows. If the record was sent alone, the record is.
    TooLarge,
    /// The batch was rejected for a reason that the code does not name.
    Unclear,
}

impl ErrorKind {
    /// The kind of this code. A code that is newer than the table is [`Self::Unclear`].
    pub(super) fn of(code: Code) -> Self {
        let row = ERROR_KINDS.iter().find(|(_, codes)| codes.contains(&code));
        row.map_or(Self::Unclear, |(kind, _)| *kind)
    }
}

/// The kind of every error code of librdkafka, except `NoError`.
const ERROR_KINDS: &[(ErrorKind, &[Code])] = &[
    // `max.message.bytes` or `segment.bytes` of the topic. They could be raised, but until then the
    // record would block the later events of its order.
    (
        ErrorKind::TooLarge,
        &[Code::MessageSizeTooLarge, Code::MessageBatchTooLarge, Code::InvalidMessageSize],
    ),
    // Validation in the broker (of schemas, for example) and unspecific errors. The cause may be
    // the record or a setting: the results of other records show which.
    (
        ErrorKind::Unclear,
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
    // No broker is available, or none that can store the record now.
    (
        ErrorKind::Outage,
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
    // The request or the response was damaged in transit.
    (ErrorKind::Outage, &[Code::InvalidMessage, Code::BadMessage, Code::Underflow, Code::Partial]),
    // The topic is missing or misconfigured: its settings, a policy of the brokers, clocks
    // (`message.timestamp.before.max.ms` and `…after.max.ms`), features the brokers do not support.
    (
        ErrorKind::Outage,
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
    // Authorization, passwords and certificates.
    (
        ErrorKind::Outage,
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
    // The producer has failed and is replaced. The next one sends the record again.
    (
        ErrorKind::Outage,
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
    // Errors of transactions, groups, offsets, administration and telemetry. A broker or proxy that
    // answers a record with one of them does not work correctly.
    (
        ErrorKind::Outage,
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
pub(super) mod tests {
    use rdkafka::types::RDKafkaRespErr;

    use super::*;

    /// All error codes of this version of librdkafka.
    pub(in crate::publisher) fn all_codes() -> Vec<Code> {
        let codes = (-300..1000).filter_map(|code| RDKafkaRespErr::try_from(code).ok());
        let ends = ["Begin", "End", "EndAll", "NoError"];
        let is_end = |code: &Code| ends.contains(&format!("{code:?}").as_str());
        codes.map(Code::from).filter(|code| !is_end(code)).collect()
    }

    #[test]
    fn every_code_has_one_row() {
        let known = all_codes();
        assert!(known.len() > 150, "only {} codes", known.len());
        for code in &known {
            let rows = ERROR_KINDS.iter().flat_map(|(_, codes)| *codes).filter(|row| *row == code);
            assert_eq!(rows.count(), 1, "{code:?}");
        }
        let rows: usize = ERROR_KINDS.iter().map(|(_, codes)| codes.len()).sum();
        assert_eq!(rows, known.len(), "a row for a code that librdkafka does not know");
    }
}
