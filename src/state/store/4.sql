-- Version 4: a write that is closed is one short row, or a part of the placement that it left; a text that stands in many
-- rows is a number, and a UUID or hexadecimal digits are bytes.

CREATE TABLE word (
  id   INTEGER PRIMARY KEY,
  text TEXT    NOT NULL UNIQUE
) STRICT;
INSERT INTO word (text) VALUES ('shown'), ('confirmed'), ('recognised'), ('ours'), ('default'), ('system'), ('custom'),
  ('picture'), ('unknown'), ('replace'), ('revert'), ('probe'), ('made'), ('adopted'), ('present'), ('absent'),
  ('unreadable'), ('too_small');
INSERT OR IGNORE INTO word (text)
  SELECT target FROM placement UNION SELECT source FROM placement WHERE source IS NOT NULL UNION SELECT recipe FROM placement
  UNION SELECT source FROM photo_mark UNION SELECT code FROM photo_mark WHERE code IS NOT NULL
  UNION SELECT body ->> '$.target' FROM intent
  UNION SELECT body ->> '$.person.source' FROM intent WHERE body ->> '$.person.source' IS NOT NULL;

CREATE TEMP TABLE packed (text TEXT PRIMARY KEY, id ANY) WITHOUT ROWID;
INSERT INTO packed
  SELECT text, CASE
    WHEN hex IS NULL THEN text
    WHEN text = substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-' || substr(hex, 13, 4) || '-' || substr(hex, 17, 4) || '-'
      || substr(hex, 21) AND length(hex) = 32 THEN unhex('01' || hex)
    WHEN text = hex AND length(hex) >= 16 THEN unhex('02' || hex)
    ELSE text END
  FROM (
    SELECT text, lower(hex(unhex(replace(text, '-', '')))) AS hex FROM (
      SELECT account AS text FROM placement UNION SELECT person FROM placement UNION SELECT person FROM photo_mark
      UNION SELECT version FROM photo_mark
      UNION SELECT body ->> '$.account' FROM intent UNION SELECT body ->> '$.person.id' FROM intent
    ) WHERE text IS NOT NULL
  );

