-- Creating and dropping partitions needs the owner of the tables. These functions lend that right, so that
-- the role of a running program needs rights on rows only. Grant EXECUTE to that role.
SET LOCAL lock_timeout = '200ms';

ALTER FUNCTION create_outbox_day(date) SECURITY DEFINER;
ALTER FUNCTION drop_outbox_day(date) SECURITY DEFINER;
REVOKE EXECUTE ON FUNCTION create_outbox_day(date), drop_outbox_day(date) FROM PUBLIC;
