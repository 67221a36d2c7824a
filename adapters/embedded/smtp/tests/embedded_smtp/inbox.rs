use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use embedded_smtp::{Reaction, SmtpSink, Step, inbox_routes};
use serde_json::Value;
use tower::ServiceExt;

use crate::client::{Client, sink};

const MAIL: &str = "From: Orders <orders@shop.example>\r\nTo: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n\
    Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <script>alert(1)</script>\r\nX-Long: a\r\n b\r\n\
    Content-Type: multipart/alternative; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n1 < 2 </pre><script>\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p title=\"x\">1 &lt; 2</p><script>alert(2)</script>\r\n\
    --b--\r\n";

/// A server that has received two mails and has refused one.
async fn filled() -> SmtpSink {
    let sink = sink().await;
    sink.set_behaviour(|step| match step {
        Step::Content(b"Subject: refused\r\n") => Reaction::answer(451, "4.3.0 <later>"),
        _ => Reaction::Accept,
    });
    let mut client = Client::greeted(&sink).await;
    client.mail("joerg@example.org", MAIL).await;
    client.mail("ada@example.org", "Subject: refused").await;
    client.mail("a&b@example.org", "Subject: plain\r\n\r\ntext").await;
    sink
}

async fn get(routes: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = routes.clone().oneshot(request).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_list_shows_the_newest_mail_first_and_escapes_everything() {
    let sink = filled().await;
    let routes = inbox_routes(&sink);
    let (status, page) = get(&routes, "/").await;
    assert_eq!(status, StatusCode::OK);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
    assert!(at("mails/3") < at("mails/2") && at("mails/2") < at("mails/1"));
    at("Grüße &#60;script&#62;");
    at("a&#38;b@example.org");
    at("refused: 451 4.3.0 &#60;later&#62;");
    at("http-equiv=\"refresh\"");
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn an_empty_inbox_and_a_mail_without_a_subject_are_shown() {
    let sink = sink().await;
    let routes = inbox_routes(&sink);
    let (status, page) = get(&routes, "/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("No mail yet."));
    Client::greeted(&sink).await.mail("ada@example.org", "x").await;
    let (_, page) = get(&routes, "/").await;
    assert!(page.contains("<a href=\"mails/1\">(no subject)</a>"), "{page}");
}

#[tokio::test]
async fn a_mail_is_shown_with_its_header_its_text_and_its_html_in_a_sandbox() {
    let sink = filled().await;
    let routes = inbox_routes(&sink);
    let (status, page) = get(&routes, "/mails/1").await;
    assert_eq!(status, StatusCode::OK);
    for part in [
        "<h1>Grüße &#60;script&#62;alert(1)&#60;/script&#62;</h1>",
        "<tr><th>To</th><td>=?utf-8?q?J=C3=B6rg?= &#60;joerg@example.org&#62;</td></tr>",
        "<tr><th>X-Long</th><td>a b</td></tr>",
        "<pre>1 &#60; 2 &#60;/pre&#62;&#60;script&#62;</pre>",
        "<iframe sandbox=\"\" title=\"The HTML of the mail\" srcdoc=\"&#60;p title=&#34;x&#34;&#62;1 &#38;lt; 2",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");

    let (_, plain) = get(&routes, "/mails/3").await;
    assert!(plain.contains("<pre>text") && !plain.contains("<iframe"), "{plain}");
    for path in ["/mails/9", "/mails/0"] {
        assert_eq!(get(&routes, path).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(get(&routes, "/mails/x").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_api_returns_all_mails_or_those_of_a_recipient() {
    let sink = filled().await;
    let routes = inbox_routes(&sink);
    let mails = |path: &'static str| {
        let routes = routes.clone();
        async move { serde_json::from_str::<Vec<Value>>(&get(&routes, path).await.1).unwrap() }
    };
    let all = mails("/api/mails").await;
    assert_eq!(all.iter().map(|mail| &mail["number"]).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(all[2]["subject"], "Grüße <script>alert(1)</script>");
    assert_eq!(all[2]["text"], "1 < 2 </pre><script>");
    assert_eq!(all[2]["html"], "<p title=\"x\">1 &lt; 2</p><script>alert(2)</script>");
    assert_eq!(all[2]["to"], serde_json::json!(["joerg@example.org"]));
    assert_eq!(all[2]["headers"][0], serde_json::json!(["From", "Orders <orders@shop.example>"]));
    assert_eq!(
        (&all[1]["accepted"], &all[1]["answer"]),
        (&false.into(), &"451 4.3.0 <later>".into())
    );

    let of_ada = mails("/api/mails?to=ADA%40example.org").await;
    assert_eq!(of_ada.iter().map(|mail| &mail["number"]).collect::<Vec<_>>(), [2]);
    assert!(mails("/api/mails?to=nobody%40example.org").await.is_empty());
}
