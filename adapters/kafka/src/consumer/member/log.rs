//! The log under a member's partitions is watched: is it the one that was read before, and does it
//! still hold what was to be read?

use application::one_line;
use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use rdkafka::util::Timeout;

use super::Member;
use crate::consumer::loss;
use crate::consumer::mark::Mark;
use crate::consumer::membership::Place;
use crate::consumer::reading::Arrival;

impl Member {
    /// Whether a record is new; the one with which a partition begins only shows that the log is
    /// still the same.
    pub(super) fn is_to_be_taken_in(
        &self,
        place: &Place,
        message: &BorrowedMessage<'_>,
    ) -> Result<bool, String> {
        let (arrival, finding) = self.consumer.context().readings.record(place, Mark::of(message));
        if let Some(finding) = finding {
            loss::tell(&self.group, &self.health, place, finding);
        }
        if arrival == Arrival::Foreign {
            self.read_from_the_start(place)?;
        }
        Ok(arrival == Arrival::New)
    }

    /// Does what was found without a record: reads from the start what is another log, and stores
    /// offsets that hold no record. Says whether there were any of these.
    pub(super) fn catch_up_with_the_log(&self) -> Result<bool, String> {
        let readings = &self.consumer.context().readings;
        for place in readings.rewinds() {
            self.read_from_the_start(&place)?;
        }
        // What was fetched and is not done yet would be passed over.
        Ok(self.fetched.is_empty() && self.store_offsets(&readings.beyond()))
    }

    fn read_from_the_start(&self, (topic, partition): &Place) -> Result<(), String> {
        // Without waiting: what is on its way from before is dropped from now on.
        self.consumer
            .seek(topic, *partition, Offset::Beginning, Timeout::After(std::time::Duration::ZERO))
            .map_err(|error| {
                format!("{topic} {partition} cannot be read anew: {}", one_line(&error))
            })
    }
}
