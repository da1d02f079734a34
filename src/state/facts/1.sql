-- The scratch facts. Made again by every plan and run, so a change of them is a new version and never a step.

-- `person` and `account` get their unique index over ids at the first read, and `matched` one over people
-- (`lazy_index.rs`).
-- Keys begin with what is another one in each row, so that nearly every comparison ends at the first column. A check against a
-- list (`IN`) of three or more would make a table of that list for each row.

CREATE TABLE person (
  seq          INTEGER PRIMARY KEY,
  source       TEXT NOT NULL,
  id           TEXT NOT NULL,
  display_name TEXT NOT NULL,
  standing     TEXT NOT NULL,
  hint         TEXT NOT NULL,       -- JSON
  keys         TEXT NOT NULL        -- JSON: {key: [value, …], …}
) STRICT;

-- Made of `person.keys`, for one source and one key, when that key is first looked for: a match uses one or two of seven.
CREATE TABLE person_key (
  source TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (value, key, source, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_key_made (
  source TEXT NOT NULL,
  key    TEXT NOT NULL,
  PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

-- Sources and targets that were asked for everybody there, and why less is known of one than it has.
CREATE TABLE asked (
  kind    TEXT NOT NULL CHECK (kind IN ('source', 'target')),
  id      TEXT NOT NULL,
  failure TEXT,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Limits that stopped a target.
CREATE TABLE stopped (
  seq    INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  words  TEXT NOT NULL
) STRICT;

CREATE TABLE account (
  seq          INTEGER PRIMARY KEY,
  target       TEXT NOT NULL,
  id           TEXT NOT NULL,
  name         TEXT NOT NULL,
  handle       TEXT,
  email        TEXT,
  display_name TEXT NOT NULL,
  standing     TEXT NOT NULL,
  shown        TEXT NOT NULL        -- JSON
) STRICT;

CREATE TABLE shown_after (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  handle  TEXT,
  shown   TEXT NOT NULL,            -- JSON
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE matched (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  source  TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict = 'matched' OR verdict = 'none' OR verdict = 'ambiguous' OR verdict = 'conflict'),
  person  TEXT,
  detail  TEXT,
  PRIMARY KEY (account, target, source),
  CHECK ((verdict = 'matched') = (person IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Accounts whose keys name a person that they do not belong to: disabled ones, and those whose keys name somebody else
-- as well. They make others ambiguous (docs/architecture.md, "Matching").
CREATE TABLE claim (
  target  TEXT NOT NULL,
  source  TEXT NOT NULL,
  person  TEXT NOT NULL,
  account TEXT NOT NULL,
  PRIMARY KEY (target, source, person, account)
) STRICT, WITHOUT ROWID;

-- Accounts that are nobody's by now, and show, by the state, the picture of somebody who is matched to another one.
CREATE TABLE left_behind (
  target  TEXT NOT NULL,
  source  TEXT NOT NULL,
  person  TEXT NOT NULL,
  account TEXT NOT NULL,
  PRIMARY KEY (target, source, person, account)
) STRICT, WITHOUT ROWID;

-- Accounts for which no further source is asked (docs/architecture.md, "Precedence").
CREATE TABLE search_ended (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE photo (
  source TEXT NOT NULL,
  person TEXT NOT NULL,
  fact   TEXT NOT NULL,             -- JSON
  digest BLOB CHECK (length(digest) = 32),
  new    INTEGER NOT NULL DEFAULT 0 CHECK (new IN (0, 1)),   -- to the durable state
  PRIMARY KEY (person, source)
) STRICT, WITHOUT ROWID;

-- An account has one decision, and beside it one for each leftover that is mended first.
CREATE TABLE decision (
  target       TEXT    NOT NULL,
  account      TEXT    NOT NULL,
  slot         INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 2),   -- finish, tidy, the account itself
  which        TEXT    NOT NULL,                             -- tells leftovers apart
  account_name TEXT    NOT NULL,
  source       TEXT,
  person       TEXT,
  change       TEXT    NOT NULL,
  is_change    INTEGER NOT NULL CHECK (is_change IN (0, 1)),
  shown        TEXT    NOT NULL,    -- JSON
  wanted       TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  rule_file    TEXT    NOT NULL,
  rule_line    INTEGER NOT NULL,
  detail       TEXT,
  task         TEXT,                -- JSON: what it takes, if something is to be done
  result       TEXT,                -- how it went
  error        TEXT,                -- JSON: why it failed
  shows        TEXT,                -- JSON: what the confirming survey must show
  intent       INTEGER,             -- in the state's journal
  ended        INTEGER,             -- when the result came first, Unix seconds
  PRIMARY KEY (target, account, slot, which),
  CHECK ((source IS NULL) = (person IS NULL))
) STRICT, WITHOUT ROWID;

-- What each account adds to the counts of its target's plan, and how often it was decided about.
CREATE TABLE counted (
  target  TEXT    NOT NULL,
  account TEXT    NOT NULL,
  counts  TEXT    NOT NULL,         -- JSON
  decided INTEGER NOT NULL,
  PRIMARY KEY (account, target)
) STRICT, WITHOUT ROWID;

-- Accounts of which another fact is known than when they were decided about.
CREATE TABLE outdated (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

-- What looking at the server said of writes that an earlier run left open.
CREATE TABLE seen (
  target  TEXT    NOT NULL,
  account TEXT    NOT NULL,
  intent  INTEGER NOT NULL,
  opened  TEXT    NOT NULL,         -- JSON: the open intent, under the account's name of today
  seen    TEXT    NOT NULL,         -- JSON
  events  TEXT,                     -- JSON: what the journal learns, if that is all that is left to do
  PRIMARY KEY (target, account, intent)
) STRICT, WITHOUT ROWID;

-- What comparing a picture that is not recorded with the wanted one said.
CREATE TABLE looked (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  said    TEXT NOT NULL,
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

-- What the run that is undone did to accounts.
CREATE TABLE wrote (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  stood   TEXT NOT NULL,            -- JSON: before its first write
  ours    INTEGER NOT NULL,         -- 1: that was a picture of ours, which went
  left    TEXT NOT NULL CHECK (left IN ('ours', 'default')),
  named   BLOB,                     -- digest of the account's name, then
  owner   BLOB,                     -- digest of the owner whom it named, then
  person  TEXT NOT NULL,            -- JSON: whose photo it was, or null
  stood_in TEXT,                    -- what leads to what stood there
  stood_of TEXT NOT NULL,           -- JSON: whose photo that was, or null
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

-- People whose photo is asked for once more.
CREATE TABLE again (
  why    TEXT NOT NULL CHECK (why IN ('vanished', 'missing')),
  source TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (why, source, person)
) STRICT, WITHOUT ROWID;

-- Accounts that `--only` and `--target` let be changed; empty without either.
CREATE TABLE selected (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;

-- The changes of the plan that was reviewed.
CREATE TABLE reviewed (
  target  TEXT NOT NULL,
  account TEXT NOT NULL,
  change  TEXT NOT NULL,
  picture TEXT NOT NULL,            -- the leftover's mark; else empty
  body    TEXT NOT NULL,            -- JSON: the change as it was saved
  PRIMARY KEY (target, account, change, picture)
) STRICT, WITHOUT ROWID;
