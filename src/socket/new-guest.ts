import type { IncomingMessage } from "node:http";
import type { CookieDocument, SessionKey } from "../session-store.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";

/** A session that is not stored yet. */
export interface NewSession {
  readonly sid: string;
  /** No other session has the id. */
  readonly isNewId: boolean;
  readonly cookie: CookieDocument;
  /** The line that sets it in the browser; absent if it may not be sent. */
  readonly setCookie?: string;
}

export interface NewGuestOptions {
  /** Throws what the application's functions throw. */
  readonly makeSession: (request: IncomingMessage) => NewSession;
  readonly nameOf: (sid: string) => SessionKey;
}

interface NewGuest {
  readonly sid: string;
  /** To be bound or released. */
  readonly guest: SessionConnection;
  readonly setCookie: string | undefined;
}

/**
 * Makes a session for a visitor who came with the id `came`, or none: the session of that one may have ended, so the id is
 * new. If it was replaced, as at a login, the response to that brings the browser's next cookie, which must not be
 * overwritten.
 */
export function newGuest(
  request: IncomingMessage,
  came: string | undefined,
  { makeSession, nameOf }: NewGuestOptions,
  context: ConnectionContext,
): NewGuest {
  const { entries, ends } = context.hub;
  const { sid, isNewId, cookie, setCookie } = makeSession(request);
  const entry = entries.make(nameOf(sid), cookie, { since: ends.birth(sid), isNewId });
  const guest = new SessionConnection(context, entry);
  const isReplaced = came !== undefined && ends.wasReplaced(nameOf(came));
  return { sid, guest, setCookie: isReplaced ? undefined : setCookie };
}
