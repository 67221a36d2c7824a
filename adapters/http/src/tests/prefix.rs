//! A gateway that strips the prefix `/orders-service`.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::middleware::map_request;
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;

use super::{Answer, ask_of};
use crate::site;

const PREFIX: &str = "/orders-service";

fn program() -> Router {
    let created = || async { (StatusCode::CREATED, [(header::LOCATION, "/things/7")]) };
    site(OpenApiRouter::new().route("/things", post(created)), Vec::new(), 10).unwrap()
}

/// The gateway, which forwards its prefix in a header or does not.
fn gateway(forwards: bool) -> Router {
    let program = program().layer(map_request(move |mut request: Request<Body>| async move {
        if forwards {
            let prefix = HeaderValue::from_static(PREFIX);
            request.headers_mut().insert("x-forwarded-prefix", prefix);
        }
        request
    }));
    Router::new().nest_service(PREFIX, program)
}

async fn get(router: &Router, path: &str) -> Answer {
    ask_of(router.clone(), Request::get(path).body(Body::empty()).unwrap()).await
}

/// The path to which a link on this page leads.
fn resolve(page: &str, link: &str) -> String {
    if link.starts_with('/') {
        return link.to_owned();
    }
    let mut segments: Vec<&str> = page.split('/').collect();
    segments.pop();
    for segment in link.split('/') {
        match segment {
            "." => {}
            ".." => _ = segments.pop(),
            other => segments.push(other),
        }
    }
    segments.join("/")
}

#[tokio::test]
async fn swagger_ui_works_behind_a_prefix() {
    for (router, prefix) in [(gateway(true), PREFIX), (gateway(false), PREFIX), (program(), "")] {
        let mut page = format!("{prefix}/swagger-ui/");
        for entry in ["/", "/swagger-ui"] {
            let entry = format!("{prefix}{entry}");
            let redirect = get(&router, &entry).await;
            assert!(redirect.status.is_redirection(), "{entry}");
            page = resolve(&entry, redirect.header("location"));
            assert_eq!(page, format!("{prefix}/swagger-ui/"), "from {entry}");
        }
        let html = get(&router, &page).await;
        assert_eq!(html.status, StatusCode::OK);
        assert!(html.body.contains(r#"src="./swagger-initializer.js""#), "{}", html.body);
        let settings = get(&router, &resolve(&page, "./swagger-initializer.js")).await.body;
        assert!(settings.contains(r#""url": "openapi.json""#), "{settings}");
        // Swagger UI sends requests to the server of its document, relative to the document.
        let document = resolve(&page, "openapi.json");
        let answer = get(&router, &document).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let server = answer.json()["servers"][0]["url"].as_str().unwrap().to_owned();
        let api = resolve(&document, &server);
        assert_eq!(get(&router, &format!("{api}/livez")).await.status, StatusCode::OK, "{api}");
    }
}

#[tokio::test]
async fn the_document_names_the_forwarded_prefix_as_its_server() {
    let document = get(&gateway(true), "/orders-service/openapi.json").await.json();
    assert_eq!(document["servers"], serde_json::json!([{"url": PREFIX}]));
    let document = get(&gateway(false), "/orders-service/openapi.json").await.json();
    assert!(document.get("servers").is_none(), "{document}");
}

#[tokio::test]
async fn location_has_the_prefix_of_the_gateway_if_it_is_a_plain_path() {
    let location = |values: &[&[u8]]| {
        let request = Request::post("/things");
        let request = values.iter().fold(request, |r, v| r.header("x-forwarded-prefix", *v));
        let answer = ask_of(program(), request.body(Body::empty()).unwrap());
        async { answer.await.header("location").to_owned() }
    };
    assert_eq!(location(&[]).await, "/things/7");
    for (prefix, link) in [
        ("/orders-service", "/orders-service/things/7"),
        ("/orders-service/", "/orders-service/things/7"),
        ("/a/b-c_d.e~1", "/a/b-c_d.e~1/things/7"),
    ] {
        assert_eq!(location(&[prefix.as_bytes()]).await, link);
    }
    let long = format!("/{}", "a".repeat(200));
    for refused in [
        "",
        "/",
        "//",
        "//evil.example",
        "/a//b",
        "/a//",
        "evil",
        "https://evil.example",
        "/../a",
        "/a/.",
        "/a b",
        "/a?b",
        "/a#b",
        "/a%2f",
        "/a\\b",
        "/a@b",
        "/a:b",
        "/a, /b",
        &long,
        "/é",
    ] {
        assert_eq!(location(&[refused.as_bytes()]).await, "/things/7", "{refused:?}");
    }
    assert_eq!(location(&[b"/a\xff"]).await, "/things/7");
    assert_eq!(location(&[b"/a", b"/b"]).await, "/things/7");
}
