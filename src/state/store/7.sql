-- Version 7: what many lines of reports say stands once, and a line is a row of a few numbers and digests beside it.

CREATE TABLE said (
  id   INTEGER PRIMARY KEY,
  body TEXT    NOT NULL UNIQUE CHECK (json_valid(body))   -- a line without what is its account's alone
) STRICT;
INSERT INTO said (body)
  SELECT DISTINCT json_remove(body, '$.person.id', '$.change.from', '$.change.to', '$.error.message') FROM line;
INSERT OR IGNORE INTO word (text) SELECT DISTINCT target FROM line;

-- `id` tells the lines of an account apart; `since` and `until` are as before.
CREATE TABLE line_7 (
  target  INTEGER NOT NULL REFERENCES word (id),
  account TEXT    NOT NULL,
  id      INTEGER NOT NULL,
  person  ANY,
  stood   ANY,                               -- a digest is a blob
  wanted  ANY,
  message TEXT,                              -- of an error
  said    INTEGER NOT NULL REFERENCES said (id),
  since   INTEGER NOT NULL,
  until   INTEGER,
  PRIMARY KEY (target, account, id),
  CHECK (until >= since)
) STRICT, WITHOUT ROWID;
INSERT INTO line_7
  SELECT (SELECT id FROM word WHERE text = target), account, id,
    CASE
      WHEN hex IS NULL THEN person
      WHEN person = substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-' || substr(hex, 13, 4) || '-' || substr(hex, 17, 4) || '-'
        || substr(hex, 21) AND length(hex) = 32 THEN unhex('01' || hex)
      WHEN person = hex AND length(hex) >= 16 THEN unhex('02' || hex)
      ELSE person END,
    iif(length(stood) = 67 AND stood = 'b3:' || lower(hex(unhex(substr(stood, 4)))), unhex(substr(stood, 4)), stood),
    iif(length(wanted) = 67 AND wanted = 'b3:' || lower(hex(unhex(substr(wanted, 4)))), unhex(substr(wanted, 4)), wanted),
    message, (SELECT id FROM said WHERE said.body = told.body), since, until
  FROM (
    SELECT target, account, id, since, until, body ->> '$.person.id' AS person,
      lower(hex(unhex(replace(body ->> '$.person.id', '-', '')))) AS hex,
      body ->> '$.change.from' AS stood, body ->> '$.change.to' AS wanted, body ->> '$.error.message' AS message,
      json_remove(body, '$.person.id', '$.change.from', '$.change.to', '$.error.message') AS body
    FROM line
  ) AS told;
DROP TABLE line;
ALTER TABLE line_7 RENAME TO line;