-- A write whose picture stands as it left it has its row here, in the columns from `write` on.
CREATE TABLE placement_4 (
  target      INTEGER NOT NULL REFERENCES word (id),
  account     ANY     NOT NULL,
  source      INTEGER REFERENCES word (id),  -- both NULL: a fallback image
  person      ANY,
  photo       BLOB    CHECK (length(photo) = 32),  -- NULL: that of the person's photo mark
  recipe      INTEGER NOT NULL REFERENCES word (id),
  rendition   BLOB    NOT NULL CHECK (length(rendition) = 32),
  mark        TEXT,                          -- NULL: that of a file with the rendition's bytes
  provenance  INTEGER NOT NULL REFERENCES word (id),
  before      INTEGER REFERENCES word (id),  -- NULL: what stood before the write
  before_mark TEXT,
  looks       BLOB    CHECK (length(looks) = 8),
  keys        BLOB    CHECK (length(keys) = 8),
  write       INTEGER,
  run         INTEGER REFERENCES run (seq),
  stood       INTEGER REFERENCES word (id),
  stood_mark  TEXT,
  ours        INTEGER,
  named       BLOB    CHECK (length(named) = 8),
  owner       BLOB    CHECK (length(owner) = 8),
  stood_in    TEXT,
  stood_of    TEXT    CHECK (json_valid(stood_of)),
  last        INTEGER REFERENCES word (id),
  PRIMARY KEY (target, account),
  CHECK ((source IS NULL) = (person IS NULL)),
  CHECK (before IS NOT NULL OR write IS NOT NULL),
  CHECK ((write IS NULL) = (run IS NULL) AND (write IS NULL) = (stood IS NULL) AND (write IS NULL) = (last IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO placement_4 (target, account, source, person, photo, recipe, rendition, mark, provenance, before, before_mark, looks, keys)
  SELECT (SELECT id FROM word WHERE text = target), (SELECT id FROM packed WHERE text = account),
    (SELECT id FROM word WHERE text = source), (SELECT id FROM packed WHERE text = person),
    nullif(photo, (SELECT digest FROM photo_mark AS mark WHERE mark.source = placement.source AND mark.person = placement.person)),
    (SELECT id FROM word WHERE text = recipe), rendition, nullif(mark, 'b3:' || lower(hex(rendition))),
    (SELECT id FROM word WHERE text = provenance), (SELECT id FROM word WHERE text = before), before_mark, looks, keys
  FROM placement;
DROP TABLE placement;
ALTER TABLE placement_4 RENAME TO placement;

CREATE TABLE photo_mark_4 (
  source  INTEGER NOT NULL REFERENCES word (id),
  person  ANY     NOT NULL,
  version ANY,
  found   INTEGER NOT NULL REFERENCES word (id),
  digest  BLOB    CHECK (length(digest) = 32),
  former  BLOB    CHECK (length(former) = 32),  -- what placements without a photo mean, where that is another by now
  code    INTEGER REFERENCES word (id),      -- the absence's or the fault's word
  message TEXT,
  width   INTEGER,
  height  INTEGER,
  PRIMARY KEY (source, person)
) STRICT, WITHOUT ROWID;
INSERT INTO photo_mark_4 (source, person, version, found, digest, code, message, width, height)
  SELECT (SELECT id FROM word WHERE text = source), (SELECT id FROM packed WHERE text = person),
    (SELECT id FROM packed WHERE text = version), (SELECT id FROM word WHERE text = found), digest, (SELECT id FROM word WHERE text = code), message, width, height
  FROM photo_mark;
DROP TABLE photo_mark;
ALTER TABLE photo_mark_4 RENAME TO photo_mark;

-- Writes that are closed, but for those of which the placement has the row.
CREATE TABLE past (
  id         INTEGER PRIMARY KEY,
  run        INTEGER NOT NULL REFERENCES run (seq),
  target     INTEGER NOT NULL REFERENCES word (id),
  account    ANY     NOT NULL,
  source     INTEGER REFERENCES word (id),
  person     ANY,
  kind       INTEGER NOT NULL REFERENCES word (id),
  stood      INTEGER NOT NULL REFERENCES word (id),
  stood_mark TEXT,
  ours       INTEGER NOT NULL,
  named      BLOB    CHECK (length(named) = 8),
  owner      BLOB    CHECK (length(owner) = 8),
  stood_in   TEXT,
  stood_of   TEXT    CHECK (json_valid(stood_of)),
  effect     INTEGER REFERENCES word (id),   -- `ours`, `default`; NULL: the account shows what it did
  last       TEXT    NOT NULL CHECK (json_valid(last))
) STRICT;
-- A digest is a number of 64 bits, which SQLite would round, and 10^10 is 2 * 2^32 + 1410065408.
INSERT INTO past
  SELECT id, run, (SELECT id FROM word WHERE text = body ->> '$.target'), (SELECT id FROM packed WHERE text = body ->> '$.account'),
    (SELECT id FROM word WHERE text = body ->> '$.person.source'), (SELECT id FROM packed WHERE text = body ->> '$.person.id'),
    (SELECT id FROM word WHERE text = body ->> '$.kind'), (SELECT id FROM word WHERE text = coalesce(shown, mark)),
    iif(shown IS NULL, NULL, mark), ifnull(shown = 'custom' AND mark = body ->> '$.old', 0),
    iif(body ->> '$.named' IS NULL, NULL,
      unhex(printf('%08x%08x', 2 * tens + (tens * 1410065408 + ones >> 32), tens * 1410065408 + ones & 4294967295))),
    iif(body ->> '$.owner' IS NULL, NULL, unhex(printf('%08x%08x',
      2 * owner_tens + (owner_tens * 1410065408 + owner_ones >> 32), owner_tens * 1410065408 + owner_ones & 4294967295))),
    body ->> '$.stood_in', nullif(body -> '$.stood_of', 'null'),
    (SELECT (SELECT id FROM word WHERE text = iif(event.body ->> '$.event' = 'reset', 'default', 'ours')) FROM event
       WHERE event.intent = closed.id AND event.body ->> '$.event' IN ('shown', 'recognised', 'reset')
       ORDER BY seq DESC LIMIT 1),
    (SELECT event.body FROM event
       WHERE event.intent = closed.id AND event.body ->> '$.event' <> 'closed' ORDER BY seq DESC LIMIT 1)
  FROM (
    SELECT intent.id, run.seq AS run, body, stood.key AS shown, stood.value AS mark,
      CAST(substr('00000000000000000000' || (body -> '$.named'), -20, 10) AS INTEGER) AS tens,
      CAST(substr('00000000000000000000' || (body -> '$.named'), -10) AS INTEGER) AS ones,
      CAST(substr('00000000000000000000' || (body -> '$.owner'), -20, 10) AS INTEGER) AS owner_tens,
      CAST(substr('00000000000000000000' || (body -> '$.owner'), -10) AS INTEGER) AS owner_ones
    FROM intent JOIN run ON run.id = intent.run JOIN json_each(intent.body, '$.stood') AS stood WHERE open = 0
  ) AS closed;

DROP TRIGGER event_is_never_removed;
DELETE FROM event WHERE intent IN (SELECT id FROM intent WHERE open = 0);
DELETE FROM intent WHERE open = 0;
DROP TABLE packed;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event WHEN (SELECT open FROM intent WHERE id = old.intent)
BEGIN SELECT raise(ABORT, 'the journal of an open write is append-only'); END;
