use std::ops::ControlFlow;

use application::StoreError;
use application::dead_letters::{
    ActResult, DeadLetterFilter, DeadLetterStatus, DeadLetters, FilterError, ListDeadLetters,
    Retry, RetryError, Selection, discard_dead_letters, list_dead_letters, retry_dead_letters,
};
use application::paging::PageLimit;
use futures_util::future::{BoxFuture, FutureExt};

use super::id::DeadLetterId;
use super::json::{
    ActReportJson, ActResultJson, DeadLetterContent, DeadLetterJson, DeadLetterPageJson,
};
use super::selection::SelectionJson;
use crate::{CursorError, FieldError, Problem, QueryParameters};

/// How many dead letters a request treats, unless it names them: as many as fit into its time.
const TREATED: usize = 500;

/// What the routes do, whatever the kind of dead letters.
pub(super) trait Acts: Send + Sync {
    fn list(&self, query: QueryParameters) -> BoxFuture<'_, Result<DeadLetterPageJson, Problem>>;

    fn retry(&self, body: SelectionJson) -> BoxFuture<'_, Result<ActReportJson, Problem>>;

    fn discard(&self, body: SelectionJson) -> BoxFuture<'_, Result<ActReportJson, Problem>>;
}

/// The dead letters of one context, how they are retried, and whether its store can be used yet.
#[derive(Debug)]
pub(super) struct Desk<L, R, F> {
    pub(super) letters: L,
    pub(super) how: R,
    pub(super) ready: F,
}

impl<L, R, F> Acts for Desk<L, R, F>
where
    L: DeadLetters<Id: DeadLetterId, Content: Into<DeadLetterContent>>,
    R: Retry<L>,
    F: Fn() -> Result<(), StoreError> + Send + Sync,
{
    fn list(&self, query: QueryParameters) -> BoxFuture<'_, Result<DeadLetterPageJson, Problem>> {
        async move {
            let wish = wish(query)?;
            (self.ready)()?;
            let page = list_dead_letters(&self.letters, &wish).await?;
            Ok(DeadLetterPageJson {
                items: page.items.into_iter().map(DeadLetterJson::of).collect(),
                next_cursor: page.next.map(|id| id.to_string()),
            })
        }
        .boxed()
    }

    fn retry(&self, body: SelectionJson) -> BoxFuture<'_, Result<ActReportJson, Problem>> {
        async move {
            let selection = body.selection()?;
            (self.ready)()?;
            let mut results = Results::of(&selection);
            let report = |result| results.add(result);
            retry_dead_letters(&self.letters, &self.how, &selection, report)
                .await
                .map_err(not_retried)?;
            Ok(results.into_report())
        }
        .boxed()
    }

    fn discard(&self, body: SelectionJson) -> BoxFuture<'_, Result<ActReportJson, Problem>> {
        async move {
            let selection = body.selection()?;
            (self.ready)()?;
            let mut results = Results::of(&selection);
            let report = |result| results.add(result);
            discard_dead_letters(&self.letters, &selection, report).await?;
            Ok(results.into_report())
        }
        .boxed()
    }
}

fn wish<Id: DeadLetterId>(mut query: QueryParameters) -> Result<ListDeadLetters<Id>, Problem> {
    let cursor: Option<String> = query.take("cursor");
    let limit: Option<PageLimit> = query.take("limit");
    let status: Option<DeadLetterStatus> = query.take("state");
    let reason: Option<String> = query.take("reason");
    let event_type: Option<String> = query.take("eventType");
    query.finish()?;

    let wrong = |name: &'static str, error: &dyn std::fmt::Display| {
        Problem::invalid_parameters(vec![FieldError::parameter(name, error)])
    };
    let cursor =
        cursor.map(|text| Id::from_cursor(&text).ok_or_else(|| wrong("cursor", &CursorError)));
    let filter = DeadLetterFilter::of(reason.as_deref(), event_type.as_deref());
    let filter = filter.map_err(|error| match error {
        FilterError::EmptyReason => wrong("reason", &error),
        FilterError::EmptyEventType => wrong("eventType", &error),
    })?;
    Ok(ListDeadLetters {
        status: status.unwrap_or_default(),
        filter,
        cursor: cursor.transpose()?,
        limit: limit.unwrap_or_default(),
    })
}

/// The problem that keeps dead letters from being retried.
fn not_retried(error: RetryError) -> Problem {
    match error {
        RetryError::Store(error) => error.into(),
        error @ RetryError::Decode { .. } => Problem::unavailable(error),
    }
}

/// The results of an act, up to as many as a request treats.
struct Results {
    treated: Vec<ActResultJson>,
    most: Option<usize>,
    more: bool,
}

impl Results {
    fn of<Id>(selection: &Selection<Id>) -> Self {
        let most = matches!(selection, Selection::Matching(_)).then_some(TREATED);
        Self { treated: Vec::new(), most, more: false }
    }

    fn add<Id: DeadLetterId>(&mut self, result: ActResult<Id>) -> ControlFlow<()> {
        self.treated.push(result.into());
        self.more = self.most.is_some_and(|most| self.treated.len() >= most);
        if self.more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn into_report(self) -> ActReportJson {
        ActReportJson { results: self.treated, more: self.more }
    }
}
