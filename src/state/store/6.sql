-- Version 6: which picture on an account was looked at and is not ours, so that it is not looked at in every run.

CREATE TABLE choice (
  target  INTEGER NOT NULL REFERENCES word (id),
  account ANY     NOT NULL,
  mark    TEXT    NOT NULL,
  PRIMARY KEY (target, account)
) STRICT, WITHOUT ROWID;
