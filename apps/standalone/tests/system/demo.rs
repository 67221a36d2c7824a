use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::Sandbox;

/// Time for a small demo.
const TIMEOUT: Duration = Duration::from_mins(1);

#[test]
fn the_demo_succeeds_when_all_orders_arrive() {
    let sandbox = Sandbox::new("demo");
    let output = sandbox.command().args(["demo", "--orders=50", "--rate=50"]).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{report}");
    // Nothing was left out.
    assert_eq!(report.matches("\n  ok     ").count(), 10, "{report}");
    assert!(!sandbox.is_postgres_running(), "Postgres is still running after the demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_succeeds_on_external_services() {
    let sandbox = Sandbox::new("outside");
    let external = ExternalServices::start().await;
    let mut command = sandbox.command();
    let demo = external.configure(&mut command).args(["demo", "--orders=50", "--rate=50"]);
    let output = demo.output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{report}");
    // There is no key for webhooks: it would have to be kept with the external database.
    assert!(report.contains("(WEBHOOK_SECRETS_KEY_FILE is not set)"), "{report}");
    assert_eq!(report.matches("\n  ok     ").count(), 9, "{report}");
}

#[test]
fn the_demo_fails_when_orders_do_not_arrive_in_a_read_model() {
    let sandbox = Sandbox::new("lost");
    let mut instance = Instance::start(&mut sandbox.command());
    // The address of the pharmacy is wrong, so that its read model cannot be read.
    let file = sandbox.home.join("endpoints.json");
    let mut endpoints: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    endpoints["pharmacy_order"] = "http://127.0.0.1:9".into();
    fs::write(&file, endpoints.to_string()).unwrap();
    let demo = ["demo", "--orders=10", "--rate=50", "--patience=2"];
    let (demo, _) = Instance::spawn(sandbox.command().args(demo));
    let (code, stderr) = demo.wait_for_exit(TIMEOUT);
    assert_eq!(code, Some(1), "{stderr:#?}");
    assert!(instance.is_alive());
}
