/// What the outbox of one context has to know about the context.
#[derive(Debug)]
pub struct ContextOutbox {
    /// The table of the aggregates. A writer locks a row of it before it appends
    /// events of this aggregate.
    pub aggregates: &'static str,
    /// The column with the ids of the aggregates.
    pub key: &'static str,
    /// How the commands for operators begin: `order-jobs` if an operator runs `order-jobs adopt`.
    /// Messages name it.
    pub command: &'static str,
    /// The command that compares the outbox with the read models, if there is one: `order-jobs
    /// reconcile`. Messages name it.
    pub reconcile: Option<&'static str>,
}
