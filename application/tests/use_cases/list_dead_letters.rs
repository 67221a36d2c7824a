use application::dead_letters::{
    DeadLetterFilter, DeadLetterNumber, DeadLetterStatus, ListDeadLetters, list_dead_letters,
};
use application::paging::PageLimit;
use application::testing::{DeadLetterFixture, InMemoryPharmacy};

use crate::now;

#[test]
fn pages_show_every_dead_letter_once_and_the_last_says_that_it_is_the_last() {
    let store = InMemoryPharmacy::default();
    let died: Vec<DeadLetterNumber> =
        (1..=5).map(|n| now(store.add_dead_letter(n, 1, "no"))).collect();
    let mut wish = ListDeadLetters {
        status: DeadLetterStatus::Open,
        filter: DeadLetterFilter::default(),
        cursor: None,
        limit: PageLimit::try_from(2).unwrap(),
    };
    let mut shown = Vec::new();
    let mut pages = 0;
    loop {
        let page = now(list_dead_letters(&store.dead_letter_port(), &wish)).unwrap();
        pages += 1;
        shown.extend(page.items.into_iter().map(|one| one.id));
        wish.cursor = page.next;
        if wish.cursor.is_none() {
            break;
        }
    }
    assert_eq!((pages, shown), (3, died));
}
