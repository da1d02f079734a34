-- Version 2: what a placement's picture looks like and by which keys its account was matched; whose state this is.

ALTER TABLE placement ADD COLUMN looks BLOB CHECK (length(looks) = 8);
ALTER TABLE placement ADD COLUMN keys BLOB CHECK (length(keys) = 8);

-- `pipeline`: the name in the file, once a run has begun. `key`: what digests of names and keys are keyed with.
CREATE TABLE identity (
  word  TEXT NOT NULL PRIMARY KEY CHECK (word IN ('pipeline', 'key')),
  value BLOB NOT NULL CHECK (word <> 'key' OR length(value) = 32)
) STRICT, WITHOUT ROWID;

INSERT INTO identity (word, value) VALUES ('key', randomblob(32));
