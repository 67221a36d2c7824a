use application::dead_letters::{
    DeadLetterFilter, DeadLetterNumber, DeadLetterStatus, FilterError, Selection, SelectionArgs,
    SelectionError,
};

fn select(
    ids: &[i64],
    all: bool,
    reason: Option<&str>,
    event_type: Option<&str>,
) -> Result<Selection<DeadLetterNumber>, SelectionError> {
    let ids = ids.iter().copied().map(DeadLetterNumber::new).collect();
    let (reason, event_type) = (reason.map(str::to_owned), event_type.map(str::to_owned));
    SelectionArgs { ids, all, reason, event_type }.try_into()
}

#[test]
fn dead_letters_are_selected_by_their_ids_or_by_a_filter() {
    let ids = [1, 2].map(DeadLetterNumber::new).to_vec();
    assert_eq!(select(&[1, 2], false, None, None), Ok(Selection::Ids(ids)));
    let all = DeadLetterFilter::default();
    assert_eq!(select(&[], true, None, None), Ok(Selection::Matching(all.clone())));
    let by_reason = all.with_reason("large").unwrap();
    assert_eq!(select(&[], false, Some("large"), None), Ok(Selection::Matching(by_reason.clone())));
    let by_both = by_reason.with_event_type("OrderCreated").unwrap();
    assert_eq!(
        select(&[], false, Some("large"), Some("orders.OrderCreated")),
        Ok(Selection::Matching(by_both))
    );
}

#[test]
fn selecting_nothing_is_an_error_and_never_means_all() {
    assert_eq!(select(&[], false, None, None), Err(SelectionError::Nothing));
    assert_eq!(select(&[], false, Some(""), None), Err(FilterError::EmptyReason.into()));
    let selected = select(&[], false, None, Some(""));
    assert_eq!(selected, Err(FilterError::EmptyEventType.into()));
}

#[test]
fn ids_all_and_filters_cannot_be_mixed() {
    assert_eq!(select(&[1], true, None, None), Err(SelectionError::Mixed));
    assert_eq!(select(&[1], false, Some("large"), None), Err(SelectionError::Mixed));
    assert_eq!(select(&[], true, None, Some("OrderCreated")), Err(SelectionError::Mixed));
}

#[test]
fn a_status_and_a_number_are_written_as_they_are_read() {
    for name in ["open", "retried", "discarded"] {
        assert_eq!(name.parse::<DeadLetterStatus>().unwrap().to_string(), name);
    }
    assert!("closed".parse::<DeadLetterStatus>().is_err());
    assert_eq!("17".parse::<DeadLetterNumber>().unwrap().to_string(), "17");
    assert!("seventeen".parse::<DeadLetterNumber>().is_err());
}
