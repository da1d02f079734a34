-- Version 1 of the durable store. Once released this file is never edited; a change is a new step.
-- Keyed by immutable ids. No names, e-mails or pictures, but for the name in an open intent.

CREATE TABLE run (
  seq             INTEGER PRIMARY KEY,
  id              TEXT    NOT NULL UNIQUE,
  pipeline        TEXT    NOT NULL,
  pipeline_digest BLOB    NOT NULL CHECK (length(pipeline_digest) = 32),
  command         TEXT    NOT NULL,
  started         INTEGER NOT NULL,
  finished        INTEGER,          -- all NULL: it never ended
  outcome         TEXT,
  exit_code       INTEGER,
  plan_digest     BLOB    CHECK (length(plan_digest) = 32),
  report          TEXT    CHECK (json_valid(report)),
  CHECK ((finished IS NULL) = (outcome IS NULL) AND (finished IS NULL) = (exit_code IS NULL))
) STRICT;

-- What a source or target counted in a run whose limits it passed: the base of the shrink limits.
CREATE TABLE run_count (
  scope TEXT    NOT NULL CHECK (scope IN ('source', 'target')),
  id    TEXT    NOT NULL,
  run   INTEGER NOT NULL REFERENCES run (seq),
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (scope, id, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE target (
  id     TEXT NOT NULL PRIMARY KEY,
  server TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE learnt (
  server TEXT NOT NULL,
  word   TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (server, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE placement (
  target      TEXT NOT NULL,
  account     TEXT NOT NULL,
  source      TEXT,                 -- both NULL: a fallback image
  person      TEXT,
  photo       BLOB NOT NULL CHECK (length(photo) = 32),
  recipe      TEXT NOT NULL,
  rendition   BLOB NOT NULL CHECK (length(rendition) = 32),
  mark        TEXT NOT NULL,
  provenance  TEXT NOT NULL CHECK (provenance IN ('made', 'adopted')),
  before      TEXT NOT NULL CHECK (before IN ('default', 'picture', 'unknown')),
  before_mark TEXT,
  PRIMARY KEY (target, account),
  CHECK ((source IS NULL) = (person IS NULL)),
  CHECK ((before = 'picture') = (before_mark IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- What was last found in a source for a person. What is not known is not recorded.
CREATE TABLE photo_mark (
  source  TEXT NOT NULL,
  person  TEXT NOT NULL,
  version TEXT,
  found   TEXT NOT NULL CHECK (found IN ('present', 'absent', 'unreadable', 'too_small')),
  digest  BLOB CHECK (length(digest) = 32),
  code    TEXT,                     -- the absence's or the fault's word
  message TEXT,
  width   INTEGER,
  height  INTEGER,
  PRIMARY KEY (source, person)
) STRICT, WITHOUT ROWID;

-- `body` is the intent without name and looks. Those two go when it closes.
CREATE TABLE intent (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  run    TEXT    NOT NULL REFERENCES run (id),
  name   TEXT    NOT NULL,
  luma   BLOB    CHECK (length(luma) = 256),
  body   TEXT    NOT NULL CHECK (json_valid(body)),
  open   INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),  -- says only where to look; the events decide
  CHECK (open = 1 OR (name = '' AND luma IS NULL))
) STRICT;

CREATE INDEX intent_open ON intent (id) WHERE open = 1;

CREATE TABLE event (
  intent INTEGER NOT NULL REFERENCES intent (id),
  seq    INTEGER NOT NULL CHECK (seq > 0),
  body   TEXT    NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (intent, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
