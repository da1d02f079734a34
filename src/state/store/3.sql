-- Version 3: what a run was asked for, and by whom.

-- A list of words as on the command line, of `--only` the number of names alone; NULL: a run of an older version.
ALTER TABLE run ADD COLUMN options TEXT CHECK (json_valid(options));
-- Who began it, as the CI platform or the operating system names them.
ALTER TABLE run ADD COLUMN started_by TEXT;
