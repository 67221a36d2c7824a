use std::time::Duration;

use embedded_smtp::{Reaction, Step};
use tokio::time::timeout;

use crate::client::{Client, sink};

#[tokio::test]
async fn a_test_decides_what_each_step_is_answered() {
    let sink = sink().await;
    sink.set_behaviour(|step| match step {
        Step::Recipient("eve@example.org") => Reaction::answer(550, "5.1.1 no such user"),
        Step::Content(content) if content.starts_with(b"Subject: spam") => {
            Reaction::answer(554, "5.7.1 spam")
        }
        Step::Content(_) => Reaction::answer(250, "2.0.0 queued as 42"),
        _ => Reaction::Accept,
    });
    let mut client = Client::greeted(&sink).await;
    assert_eq!(client.mail("eve@example.org", "x").await, "550 5.1.1 no such user");
    client.command("RSET").await;
    assert_eq!(client.mail("ada@example.org", "Subject: spam\r\n").await, "554 5.7.1 spam");
    assert_eq!(client.mail("ada@example.org", "x").await, "250 2.0.0 queued as 42");

    let attempts = sink.attempts();
    let states: Vec<_> = attempts.iter().map(|m| (m.accepted, m.answer.as_str())).collect();
    assert_eq!(states, [(false, "554 5.7.1 spam"), (true, "250 2.0.0 queued as 42")]);
    assert_eq!(sink.mails(), attempts[1..]);
}

#[tokio::test]
async fn after_421_the_connection_is_closed() {
    let sink = sink().await;
    sink.set_behaviour(|_| Reaction::answer(421, "4.3.2 stopping"));
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.answer().await, "421 4.3.2 stopping");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_refused_client_can_only_quit() {
    let sink = sink().await;
    sink.set_behaviour(|step| match step {
        Step::Connect => Reaction::answer(554, "no service"),
        _ => Reaction::Accept,
    });
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.answer().await, "554 no service");
    assert!(client.command("EHLO client").await.starts_with("503"));
    assert!(client.command("QUIT").await.starts_with("221"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_connection_can_be_closed_before_or_after_the_mail_is_accepted() {
    let sink = sink().await;
    for (reaction, received) in [(Reaction::Close, 0), (Reaction::AcceptAndClose, 1)] {
        sink.set_behaviour(move |step| match step {
            Step::Content(_) => reaction.clone(),
            _ => Reaction::Accept,
        });
        let mut client = Client::greeted(&sink).await;
        assert_eq!(client.mail("ada@example.org", "x").await, "");
        assert_eq!(sink.mails().len(), received);
    }
}

#[tokio::test]
async fn a_hanging_server_keeps_the_connection_open_until_the_client_closes_it() {
    let sink = sink().await;
    sink.set_behaviour(|_| Reaction::Hang);
    let mut client = Client::connect(&sink).await;
    let answer = timeout(Duration::from_millis(100), client.answer()).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!((sink.connections(), sink.open_connections()), (1, 1));
    drop(client);
    test_support::eventually("it is closed", async || sink.open_connections() == 0).await;
}

#[tokio::test]
async fn connections_can_be_closed_without_stopping_the_server() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    sink.close_connections();
    assert!(client.is_closed().await);
    assert!(Client::greeted(&sink).await.mail("ada@example.org", "x").await.starts_with("250"));
}

#[tokio::test]
async fn a_test_can_wait_for_a_mail() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    let (mails, ()) = tokio::join!(sink.wait_until(|mails| mails.len() == 2), async {
        client.mail("ada@example.org", "x").await;
        client.mail("bob@example.org", "x").await;
    });
    assert_eq!(mails[1].to, ["bob@example.org"]);
    assert_eq!(sink.wait_until(|mails| !mails.is_empty()).await.len(), 2);
}
