//! Letters, from the event to a mail server.

use adapter_mail::{SmtpMailer, SmtpSettings};
use application::notification::EmailChannel;
use axum::http::{Method, StatusCode};
use embedded_smtp::SmtpSink;
use notification::run_worker;
use runtime::clock;
use serde_json::json;
use test_support::eventually;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, LIMITS, cancelled, created_by};

#[tokio::test]
async fn a_customer_with_a_contact_gets_the_letters_of_an_order_in_sequence() {
    let fixture = Fixture::new().await;
    let sink = SmtpSink::start("127.0.0.1:0").await.unwrap();
    let contact = json!({"email": "zoe@example.org", "language": "de"});
    let (status, ..) = fixture.request(Method::PUT, "/api/customers/c-1", &[], Some(contact)).await;
    assert_eq!(status, StatusCode::CREATED);
    let (id, other) = (clock::new_order_id(), clock::new_order_id());
    let (placed, cancellation) = (created_by(id, Some("c-1")), cancelled(id));
    fixture.receive(&[placed.clone(), cancellation.clone(), created_by(other, Some("c-2"))]).await;

    let settings = SmtpSettings {
        url: format!("smtp://{}", sink.address()),
        password: None,
        from: "Orders <orders@example.org>".to_owned(),
    };
    let mailer = EmailChannel(SmtpMailer::new(&settings, clock::now).unwrap());
    let stop = CancellationToken::new();
    let wakeup = fixture.outgoing.wakeup.subscribe();
    let work = run_worker(&fixture.notifications, &mailer, LIMITS, wakeup, &stop);
    let watch = async {
        eventually("all letters are settled", async || {
            let (_, list) = fixture.get("/api/notifications?channel=email&state=pending").await;
            list["items"] == json!([])
        })
        .await;
        stop.cancel();
    };
    tokio::join!(work, watch);

    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    for (mail, event) in mails.iter().zip([&placed, &cancellation]) {
        assert_eq!(mail.to, ["zoe@example.org"]);
        let message_id = mail.header("Message-ID").unwrap();
        assert!(message_id.contains(&event.event_id.to_string()), "{message_id}");
        assert!(mail.text().unwrap().contains("Zoë"));
    }
    let (_, list) = fixture.get("/api/notifications?channel=email&destination=c-2").await;
    assert_eq!(list["items"][0]["state"], "suppressed");
    assert_eq!(list["items"][0]["failureReason"], "the customer has no contact");

    let (_, list) = fixture.get("/api/notifications?channel=email&destination=c-1").await;
    let number = &list["items"][0]["id"];
    let (status, details) = fixture.get(&format!("/api/notifications/{number}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(details["notification"]["state"], "sent");
    assert_eq!(details["attempts"][0]["accepted"], true);
    let answer = details["attempts"][0]["answer"].as_str().unwrap();
    assert!(answer.starts_with("250 "), "{answer}");
}
