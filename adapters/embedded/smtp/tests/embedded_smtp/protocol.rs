use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, sink};

#[tokio::test]
async fn a_mail_is_received_byte_for_byte_without_the_added_dots() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    let answer = client.mail("ada@example.org", "Subject: a\r\n\r\n..dot\r\n...\r\n. x").await;
    assert_eq!(answer, "250 2.0.0 queued");
    assert_eq!(client.command("QUIT").await, "221 2.0.0 bye");
    assert!(client.is_closed().await);

    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].number, 1);
    assert_eq!(mails[0].from, "orders@shop.example");
    assert_eq!(mails[0].to, ["ada@example.org"]);
    assert_eq!(mails[0].raw, b"Subject: a\r\n\r\n.dot\r\n..\r\n x\r\n");
    assert!(mails[0].accepted);
}

#[tokio::test]
async fn the_answer_to_ehlo_lists_the_extensions() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    client.answer().await;
    let answer = client.command("EHLO client").await;
    for extension in ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "AUTH PLAIN"] {
        assert!(answer.contains(&format!("250-{extension}\r\n")), "{answer}");
    }
    assert!(answer.ends_with("250 SIZE 1048576"), "{answer}");
    assert_eq!(client.command("HELO client").await, "250 embedded-smtp");
}

#[tokio::test]
async fn commands_can_be_pipelined() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    client
        .write(
            b"MAIL FROM:<a@example.org> SIZE=3\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\n\
              DATA\r\n",
        )
        .await;
    for expected in ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354"] {
        assert!(client.answer().await.starts_with(expected));
    }
    client.write(b"x\r\n.\r\nNOOP\r\nQUIT\r\n").await;
    for expected in ["250 2.0.0 queued", "250 2.0.0 ok", "221"] {
        assert!(client.answer().await.starts_with(expected));
    }
    assert_eq!(sink.mails()[0].to, ["b@example.org", "c@example.org"]);
}

#[tokio::test]
async fn only_a_dot_between_two_correct_line_breaks_ends_a_mail() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    let content = "a\n.\nMAIL FROM:<eve@example.org>\n.\r\nb\r\n.\nc";
    assert_eq!(client.mail("ada@example.org", content).await, "250 2.0.0 queued");
    assert_eq!(sink.mails().len(), 1);
    let raw = String::from_utf8(sink.mails()[0].raw.clone()).unwrap();
    assert_eq!(raw, "a\n.\nMAIL FROM:<eve@example.org>\n.\r\nb\r\n\nc\r\n");
}

#[tokio::test]
async fn commands_in_a_wrong_sequence_are_refused() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    client.answer().await;
    for (command, expected) in [
        ("MAIL FROM:<a@example.org>", "503"),
        ("EHLO client", "250"),
        ("RCPT TO:<b@example.org>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:<a@example.org>", "250"),
        ("MAIL FROM:<a@example.org>", "503"),
        ("DATA", "503"),
        ("RSET", "250"),
        ("RCPT TO:<b@example.org>", "503"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:b", "501"),
        ("STARTTLS", "500"),
        ("RCPT TO:<b@example.org>", "250"),
        ("DATA", "354"),
        (".", "250"),
    ] {
        let answer = client.command(command).await;
        assert!(answer.starts_with(expected), "{command}: {answer}");
    }
    assert_eq!((sink.mails().len(), sink.mails()[0].raw.len()), (1, 0));
}

#[tokio::test]
async fn every_login_is_accepted() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    assert_eq!(client.command("AUTH PLAIN AHVzZXIAcGFzcw==").await, "235 2.7.0 ok");
    assert!(client.command("AUTH PLAIN").await.starts_with("334"));
    assert_eq!(client.command("AHVzZXIAcGFzcw==").await, "235 2.7.0 ok");
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_the_next_one_is_received() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    let line = "x".repeat(998) + "\r\n";
    assert!(client.mail("ada@example.org", &line.repeat(1050)).await.starts_with("552"));
    assert!(client.mail("ada@example.org", &"y".repeat(1_100_000)).await.starts_with("552"));
    assert!(client.mail("ada@example.org", &line.repeat(1000)).await.starts_with("250"));
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn a_command_that_is_too_long_ends_the_connection() {
    let sink = sink().await;
    let mut client = Client::greeted(&sink).await;
    client.write(&[b'x'; 12_288]).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_stopped_server_closes_its_port_and_its_connections() {
    let sink = sink().await;
    let address = sink.address();
    let mut client = Client::greeted(&sink).await;
    timeout(Duration::from_secs(30), sink.stop()).await.unwrap();
    assert!(client.is_closed().await);
    assert!(TcpStream::connect(address).await.is_err());

    let dropped = crate::client::sink().await;
    let mut client = Client::greeted(&dropped).await;
    drop(dropped);
    assert!(client.is_closed().await);
}
