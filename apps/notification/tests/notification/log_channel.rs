use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use application::notification::{
    Channel, ChannelName, NewNotification, Notification, NotificationState,
};
use domain::OrderVersion;
use notification::LogChannel;
use runtime::clock;
use serde_json::{Value, json};

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

fn notification(message: &str) -> Notification {
    let event_stamp = clock::event_stamp();
    let content = NewNotification {
        event_id: event_stamp.event_id,
        channel: ChannelName::Log,
        order_id: clock::new_order_id(),
        order_version: OrderVersion::FIRST,
        message: message.to_owned(),
    };
    let state = NotificationState::Pending { attempts: 0 };
    Notification { content, state, recorded_at: event_stamp.at }
}

#[tokio::test]
async fn a_notification_is_one_line_without_its_message() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let notification = notification("Zoë, hello\n{}");
    {
        let _log = tracing::subscriber::set_default(subscriber);
        LogChannel.send(&notification).await.unwrap();
    }
    let line: Value = serde_json::from_str(&lines.text()).unwrap();
    assert_eq!((&line["target"], &line["level"]), (&"notification::log".into(), &"INFO".into()));
    assert_eq!(
        line["fields"],
        json!({
            "message": "notified",
            "event_id": notification.content.event_id.to_string(),
            "order_id": notification.content.order_id.to_string(),
            "order_version": 1,
        })
    );
}
