use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use application::notification::{
    Channel, ChannelName, Claimed, EventType, Lease, Notification, NotificationId,
    NotificationState, Recipient,
};
use domain::OrderVersion;
use notification::LogChannel;
use runtime::clock;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn claimed(reason: &str) -> Claimed {
    let stamp = clock::event_stamp();
    let notification = Notification {
        id: NotificationId::new(1),
        event_id: stamp.event_id,
        channel: ChannelName::Log,
        destination: "log".to_owned(),
        order_id: clock::new_order_id(),
        order_version: OrderVersion::FIRST,
        event_type: Some(EventType::Cancelled),
        occurred_at: stamp.at,
        reason: Some(reason.to_owned()),
        attempts: 0,
        state: NotificationState::Pending { due_at: stamp.at, last_error: None },
        recorded_at: stamp.at,
    };
    let lease = Lease::new(Uuid::nil());
    Claimed { notification, lease, ran_out: false, recipient: Recipient::Log }
}

#[tokio::test]
async fn a_notification_is_one_line_without_personal_data() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let claimed = claimed("Zoë is away\n{}");
    {
        let _log = tracing::subscriber::set_default(subscriber);
        LogChannel.send(&claimed, clock::now()).await.unwrap();
    }
    let line: Value = serde_json::from_str(&lines.text()).unwrap();
    assert_eq!((&line["target"], &line["level"]), (&"notification::log".into(), &"INFO".into()));
    assert_eq!(
        line["fields"],
        json!({
            "message": "notified",
            "event_id": claimed.notification.event_id.to_string(),
            "order_id": claimed.notification.order_id.to_string(),
            "order_version": 1,
        })
    );
}
