-- Numbers notifications in the order in which they were told.
CREATE SEQUENCE notification.notification_ids AS bigint;

-- What customers are told, once for each event and channel.
CREATE TABLE notification.notifications (
    id            bigint      PRIMARY KEY DEFAULT nextval('notification.notification_ids'),
    event_id      uuid        NOT NULL,
    channel       text        NOT NULL,
    order_id      uuid        NOT NULL,
    order_version bigint      NOT NULL CHECK (order_version >= 1),
    message       text        NOT NULL,
    state         text        NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'sent', 'failed')),
    -- How often sending was tried, and when the next try is due.
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at        timestamptz NOT NULL DEFAULT now(),
    last_error    text,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    sent_at       timestamptz,
    UNIQUE (event_id, channel),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'failed' OR last_error IS NOT NULL)
);

ALTER SEQUENCE notification.notification_ids OWNED BY notification.notifications.id;

-- What a worker claims. It holds pending rows only, so it stays small whatever the table grows to.
CREATE INDEX notifications_due ON notification.notifications (channel, due_at, id)
    WHERE state = 'pending';

CREATE INDEX notifications_by_order ON notification.notifications (order_id, id);
