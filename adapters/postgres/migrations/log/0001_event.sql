-- The event log. Positions are gapless and in the order of commits, because who
-- appends holds one lock until its transaction has ended; see the function.

CREATE TABLE alur_log.event (
	position bigint NOT NULL PRIMARY KEY,
	version  bigint NOT NULL,
	id       uuid   NOT NULL,
	schema   bigint NOT NULL,
	stream   text COLLATE "C" NOT NULL,
	type     text COLLATE "C" NOT NULL,
	meta     bytea  NOT NULL,
	data     bytea  NOT NULL,
	UNIQUE (stream, version)
);
COMMENT ON COLUMN alur_log.event.meta IS 'the envelope, JSON byte for byte: convert_from(meta, ''UTF8'')';
COMMENT ON COLUMN alur_log.event.data IS 'the body, JSON byte for byte: convert_from(data, ''UTF8'')';

CREATE FUNCTION alur_log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'events are never changed or removed';
END $$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON alur_log.event
	FOR EACH STATEMENT EXECUTE FUNCTION alur_log.refuse_change();
ALTER TABLE alur_log.event ENABLE ALWAYS TRIGGER event_is_never_changed;

-- append records what it is given of those streams that are at the version that
-- is expected of them. A stream is named once. It returns the position that was
-- the last one before, and the version each stream was at, from which the caller
-- knows what was recorded and where.
--
-- All that it needs arrives in one message, so that nobody who is slow or cut off
-- holds the lock. What follows the lock sees what its last holder committed: each
-- statement of a volatile function takes a new snapshot at READ COMMITTED.
CREATE FUNCTION alur_log.append(
	streams text[], expected bigint[], -- one of each a stream
	owners bigint[], versions bigint[], ids uuid[], types text[], schemas bigint[], metas bytea[], datas bytea[], -- one of each an event
	OUT tip bigint, OUT heads bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(7019266884218483);
	SELECT coalesce(max(e.position), 0) INTO tip FROM alur_log.event e;
	SELECT array_agg(coalesce((SELECT e.version FROM alur_log.event e WHERE e.stream = s.stream ORDER BY e.version DESC LIMIT 1), 0) ORDER BY s.n)
		INTO heads FROM unnest(streams) WITH ORDINALITY AS s(stream, n);
	INSERT INTO alur_log.event (position, version, id, schema, stream, type, meta, data)
		SELECT tip + row_number() OVER (ORDER BY e.n), e.version, e.id, e.schema, streams[e.owner], e.type, e.meta, e.data
		FROM unnest(owners, versions, ids, types, schemas, metas, datas)
			WITH ORDINALITY AS e(owner, version, id, type, schema, meta, data, n)
		WHERE heads[e.owner] = expected[e.owner];
	IF FOUND THEN
		PERFORM pg_notify('alur_log', '');
	END IF;
END $$;
