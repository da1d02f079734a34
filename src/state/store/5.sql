-- Version 5: what each run told of accounts, so that its report can be made again. By ids; no name is in it.

-- `body` is a line of the report. One of something that is done stands in one run. One of an account that is left alone stands
-- from the whole run `since` to the whole run `until`, each with its `run.seq`; NULL: whole runs go on to tell it. A quiet run
-- writes none of these.
CREATE TABLE line (
  id      INTEGER PRIMARY KEY,
  target  TEXT    NOT NULL,
  account TEXT    NOT NULL,
  body    TEXT    NOT NULL CHECK (json_valid(body)),
  since   INTEGER NOT NULL,
  until   INTEGER,
  CHECK (until >= since)
) STRICT;

CREATE INDEX line_account ON line (target, account, id);
