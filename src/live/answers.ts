import type { SessionChange } from "../session-store.ts";
import type { Closings } from "./closings.ts";
import type { Entries } from "./entries.ts";
import type { LiveEntry } from "./live-entry.ts";
import type { Question } from "./notes.ts";

export interface AnsweringOptions {
  readonly entries: Entries;
  readonly closings: Closings;
  /** Takes a change as if the feed had reported it; resolves when the node knows what has become of the session. */
  readonly receive: (change: SessionChange) => Promise<unknown> | undefined;
}

/**
 * Answers questions about the sessions of this node. The question after an end may overtake the change of the feed, so it
 * counts as the end itself. No answer is given while the session is live: it may be so again, under an id that was given
 * twice.
 */
export function answering({ entries, closings, receive }: AnsweringOptions) {
  return async (question: Question): Promise<readonly number[] | undefined> => {
    if (question.kind === "count")
      return question.sessions.map((publicIds) => socketsOf(entries.named({ publicIds })));
    const { publicIds } = question;
    if (question.kind === "gone") await receive({ kind: "changed", publicIds });
    else await receive({ kind: "ended", publicIds, reason: "revoked", ...messageOf(question) });
    if (isLive(entries.named({ publicIds }))) return undefined;
    return [await closings.closed(publicIds)];
  };
}

/** A client whose handshake is under way is refused if the session is gone: no older read counts any more. */
function isLive(entry: LiveEntry | undefined): boolean {
  return entry !== undefined && entry.state.phase !== "unread";
}

function messageOf({ message }: { readonly message?: string | undefined }): { message?: string } {
  return message === undefined ? {} : { message };
}

function socketsOf(entry: LiveEntry | undefined): number {
  return entry?.observers.reduce((sum, { sockets = 0 }) => sum + sockets, 0) ?? 0;
}
