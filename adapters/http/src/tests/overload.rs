//! What a server does with more requests than it can work on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use futures_util::stream::{iter, pending};
use runtime::Check;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;

use super::{Answer, JSON, ask_of, store};
use crate::problem::Cause;

use crate::{Problem, ProblemType, site};

const PATIENCE: Duration = Duration::from_secs(20);

/// A program that works on two requests at the most, and on `/work` for as long as it is told to.
struct Program {
    router: Router,
    arrived: mpsc::UnboundedReceiver<()>,
    go_on: Arc<Notify>,
}

type Work = (mpsc::UnboundedSender<()>, Arc<Notify>);

async fn work(State((tell, go_on)): State<Work>) -> &'static str {
    let go_on = go_on.notified();
    tell.send(()).unwrap();
    go_on.await;
    "done"
}

impl Program {
    fn new() -> Self {
        let (tell, arrived) = mpsc::unbounded_channel();
        let go_on = Arc::new(Notify::new());
        let routes = OpenApiRouter::new()
            .route("/work", get(work))
            .route("/baskets", post(store))
            .with_state((tell, go_on.clone()));
        let there = Check::new("there", || async { Ok(()) });
        Self { router: site(routes, vec![there], 2).unwrap(), arrived, go_on }
    }

    /// Gives it all the work it takes.
    async fn busy(&mut self) -> Vec<tokio::task::JoinHandle<Answer>> {
        let mut working = Vec::new();
        for _ in 0..2 {
            working.push(tokio::spawn(ask_of(self.router.clone(), request("/work"))));
            timeout(PATIENCE, self.arrived.recv()).await.unwrap().unwrap();
        }
        working
    }

    async fn ask(&self, path: &str) -> Answer {
        ask_of(self.router.clone(), request(path)).await
    }
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_once_and_what_was_begun_is_answered() {
    let mut program = Program::new();
    let working = program.busy().await;
    for _ in 0..100 {
        let begin = Instant::now();
        let refused = timeout(PATIENCE, program.ask("/work")).await.expect("it waits");
        refused.problem(503, "overloaded");
        assert_eq!(refused.header("retry-after"), "2");
        assert!(begin.elapsed() < Duration::from_millis(50), "{:?}", begin.elapsed());
    }
    program.go_on.notify_waiters();
    for answer in working {
        assert_eq!(answer.await.unwrap().body, "done");
    }
    let working = program.busy().await;
    program.go_on.notify_waiters();
    for answer in working {
        assert_eq!(answer.await.unwrap().status, StatusCode::OK);
    }
}

#[tokio::test]
async fn probes_are_answered_whatever_else_there_is_to_do() {
    let mut program = Program::new();
    let _working = program.busy().await;
    for path in ["/livez", "/readyz", "/metrics", "/openapi.json", "/problems/overloaded"] {
        let answer = timeout(PATIENCE, program.ask(path)).await.expect("it waits");
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    program.ask("/work").await.problem(503, "overloaded");
    let metrics = program.ask("/metrics").await.body;
    assert!(metrics.contains("\nhttp_requests_shed_total "), "{metrics}");
}

#[tokio::test]
async fn a_request_whose_body_does_not_come_takes_no_place_of_others() {
    let program = Program::new();
    let post = |body| Request::post("/baskets").header("content-type", JSON).body(body).unwrap();
    let mut unfinished = Vec::new();
    for _ in 0..8 {
        let never = pending::<Result<Bytes, std::io::Error>>();
        let request = post(Body::from_stream(never));
        unfinished.push(tokio::spawn(ask_of(program.router.clone(), request)));
        tokio::task::yield_now().await;
    }
    let body = Body::from(r#"{"name":"Ada","items":[]}"#);
    let answer = ask_of(program.router.clone(), post(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(unfinished.iter().all(|request| !request.is_finished()));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_refused_before_it_takes_a_place() {
    let program = Program::new();
    let post = |body: Body| {
        let request = Request::post("/baskets").header("content-type", JSON);
        ask_of(program.router.clone(), request.body(body).unwrap())
    };
    post(vec![b' '; 65_537].into()).await.problem(413, "body-too-large");
    let broken = iter([Ok("{"), Err(std::io::Error::other("gone"))]);
    post(Body::from_stream(broken)).await.problem(400, "malformed-body");
}

#[test]
fn an_overload_is_not_logged_as_a_fault_of_the_server() {
    let overload = Problem::new(ProblemType::Overloaded, "").into_response();
    assert!(overload.extensions().get::<Cause>().is_none());
    let outage = Problem::unavailable("gone").into_response();
    assert!(outage.extensions().get::<Cause>().is_some());
}
