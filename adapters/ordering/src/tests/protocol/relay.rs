use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_outbox::{PgClaim, PgOutbox};
use application::StoreError;
use application::relay::{
    Claim, Delivery, Outbox, OutboxRecord, Publisher, Step, Verdict, relay_step,
};
use tokio::time;

use super::model::{Dice, Model};

/// Relays as the product does, but crashes now and then, before or after it has published.
pub(super) async fn relay_for_ever(outbox: PgOutbox, model: Arc<Model>, dice: Dice) {
    let dice = Arc::new(Mutex::new(dice));
    let outbox = CrashingOutbox { outbox, model: Arc::clone(&model), dice: Arc::clone(&dice) };
    let kafka = FailingKafka { model, dice: Arc::clone(&dice) };
    loop {
        let limit = 1 + dice.lock().unwrap().below(40);
        match relay_step(&outbox, &kafka, limit, || {}, || unhurried).await.unwrap() {
            Step::Relayed { .. } => {}
            Step::Idle | Step::Outage(_) => time::sleep(Duration::from_millis(5)).await,
        }
    }
}

fn unhurried() -> Duration {
    Duration::from_secs(20)
}

struct CrashingOutbox {
    outbox: PgOutbox,
    model: Arc<Model>,
    dice: Arc<Mutex<Dice>>,
}

struct CrashingClaim {
    claim: PgClaim,
    model: Arc<Model>,
    crashes: bool,
}

impl Outbox for CrashingOutbox {
    type Claim = CrashingClaim;

    async fn claim(&self, limit: usize) -> Result<Option<CrashingClaim>, StoreError> {
        let Some(claim) = self.outbox.claim(limit).await? else {
            return Ok(None);
        };
        self.model.take_in_hand(claim.records());
        let (before, after) = {
            let mut dice = self.dice.lock().unwrap();
            (dice.percent(5), dice.percent(15))
        };
        let claim = CrashingClaim { claim, model: Arc::clone(&self.model), crashes: after };
        if before {
            claim.crash();
            return Ok(None);
        }
        Ok(Some(claim))
    }
}

impl CrashingClaim {
    fn crash(self) {
        self.model.crashes.fetch_add(1, Ordering::Relaxed);
        self.model.let_go(self.claim.records());
    }
}

impl Claim for CrashingClaim {
    fn records(&self) -> &[OutboxRecord] {
        self.claim.records()
    }

    fn more_may_be_due(&self) -> bool {
        self.claim.more_may_be_due()
    }

    async fn settle(self, verdicts: &[Verdict]) -> Result<(), StoreError> {
        if self.crashes {
            self.crash();
            return Ok(());
        }
        self.model.let_go(self.claim.records());
        self.claim.settle(verdicts).await
    }
}

struct FailingKafka {
    model: Arc<Model>,
    dice: Arc<Mutex<Dice>>,
}

impl Publisher for FailingKafka {
    async fn publish(&self, records: &[&OutboxRecord], _: Duration) -> Vec<Delivery> {
        // The time a broker takes: other relays must get along meanwhile.
        time::sleep(Duration::from_millis(3)).await;
        let mut dice = self.dice.lock().unwrap();
        let outage = dice.percent(3);
        if outage {
            self.model.outages.fetch_add(1, Ordering::Relaxed);
        }
        records.iter().map(|record| self.deliver(record, outage, &mut dice)).collect()
    }
}

impl FailingKafka {
    fn deliver(&self, record: &OutboxRecord, outage: bool, dice: &mut Dice) -> Delivery {
        match dice.below(200) {
            number if outage && number < 100 => {
                // It may have arrived although nobody can tell.
                if number < 30 {
                    self.model.publish(record);
                }
                Delivery::Unreachable("no broker".to_owned())
            }
            number if number < 4 => {
                self.model.failures.fetch_add(1, Ordering::Relaxed);
                Delivery::Failed("not today".to_owned())
            }
            // By the next time it may have been mended.
            4..=9 => Delivery::Refused("too large".to_owned()),
            _ => {
                self.model.publish(record);
                Delivery::Acknowledged
            }
        }
    }
}
