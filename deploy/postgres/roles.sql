-- Roles with the least rights that the programs need. Run it once as a superuser in the database of the
-- programs, before the first migration:
--
--     psql --dbname=orders --set=ON_ERROR_STOP=1 --file=deploy/postgres/roles.sql
--
-- Then give each role a password (\password order_api) or another way to sign in. Only the commands
-- `order-jobs migrate`, `pharmacy-order migrate` and `notification migrate` use orders_owner. The
-- programs run with MIGRATE=off and a role of their own. New tables get their grants when they are
-- created.
--
-- If tables exist already, make orders_owner the owner of them and of their schemas, sequences, views
-- and functions, and grant by hand what ALTER DEFAULT PRIVILEGES grants below. If the roles exist already,
-- run the statements that are new in this file before the migrations that come with it.

BEGIN;

CREATE ROLE orders_owner LOGIN;
CREATE ROLE order_api LOGIN;
CREATE ROLE order_jobs LOGIN;
CREATE ROLE pharmacy_order LOGIN;
CREATE ROLE notification LOGIN;

DO $$ BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO orders_owner', current_database());
END $$;

CREATE SCHEMA ordering AUTHORIZATION orders_owner;
CREATE SCHEMA pharmacy AUTHORIZATION orders_owner;
CREATE SCHEMA notification AUTHORIZATION orders_owner;

-- order-api writes orders and events. order-jobs publishes them, and writes what the pharmacy reports.
GRANT USAGE ON SCHEMA ordering TO order_api, order_jobs;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA ordering
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO order_api, order_jobs;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA ordering
    GRANT USAGE ON SEQUENCES TO order_api;
-- `order-jobs adopt` moves sequences. Housekeeping calls functions that belong to orders_owner.
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA ordering
    GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO order_jobs;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA ordering
    GRANT EXECUTE ON FUNCTIONS TO order_jobs;

-- pharmacy-order also publishes the events of its own outbox, so it needs what order-jobs needs.
GRANT USAGE ON SCHEMA pharmacy TO pharmacy_order;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA pharmacy
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pharmacy_order;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA pharmacy
    GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO pharmacy_order;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA pharmacy
    GRANT EXECUTE ON FUNCTIONS TO pharmacy_order;

GRANT USAGE ON SCHEMA notification TO notification;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA notification
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO notification;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA notification
    GRANT USAGE ON SEQUENCES TO notification;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA notification
    GRANT EXECUTE ON FUNCTIONS TO notification;

-- `order-jobs reconcile` reads the read models.
GRANT USAGE ON SCHEMA pharmacy, notification TO order_jobs;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA pharmacy
    GRANT SELECT ON TABLES TO order_jobs;
ALTER DEFAULT PRIVILEGES FOR ROLE orders_owner IN SCHEMA notification
    GRANT SELECT ON TABLES TO order_jobs;

COMMIT;
