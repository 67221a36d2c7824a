/// The topics that the events are published to.
#[derive(Debug, Clone, Copy)]
pub struct Topics<'a> {
    /// The topic of ordering's events.
    pub ordering: &'a str,
    /// The topic of the pharmacy's events.
    pub pharmacy: &'a str,
}

impl<'a> Topics<'a> {
    /// The topic of the event with this full name, such as `orders.OrderCreated`. The namespace tells
    /// which context publishes it.
    #[must_use]
    pub fn of(self, fullname: &str) -> &'a str {
        if fullname.starts_with("pharmacy.") { self.pharmacy } else { self.ordering }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_released_event_belongs_to_the_topic_of_its_context() {
        let topics = Topics { ordering: "ordering", pharmacy: "pharmacy" };
        for schema in adapter_avro::ordering() {
            assert_eq!(topics.of(schema.fullname), "ordering", "{}", schema.fullname);
        }
        for schema in adapter_avro::pharmacy() {
            assert_eq!(topics.of(schema.fullname), "pharmacy", "{}", schema.fullname);
        }
    }
}
