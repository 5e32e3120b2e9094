-- The database that the example's questions are asked of: one table of orders of several projects, filled by another
-- system, and a role that can read the rows of one project at a time and nothing else.

BEGIN;

CREATE TABLE data_orders (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_name         text NOT NULL,
    customer             text NOT NULL,
    warehouse            text NOT NULL,
    warehouse_city_state text NOT NULL,
    order_number         text NOT NULL,
    shipment_number      text NOT NULL,
    order_type           text NOT NULL CHECK (order_type IN ('Inbound', 'Outbound')),
    order_class          text NOT NULL,
    status               text NOT NULL CHECK (status IN ('pending', 'in_transit', 'delivered')),
    amount               numeric(12, 2) NOT NULL,
    source_state         text,
    destination_state    text,
    date                 date NOT NULL,
    year                 integer NOT NULL,
    quarter              integer NOT NULL,
    month                integer NOT NULL,
    month_name           text NOT NULL,
    week                 integer NOT NULL,
    day                  integer NOT NULL,
    internal_note        text,  -- not among the columns that people may ask about
    fetched_at           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_name, order_number, shipment_number)
);
CREATE INDEX ON data_orders (project_name, date);

-- Whose rows are read is decided here. Maverik sets app.project_id at the beginning of each transaction; without it no
-- row is there. The sub-select lets PostgreSQL read the setting once a statement instead of once a row.
ALTER TABLE data_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY rows_of_the_project ON data_orders FOR SELECT
    USING (project_name = (SELECT current_setting('app.project_id', true)));
-- The role that fills the table is another one, with a policy of its own:
-- CREATE POLICY filling ON data_orders TO miempresa_writer USING (true) WITH CHECK (true);

-- Give it a password: ALTER ROLE miempresa_reader PASSWORD '...';
CREATE ROLE miempresa_reader LOGIN CONNECTION LIMIT 20;
ALTER ROLE miempresa_reader SET default_transaction_read_only = on;
ALTER ROLE miempresa_reader SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA public TO miempresa_reader;
GRANT SELECT (
    id, project_name, customer, warehouse, warehouse_city_state, order_number, shipment_number, order_type, order_class,
    status, amount, source_state, destination_state, date, year, quarter, month, month_name, week, day
) ON data_orders TO miempresa_reader;

-- What else PostgreSQL grants to everyone. Without set_config nothing that is read can change app.project_id; Maverik
-- uses SET LOCAL. (Needs a superuser. Roles that do use set_config, such as pg_dump's, need it granted.)
REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;

COMMIT;
