use application::reconcile::{Difference, DifferenceKind, LedgerEntry, RepairOutcome, Summary};
use domain::OrderId;

/// One line about an order that differs.
pub(super) fn difference(read_model: &str, difference: &Difference) -> String {
    let Difference { order_id, published, known } = difference;
    let kind = match difference.kind() {
        DifferenceKind::Missing => "missing",
        DifferenceKind::Extra => "extra",
        DifferenceKind::Differing => "differing",
    };
    let published = published.as_ref().map_or_else(|| "unknown".to_owned(), entry);
    let known = known.as_ref().map_or_else(|| "unknown".to_owned(), entry);
    format!("{kind}\t{read_model}\t{order_id}\tordering: {published}; {read_model}: {known}")
}

fn entry(entry: &LedgerEntry) -> String {
    let LedgerEntry { version, events, .. } = entry;
    match events {
        events if *events == version.get() => format!("version {version}"),
        1 => format!("version {version} with 1 event"),
        events => format!("version {version} with {events} events"),
    }
}

/// One line about an order that was published again.
pub(super) fn outcome(read_model: &str, order: OrderId, outcome: RepairOutcome) -> String {
    match outcome {
        RepairOutcome::Repaired => format!("repaired\t{read_model}\t{order}"),
        RepairOutcome::NotRetained { events: 0 } => format!(
            "not repaired\t{read_model}\t{order}\tcannot be republished: no longer in the outbox"
        ),
        RepairOutcome::NotRetained { events } => format!(
            "not repaired\t{read_model}\t{order}\tonly {events} of its events are still in the outbox"
        ),
        RepairOutcome::NotArrived => format!(
            "not repaired\t{read_model}\t{order}\tits events are due again but have not arrived; check \
             that the relays and {read_model} run, then run reconcile again"
        ),
    }
}

/// One line about a read model.
pub(super) fn summary(read_model: &str, summary: &Summary) -> String {
    let Summary { published, known, missing, extra, differing, in_flight } = summary;
    format!(
        "{read_model}: {known} orders, ordering has {published}: {missing} missing, {extra} extra, \
         {differing} differing; {in_flight} not compared, because they have unpublished events"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(version: i64, events: i64) -> LedgerEntry {
        let order_id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        LedgerEntry { order_id, version: version.try_into().unwrap(), events }
    }

    #[test]
    fn every_difference_is_one_line_with_what_both_sides_know() {
        for (ordering, pharmacy, expected) in [
            (
                Some(known(2, 2)),
                None,
                "missing\tpharmacy\t{}\tordering: version 2; pharmacy: unknown",
            ),
            (
                None,
                Some(known(1, 1)),
                "extra\tpharmacy\t{}\tordering: unknown; pharmacy: version 1",
            ),
            (
                Some(known(2, 2)),
                Some(known(1, 1)),
                "differing\tpharmacy\t{}\tordering: version 2; pharmacy: version 1",
            ),
            (
                Some(known(2, 2)),
                Some(known(2, 1)),
                "differing\tpharmacy\t{}\tordering: version 2; pharmacy: version 2 with 1 event",
            ),
            (
                Some(known(2, 2)),
                Some(known(2, 3)),
                "differing\tpharmacy\t{}\tordering: version 2; pharmacy: version 2 with 3 events",
            ),
        ] {
            let order_id = ordering.or(pharmacy).unwrap().order_id;
            let one = Difference { order_id, published: ordering, known: pharmacy };
            assert_eq!(difference("pharmacy", &one), expected.replace("{}", &order_id.to_string()));
        }
    }
}
