//! Tests with the mock cluster of librdkafka and a stub registry.

mod consuming;
mod fixture;
mod foreign_records;
mod latency;
mod loss;
mod publishing;
mod registry_responses;
mod stub_registry;
mod subjects;
mod topic;
