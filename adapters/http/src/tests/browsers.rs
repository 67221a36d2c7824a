//! What a browser may do on behalf of a page, and what it is told about an answer.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::{Answer, JSON, ask, ask_for};

async fn sent(method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request =
        Request::builder().method(method).uri(path).header("host", "orders.test:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_page_of_another_site_cannot_change_anything() {
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    let refused: &[&[(&str, &str)]] = &[
        &[site("cross-site")],
        &[site("same-site")],
        &[site("")],
        &[site("invented"), origin("http://orders.test:8080")],
        &[site("cross-site"), origin("http://orders.test:8080")],
        &[origin("http://evil.test")],
        &[origin("http://orders.test")],
        &[origin("http://orders.test:8081")],
        &[origin("http://orders.test:8080.evil.test")],
        &[origin("orders.test:8080")],
        &[origin("null")],
        &[origin("")],
    ];
    let accepted: &[&[(&str, &str)]] = &[
        &[],
        &[site("same-origin")],
        &[site("none")],
        // Behind a gateway that changes the host, a browser's own word counts.
        &[site("same-origin"), origin("https://shop.test")],
        &[origin("http://orders.test:8080")],
        &[origin("https://ORDERS.test:8080")],
        &[("referer", "http://evil.test/")],
    ];
    for headers in refused {
        for method in ["POST", "PUT", "PATCH", "DELETE", "INVENTED"] {
            sent(method, "/maybe", headers).await.problem(403, "cross-site");
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            let status = sent(method, "/search", headers).await.status;
            assert_ne!(status, StatusCode::FORBIDDEN, "{method} {headers:?}");
        }
    }
    for headers in accepted {
        let answer = sent("POST", "/maybe", headers).await;
        assert_eq!(answer.status, StatusCode::OK, "{headers:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_origin_need_not_name_the_port_of_its_scheme() {
    for (origin, host, status) in [
        ("http://orders.test", "orders.test:80", StatusCode::OK),
        ("http://orders.test", "orders.test", StatusCode::OK),
        ("https://orders.test", "orders.test:443", StatusCode::OK),
        ("https://orders.test", "orders.test:80", StatusCode::FORBIDDEN),
        ("http://[::1]:8080", "[::1]:8080", StatusCode::OK),
        ("http://[::1]", "[::1]", StatusCode::OK),
    ] {
        let request = Request::post("/maybe").header("host", host).header("origin", origin);
        let answer = ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{origin} at {host}");
    }
    let request = Request::post("/maybe").header("origin", "http://orders.test");
    assert_eq!(ask(request.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_answer_is_neither_kept_nor_guessed_at_nor_framed() {
    let refused = [("sec-fetch-site", "cross-site")];
    let answers = [
        ask_for("/search").await,
        ask_for("/nowhere").await,
        ask_for("/panic").await,
        ask_for("/outage").await,
        ask_for("/livez").await,
        ask_for("/metrics").await,
        ask_for("/openapi.json").await,
        ask_for("/problems/cross-site").await,
        ask_for("/swagger-ui/nowhere").await,
        sent("POST", "/maybe", &refused).await,
        super::send("/baskets", JSON, "[]").await,
    ];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.body);
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

#[tokio::test]
async fn the_pages_of_swagger_ui_may_use_what_this_server_has_and_nothing_else() {
    for path in ["/swagger-ui/", "/swagger-ui/swagger-ui-bundle.js"] {
        let answer = ask_for(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "max-age=3600");
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
    }
}
