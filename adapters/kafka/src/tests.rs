//! Against the cluster built into librdkafka and a registry of a few lines.

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
