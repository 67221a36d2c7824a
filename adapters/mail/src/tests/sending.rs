use std::sync::Arc;
use std::time::Duration;

use application::notification::{Answer, Mailer, SendError};
use domain::EventId;
use embedded_smtp::{Reaction, SmtpSink, Step, failing_at_random};
use lettre::transport::smtp::authentication::Credentials;
use runtime::clock;
use test_support::eventually;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::letter;
use crate::settings::{Server, Timeouts};
use crate::{SmtpMailer, SmtpSettings};

const FROM: &str = "orders@shop.example";
const ADDRESS: &str = "ada.l@example.org";
const NAME: &str = "Ada Lovelace";

async fn sink() -> SmtpSink {
    SmtpSink::start("127.0.0.1:0").await.unwrap()
}

fn mailer_at(url: String) -> SmtpMailer {
    SmtpMailer::new(&SmtpSettings { url, password: None, from: FROM.to_owned() }, clock::now)
        .unwrap()
}

fn mailer(sink: &SmtpSink) -> SmtpMailer {
    mailer_at(format!("smtp://{}", sink.address()))
}

/// A mailer with other settings of the server.
fn mailer_with(sink: &SmtpSink, change: impl FnOnce(&mut Server)) -> SmtpMailer {
    let url = format!("smtp://{}", sink.address());
    let settings = SmtpSettings { url, password: None, from: FROM.to_owned() };
    let (mut server, from) = settings.parse().unwrap();
    change(&mut server);
    SmtpMailer::at(server, from, clock::now)
}

fn impatient(server: &mut Server) {
    let step = Duration::from_millis(200);
    server.timeouts = Timeouts { step, send: step * 2, idle: step };
}

/// Reacts at one step and accepts all others.
fn only_at(name: &'static str, reaction: Reaction) -> impl Fn(Step<'_>) -> Reaction {
    move |step| if format!("{step:?}") == name { reaction.clone() } else { Reaction::Accept }
}

async fn send(mailer: &SmtpMailer) -> Result<Answer, SendError> {
    mailer.send(&letter(NAME, ADDRESS)).await
}

fn kind(result: &Result<Answer, SendError>) -> &'static str {
    match result {
        Ok(_) => "sent",
        Err(SendError::Unreachable(_)) => "unreachable",
        Err(SendError::Later { .. }) => "later",
        Err(SendError::Never(_)) => "never",
        Err(SendError::Gone(_)) => "gone",
    }
}

#[tokio::test]
async fn a_letter_arrives_and_the_answer_of_the_server_is_returned() {
    let sink = sink().await;
    let answer = send(&mailer(&sink)).await.unwrap();
    assert_eq!(answer, Answer("250 2.0.0 queued".to_owned()));
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].from.as_str(), mails[0].to.as_slice()),
        (FROM, [ADDRESS.to_owned()].as_slice())
    );
    let id = letter(NAME, ADDRESS).event_id;
    assert_eq!(mails[0].header("Message-ID"), Some(format!("<{id}@shop.example>")));
    assert!(mails[0].text().unwrap().starts_with("Hello Ada Lovelace,"));
    assert!(mails[0].html().unwrap().contains("<p>Hello Ada Lovelace,</p>"));
}

#[tokio::test]
async fn a_refusal_is_judged_by_its_step_and_code_and_hides_the_customer() {
    let sink = sink().await;
    for (step, code, expected) in [
        ("Connect", 421, "unreachable"),
        ("Connect", 554, "unreachable"),
        ("Hello", 550, "unreachable"),
        ("Sender", 450, "unreachable"),
        ("Sender", 550, "unreachable"),
        ("Recipient", 421, "later"),
        ("Recipient", 450, "later"),
        ("Recipient", 550, "never"),
        ("Data", 452, "later"),
        ("Data", 554, "never"),
        ("Content", 421, "later"),
        ("Content", 451, "later"),
        ("Content", 552, "never"),
        ("Content", 530, "unreachable"),
    ] {
        let text = format!("5.1.1 <{ADDRESS}> of {NAME}: refused");
        sink.set_behaviour(only_at(step, Reaction::answer(code, text)));
        let result = send(&mailer(&sink)).await;
        assert_eq!(kind(&result), expected, "{code} at {step}: {result:?}");
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with(&format!(": {code} 5.1.1 … of …: refused")), "{error}");
    }
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_server_that_closes_the_connection_or_hangs_is_judged_by_the_step() {
    let sink = sink().await;
    for reaction in [Reaction::Close, Reaction::Hang] {
        for (step, expected) in [
            ("Connect", "unreachable"),
            ("Hello", "unreachable"),
            ("Sender", "unreachable"),
            ("Recipient", "later"),
            ("Data", "later"),
            ("Content", "later"),
        ] {
            sink.set_behaviour(only_at(step, reaction.clone()));
            let result = send(&mailer_with(&sink, impatient)).await;
            assert_eq!(kind(&result), expected, "{reaction:?} at {step}: {result:?}");
        }
    }
}

