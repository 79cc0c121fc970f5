/**
 * The tables of a session file, its versions, and every statement that runs on them.
 *
 * The file's `user_version` counts the migrations applied to it. To change the tables append a migration; never edit
 * one that has been released.
 */

/** Marks a session file in SQLite's header (`file(1)` shows it): the bytes "sose". */
export const applicationId = 0x736f7365;

export const migrations: readonly string[] = [
  // Ids are BLOBs of UTF-16: bound as TEXT, ids with different lone surrogates become the same U+FFFD, and SQLite's
  // text functions stop at a NUL. Times are REAL so that any JavaScript number is read as it was written.
  // The highest `sequence` is never deleted (see `pruneChanges`), so that sequences have no gaps and are never reused.
  `CREATE TABLE sessions (
     id         BLOB PRIMARY KEY,
     document   TEXT NOT NULL,
     expires_at REAL NOT NULL,
     revision   TEXT NOT NULL
   ) STRICT;
   CREATE INDEX sessions_expires_at ON sessions (expires_at);
   CREATE TABLE changes (
     sequence   INTEGER PRIMARY KEY,
     at         REAL NOT NULL,
     kind       TEXT NOT NULL,
     public_ids TEXT NOT NULL,
     reason     TEXT,
     revision   TEXT
   ) STRICT;`,

  // The session's user, as UTF-16 like ids; null without a user. `user_since`: when it became theirs.
  `ALTER TABLE sessions ADD COLUMN user_id BLOB;
   ALTER TABLE sessions ADD COLUMN user_since REAL;
   CREATE INDEX sessions_user_id ON sessions (user_id) WHERE user_id IS NOT NULL;`,

  // The feed names the write that changed a session, no longer the version that it stored: `revision` is unused. It stays,
  // since processes of the previous version still write it during an upgrade.
  `ALTER TABLE changes ADD COLUMN write TEXT;`,

  // Ids are base64url, and values JSON text: TEXT keeps both as they are.
  `CREATE TABLE tickets (
     id         TEXT PRIMARY KEY,
     value      TEXT NOT NULL,
     expires_at REAL NOT NULL
   ) STRICT;
   CREATE INDEX tickets_expires_at ON tickets (expires_at);`,

  // The words of an application for the page whose session it ends.
  `ALTER TABLE changes ADD COLUMN message TEXT;`,
];

export const schemaVersion = migrations.length;

export const read = "SELECT document, expires_at, revision FROM sessions WHERE id = ? AND expires_at > ?";

/** Takes the place of an expired session, never of a live one. */
export const create = `
  INSERT INTO sessions (id, document, expires_at, revision, user_id, user_since)
  VALUES (:id, :document, :expiresAt, :revision, :user, iif(:user IS NULL, NULL, :now))
  ON CONFLICT (id) DO UPDATE
    SET document = excluded.document, expires_at = excluded.expires_at, revision = excluded.revision,
      user_id = excluded.user_id, user_since = excluded.user_since
    WHERE sessions.expires_at <= :now`;

/** A write without a user keeps the user in the index. */
const setUser = `
  user_since = iif(:user IS NULL OR (user_id IS :user AND NOT :isNewUser), user_since, :now),
  user_id = coalesce(:user, user_id)`;

export const replace = `
  UPDATE sessions
  SET document = :document, expires_at = coalesce(:expiresAt, expires_at), revision = :revision, ${setUser}
  WHERE id = :id AND revision = :expected AND expires_at > :now`;

/** A touch may carry an outdated user: it never replaces another. */
export const touch = `
  UPDATE sessions
  SET expires_at = max(expires_at, :expiresAt),
    user_since = iif(:user IS NULL OR user_id IS NOT NULL, user_since, :now), user_id = coalesce(user_id, :user)
  WHERE id = :id AND expires_at > :now`;

export const listByUser = `
  SELECT id, document, expires_at, revision, user_since FROM sessions WHERE user_id = ? AND expires_at > ?`;

export const destroy = "DELETE FROM sessions WHERE id = ? AND expires_at > ?";

export const all = "SELECT id, document FROM sessions WHERE expires_at > ?";

export const count = "SELECT count(*) AS count FROM sessions WHERE expires_at > ?";

export const clear = "DELETE FROM sessions";

export const pruneSessions = `
  DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)`;

export const putTicket = "INSERT INTO tickets (id, value, expires_at) VALUES (?, ?, ?)";

export const takeTicket = "DELETE FROM tickets WHERE id = ? AND expires_at > ? RETURNING value";

export const pruneTickets = `
  DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE expires_at <= ? LIMIT ?)`;

export const publish =
  "INSERT INTO changes (at, kind, public_ids, reason, write, message) VALUES (?, ?, ?, ?, ?, ?)";

export const changesSince = `
  SELECT sequence, kind, public_ids, reason, write, message FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?`;

export const lastSequence = "SELECT coalesce(max(sequence), 0) AS sequence FROM changes";

/** Removes only the oldest rows, so that the first sequence that a reader finds shows whether it missed any. */
export const pruneChanges = `
  DELETE FROM changes WHERE sequence < min(
    coalesce(
      (SELECT sequence FROM changes WHERE at >= ? ORDER BY sequence LIMIT 1),
      (SELECT max(sequence) FROM changes)),
    (SELECT min(sequence) FROM changes) + ?)`;

/** Changes when another connection, in any process, has committed; never by this connection's writes. */
export const dataVersion = "PRAGMA data_version";
