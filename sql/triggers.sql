--
-- Triggers on `flows`: BEFORE triggers work; AFTER triggers would fire before
-- the flows are stored, so INSERT and COPY refuse them. Triggers of other
-- tables may write into `flows`.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

-- BEFORE ROW: changes rows, leaves rows out, raises.
CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.src_app = 'drop me' THEN RETURN NULL; END IF;
  NEW.src_app := lower(NEW.src_app);
  IF NEW.vpc_id IS NULL THEN NEW.vpc_id := 'none'; END IF;
  IF NEW.dest_app = 'bad' THEN NEW.bytes_tx := -1; END IF;
  IF NEW.dest_app = 'null' THEN NEW.bytes_tx := NULL; END IF;
  IF NEW.dest_app = 'raise' THEN RAISE EXCEPTION 'raised' USING ERRCODE = 'ZZ001'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tidy BEFORE INSERT ON flows FOR EACH ROW EXECUTE FUNCTION tidy();
INSERT INTO flows VALUES (1, 'APP', 'd', 'v', 1, 1), (1, 'drop me', 'd', 'v', 1, 1), (1, 'B', 'd', NULL, 2, 2) RETURNING src_app, vpc_id;
COPY flows FROM STDIN;
2	APP	d	v	3	3
2	drop me	d	v	1	1
2	C	d	\N	4	4
\.
INSERT INTO flows VALUES (1, 'drop me', 'd', 'v', 1, 1);
\set VERBOSITY sqlstate
INSERT INTO flows VALUES (1, 'x', 'd', 'v', 1, 1), (1, 'x', 'bad', 'v', 1, 1);
INSERT INTO flows VALUES (1, 'x', 'd', 'v', 1, 1), (1, 'x', 'null', 'v', 1, 1);
INSERT INTO flows VALUES (1, 'x', 'd', 'v', 1, 1), (1, 'x', 'raise', 'v', 1, 1);
COPY flows FROM STDIN;
1	x	d	v	1	1
1	x	bad	v	1	1
\.
\set VERBOSITY default
SELECT * FROM flows ORDER BY hour, src_app;
SELECT count(*) FROM flow_segments;
DROP TRIGGER tidy ON flows;

-- BEFORE STATEMENT, and a BEFORE ROW trigger that writes into `flows` itself.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% %', TG_WHEN, TG_OP;
  RETURN NULL;
END $$;
CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() < 2 THEN
    INSERT INTO flows VALUES (NEW.hour, NEW.src_app || '2', NEW.dest_app, NEW.vpc_id, NEW.bytes_tx, NEW.bytes_rx);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tell BEFORE INSERT ON flows FOR EACH STATEMENT EXECUTE FUNCTION tell();
INSERT INTO flows VALUES (3, 'one', 'd', 'v', 1, 1);
DROP TRIGGER tell ON flows;
CREATE TRIGGER twice BEFORE INSERT ON flows FOR EACH ROW EXECUTE FUNCTION twice();
INSERT INTO flows SELECT 3, 'nested' || i, 'd', 'v', 1, 1 FROM generate_series(1, 3) i;
SELECT src_app, count(*) FROM flows WHERE hour = 3 GROUP BY 1 ORDER BY 1;
DROP TRIGGER twice ON flows;

-- AFTER triggers: refused with a hint, nothing stored; disabled ones do not matter, those for other events neither.
CREATE TRIGGER after_row AFTER INSERT ON flows FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO flows VALUES (4, 'x', 'd', 'v', 1, 1);
\set VERBOSITY sqlstate
COPY flows FROM STDIN;
4	x	d	v	1	1
\.
\set VERBOSITY default
ALTER TABLE flows DISABLE TRIGGER after_row;
INSERT INTO flows VALUES (4, 'disabled', 'd', 'v', 1, 1);
ALTER TABLE flows ENABLE TRIGGER after_row;
\set VERBOSITY sqlstate
INSERT INTO flows VALUES (4, 'x', 'd', 'v', 1, 1);
DROP TRIGGER after_row ON flows;
CREATE TRIGGER after_statement AFTER INSERT ON flows FOR EACH STATEMENT EXECUTE FUNCTION tell();
INSERT INTO flows VALUES (4, 'x', 'd', 'v', 1, 1);
COPY flows FROM STDIN;
4	x	d	v	1	1
\.
DROP TRIGGER after_statement ON flows;
CREATE TRIGGER after_update AFTER UPDATE OR DELETE ON flows FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO flows VALUES (4, 'other events', 'd', 'v', 1, 1);
DROP TRIGGER after_update ON flows;
\set VERBOSITY default
SELECT src_app FROM flows WHERE hour = 4 ORDER BY 1;
INSERT INTO flows VALUES (4, 'without', 'd', 'v', 1, 1);

-- Triggers of a plain table feed flows: AFTER ROW, AFTER STATEMENT with its transition table, deferred.
CREATE TABLE inbox (app text, n int);
CREATE FUNCTION feed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    INSERT INTO flows VALUES (5, TG_NAME, NEW.app, 'v', NEW.n, 0);
  ELSE
    INSERT INTO flows SELECT 5, TG_NAME, app, 'v', n, 0 FROM came;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER by_row AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION feed();
CREATE TRIGGER by_statement AFTER INSERT ON inbox REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION feed();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed();
BEGIN;
INSERT INTO inbox SELECT 'app' || i, i FROM generate_series(1, 4) i;
SELECT src_app, count(*), sum(bytes_tx) FROM flows WHERE hour = 5 GROUP BY 1 ORDER BY 1;
COMMIT;
SELECT src_app, count(*), sum(bytes_tx) FROM flows WHERE hour = 5 GROUP BY 1 ORDER BY 1;
\set VERBOSITY sqlstate
INSERT INTO inbox VALUES ('bad', -1);
\set VERBOSITY default
SELECT count(*) FROM inbox WHERE app = 'bad';
-- A rule and a view in front of flows.
CREATE VIEW door AS SELECT * FROM flows;
INSERT INTO door VALUES (6, 'door', 'd', 'v', 1, 1);
SELECT * FROM door WHERE hour = 6;
SELECT * FROM flows_check();
DROP VIEW door;
DROP TABLE inbox;
DROP FUNCTION tidy, tell, twice, feed;
TRUNCATE flow_segments;