#[tokio::test]
async fn no_server_no_host_and_no_tls_are_outages() {
    let sink = sink().await;
    let address = sink.address();
    for url in [
        format!("smtps://{address}"),
        format!("smtp://{address}?tls=required"),
        "smtp://mail.invalid".to_owned(),
        "smtp://127.0.0.1:1".to_owned(),
    ] {
        let result = send(&mailer_at(url.clone())).await;
        assert_eq!(kind(&result), "unreachable", "{url}: {result:?}");
    }
}

#[tokio::test]
async fn a_refused_login_is_an_outage() {
    let sink = sink().await;
    let mailer = mailer_with(&sink, |server| {
        server.credentials = Some(Credentials::new("orders".to_owned(), "secret".to_owned()));
    });
    sink.set_behaviour(only_at("Auth", Reaction::answer(535, "5.7.8 wrong password")));
    let error = send(&mailer).await.unwrap_err();
    assert_eq!(error, SendError::Unreachable("AUTH: 535 5.7.8 wrong password".to_owned()));
    sink.set_behaviour(|_| Reaction::Accept);
    assert_eq!(kind(&send(&mailer).await), "sent");
}

#[tokio::test]
async fn letters_reuse_a_connection_even_after_a_refusal() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    assert_eq!(kind(&send(&mailer).await), "sent");
    for step in ["Recipient", "Data", "Content"] {
        sink.set_behaviour(only_at(step, Reaction::answer(550, "no")));
        assert_eq!(kind(&send(&mailer).await), "never");
    }
    sink.set_behaviour(|_| Reaction::Accept);
    assert_eq!(kind(&send(&mailer).await), "sent");
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_the_server_has_closed_is_replaced() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    assert_eq!(kind(&send(&mailer).await), "sent");
    sink.close_connections();
    assert_eq!(kind(&send(&mailer).await), "sent");
    assert_eq!((sink.connections(), sink.mails().len()), (2, 2));

    // Some servers say that they close it.
    let closing = std::sync::atomic::AtomicBool::new(true);
    sink.set_behaviour(move |step| match step {
        Step::Sender(_) if closing.swap(false, std::sync::atomic::Ordering::Relaxed) => {
            Reaction::answer(421, "4.4.2 idle for too long")
        }
        _ => Reaction::Accept,
    });
    assert_eq!(kind(&send(&mailer).await), "sent");
    assert_eq!((sink.connections(), sink.mails().len()), (3, 3));
}

#[tokio::test]
async fn a_letter_whose_answer_was_lost_is_sent_again_with_the_same_message_id() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    sink.set_behaviour(only_at("Content", Reaction::AcceptAndClose));
    assert_eq!(kind(&send(&mailer).await), "later");
    sink.set_behaviour(|_| Reaction::Accept);
    assert_eq!(kind(&send(&mailer).await), "sent");
    let ids: Vec<_> = sink.mails().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0].is_some() && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn many_letters_use_at_most_16_connections_and_all_arrive_though_30_percent_fail() {
    let sink = sink().await;
    sink.set_behaviour(failing_at_random(30, 1));
    let mailer = Arc::new(mailer(&sink));
    let mut letters = JoinSet::new();
    for n in 0..100 {
        let mailer = mailer.clone();
        letters.spawn(async move {
            let mut letter = letter(NAME, ADDRESS);
            letter.event_id = EventId::new(Uuid::from_u128(n));
            while let Err(error) = mailer.send(&letter).await {
                assert!(matches!(error, SendError::Later { .. }), "{error}");
            }
        });
    }
    letters.join_all().await;
    assert!(sink.connections() <= 16, "{}", sink.connections());
    assert!(sink.attempts().len() > 110);
    let mails = sink.mails();
    let ids: std::collections::BTreeSet<_> =
        mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((mails.len(), ids.len()), (100, 100));
}

#[tokio::test]
async fn idle_connections_are_closed_after_a_while_and_at_the_end() {
    let sink = sink().await;
    let mailer = mailer_with(&sink, |server| server.timeouts.idle = Duration::from_millis(100));
    for _ in 0..2 {
        assert_eq!(kind(&send(&mailer).await), "sent");
        eventually("the idle connection is closed", async || sink.open_connections() == 0).await;
    }
    let mailer = self::mailer(&sink);
    assert_eq!(kind(&send(&mailer).await), "sent");
    assert_eq!(sink.open_connections(), 1);
    mailer.close().await;
    eventually("the connection is closed", async || sink.open_connections() == 0).await;
}
