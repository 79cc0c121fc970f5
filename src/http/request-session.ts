import type session from "express-session";
import { documentOf } from "../core/fields.ts";
import type { Held } from "../core/saves.ts";
import { type HandleContext, SessionHandle } from "../core/session-handle.ts";
import type { SessionKey } from "../core/session-store.ts";
import { snapshotOf } from "../core/snapshot.ts";
import type { Change, Updated } from "../core/updates.ts";
import { heldBy, type LoadedSessions } from "./loaded-sessions.ts";

/** A request that the session middleware has seen. */
export type SessionRequest = Pick<Parameters<ReturnType<typeof session>>[0], "session">;

/** `sessions.of(req)`: what it updates shows in `req.session` too, and later saves of the request build on it. */
export class RequestSession extends SessionHandle {
  readonly #request: SessionRequest;
  readonly #loaded: LoadedSessions;

  constructor(context: HandleContext, loaded: LoadedSessions, key: SessionKey, request: SessionRequest) {
    super(context, key);
    this.#request = request;
    this.#loaded = loaded;
    const stored = loaded.baseOf(request.session)?.stored;
    if (stored && !this.entry.snapshot) {
      const document = documentOf(stored.fields, stored.cookie);
      context.hub.adopt(this.entry, snapshotOf({ ...stored, document }));
    }
  }

  protected override async write<R>(fn: Change<R>): Promise<Updated<R>> {
    const unstored = (): Held | undefined => {
      const session = this.#session;
      return session && this.#loaded.isUnstored(session) ? heldBy(session) : undefined;
    };
    const updated = await this.context.updates.update(this.key, fn, unstored);
    const session = this.#session; // `reload()` may have put another object in its place
    if (session) this.#loaded.refresh(session, updated.snapshot);
    return updated;
  }

  /** The request's session object, unless it has been destroyed or replaced by one of another id. */
  get #session(): SessionRequest["session"] | undefined {
    const { session } = this.#request;
    return session?.id === this.key.sid ? session : undefined;
  }
}
