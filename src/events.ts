import type { AppData, DeepReadonly } from "./api.ts";
import type { SocketSessionError } from "./base/errors.ts";
import type { RefusalCode } from "./protocol.ts";
import type { EndReason } from "./session-store.ts";

/** What a `LiveSessions` tells. A listener that throws is reported as `error` and harms nobody else. */
export interface LiveSessionsEvents {
  /** A session changed: by this node, or any session that is live on it. */
  change: [change: { publicId: string; userId: string | undefined; data: DeepReadonly<AppData> }];
  /** A session ended: by this node, or any session that was live on it. */
  end: [end: { publicId: string; reason: EndReason }];
  /**
   * Somebody was not let in. `origin` is the page's, as it was sent, and `host` what it was compared with; `cause` is what
   * failed: the store, or the reading of what is stored.
   */
  refuse: [
    refusal: {
      code: RefusalCode;
      address: string | undefined;
      origin: string | undefined;
      host: string | undefined;
      cause?: unknown;
    },
  ];
  /** A save overwrote top-level keys that somebody else had changed since the request loaded them. */
  conflict: [conflict: { publicId: string; keys: readonly string[] }];
  /** A save of an ended session was dropped. */
  discard: [discarded: { publicId: string }];
  /** Something failed where nobody waits for an answer. Without a listener it becomes a process warning. */
  error: [error: SocketSessionError];
}

const names: Readonly<Record<keyof LiveSessionsEvents, true>> = {
  ...{ change: true, end: true, refuse: true, conflict: true, discard: true, error: true },
};
/** All that can be listened to; the last two are Node's own. */
export const sessionsEvents: readonly string[] = [...Object.keys(names), "newListener", "removeListener"];
