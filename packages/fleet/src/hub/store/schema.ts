/**
 * Operations that stand together in the index by host: what is written at one time touches a few of its pages, however many hosts there
 * are. By host first, every operation of a large fleet would touch one of its own, which was a fifth of what it cost to write.
 */
export const ROWS_TOGETHER = 4_096;

/** The tables as they are now, each read and written by the module that is called like it. */
export const HUB_SCHEMA: string = `
  CREATE TABLE hosts (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, public_key TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT;
  CREATE TABLE operations (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT UNIQUE, host TEXT NOT NULL, target TEXT,
    state TEXT NOT NULL, open INTEGER NOT NULL, document TEXT NOT NULL, progress TEXT) STRICT;
  CREATE INDEX operations_open ON operations (open) WHERE open = 1;
  CREATE INDEX operations_host ON operations (n / ${ROWS_TOGETHER}, host);
  CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE enrolment_tokens (id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT;
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_holds BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
`;

/** What makes them out of those of an earlier version: the first entry is version 1's way to version 2. */
export const HUB_SCHEMA_CHANGES: readonly string[] = [
  'ALTER TABLE operations ADD COLUMN progress TEXT',
  `DROP INDEX IF EXISTS operations_host; CREATE INDEX operations_host ON operations (n / ${ROWS_TOGETHER}, host)`,
];
