-- Version 2: what a placement's picture looks like and by which keys its account was matched; whose state this is; how many
-- lost photos were let pass.

ALTER TABLE placement ADD COLUMN looks BLOB CHECK (length(looks) = 8);
ALTER TABLE placement ADD COLUMN keys BLOB CHECK (length(keys) = 8);

-- `pipeline`: the name in the file, once a run has begun. `key`: what digests of names and keys are keyed with.
CREATE TABLE identity (
  word  TEXT NOT NULL PRIMARY KEY CHECK (word IN ('pipeline', 'key')),
  value BLOB NOT NULL CHECK (word <> 'key' OR length(value) = 32)
) STRICT, WITHOUT ROWID;

INSERT INTO identity (word, value) VALUES ('key', randomblob(32));

-- `lost` besides: people whose photo was known once and was not in a run that was let pass.
CREATE TABLE run_count_2 (
  scope TEXT    NOT NULL CHECK (scope IN ('source', 'target', 'lost')),
  id    TEXT    NOT NULL,
  run   INTEGER NOT NULL REFERENCES run (seq),
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (scope, id, run)
) STRICT, WITHOUT ROWID;
INSERT INTO run_count_2 SELECT * FROM run_count;
DROP TABLE run_count;
ALTER TABLE run_count_2 RENAME TO run_count;
