-- The first position is 1, and so is the first version of a stream. Readers ask
-- for what is above 0: a row that came below, by somebody else's hand, would be in
-- the log and seen by nobody, and an append behind it could get position 0.
--
-- The rows are looked at once, under a lock that keeps everybody out. That may take
-- longer than a session's statements otherwise may.
SET LOCAL statement_timeout = 0;
DO $$
DECLARE
	below record;
BEGIN
	ALTER TABLE alur_log.event
		ADD CONSTRAINT position_begins_at_1 CHECK (position > 0),
		ADD CONSTRAINT version_begins_at_1 CHECK (version > 0);
EXCEPTION WHEN check_violation THEN
	SELECT e.position, e.version, e.stream INTO below FROM alur_log.event e
		WHERE e.position < 1 OR e.version < 1 ORDER BY e.position LIMIT 1;
	RAISE EXCEPTION 'the log holds an event that Alur never wrote and never reads, at position %, version % of stream %: positions and versions begin at 1. Find out who put it there; the log is as it was',
		below.position, below.version, below.stream;
END $$;
