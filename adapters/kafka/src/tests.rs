//! Against the cluster built into librdkafka and a registry of a few lines.

mod answers;
mod consuming;
mod foreign;
mod loss;
mod publishing;
mod registry;
mod speed;
mod subjects;
mod topic;
mod world;
