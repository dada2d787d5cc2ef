CREATE TABLE alur_keys.key (
	id      uuid   NOT NULL PRIMARY KEY,
	subject text COLLATE "C" NOT NULL, -- '' once destroyed
	class   text COLLATE "C" NOT NULL,
	state   text COLLATE "C" NOT NULL,
	kek     text COLLATE "C" NOT NULL,
	wrapped bytea  NOT NULL, -- empty once destroyed
	created bigint NOT NULL, -- microseconds since 1970, as all times here
	erasure uuid,
	ended   bigint
);
CREATE UNIQUE INDEX one_live_key ON alur_keys.key (subject, class) WHERE state = 'live';
CREATE INDEX keys_of_subject ON alur_keys.key (subject, id) WHERE subject <> '';
CREATE INDEX keys_of_erasure ON alur_keys.key (erasure) WHERE state = 'erasing';

CREATE TABLE alur_keys.secret (name text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);

-- Statistics are made of values: copies of what is to be destroyed.
ALTER TABLE alur_keys.key ALTER COLUMN subject SET STATISTICS 0, ALTER COLUMN wrapped SET STATISTICS 0;
ALTER TABLE alur_keys.secret ALTER COLUMN value SET STATISTICS 0;

-- Which tables may still hold bytes of what was overwritten in them.
CREATE TABLE alur_keys.leftover (name text PRIMARY KEY);
