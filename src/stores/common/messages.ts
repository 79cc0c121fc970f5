/**
 * The messages by which stores publish changes: one line of JSON, the same in every database. A message holds public ids
 * and never a session id.
 *
 * ```ts
 * publish(changeMessage({ kind: "ended", publicIds, reason: "revoked" }));
 * readMessage(text); // the change again
 * ```
 */

import { isStrings } from "../../base/shapes.ts";
import { endReasons } from "../../protocol.ts";
import type { SessionChange, StoredEndReason } from "../../session-store.ts";

/**
 * - `cleared`: all sessions were removed at once.
 * - `beat`: a heartbeat, for its sender.
 * - `note`: of one node to the others.
 * - `unknown`: a newer release may have written it; all sessions have to be read again.
 */
export type Message =
  | { readonly kind: "change"; readonly change: SessionChange }
  | { readonly kind: "cleared" }
  | { readonly kind: "beat"; readonly beat: string }
  | { readonly kind: "note"; readonly note: string }
  | { readonly kind: "unknown" };

export function changeMessage(change: SessionChange & { readonly publicIds: readonly string[] }): string {
  const { kind, publicIds: ids } = change;
  return JSON.stringify(
    kind === "changed"
      ? { kind, ids, write: change.write }
      : { kind, ids, reason: change.reason, message: change.message },
  );
}

export const clearedMessage = JSON.stringify({ kind: "cleared" });

export function beatMessage(beat: string): string {
  return JSON.stringify({ kind: "beat", beat });
}

/** Older releases read it as a beat that they have not sent, and pass it over: an `unknown` would cost them many reads. */
export function noteMessage(note: string): string {
  return JSON.stringify({ kind: "beat", beat: "", note });
}

export function readMessage(text: string): Message {
  const unknown = { kind: "unknown" } as const;
  const value = parsed(text);
  if (typeof value !== "object" || value === null) return unknown;
  const { kind, ids, write, reason, message, beat, note } = value as Record<string, unknown>;
  if (kind === "cleared") return { kind };
  if (kind === "beat" && typeof note === "string") return { kind: "note", note };
  if (kind === "beat") return typeof beat === "string" ? { kind, beat } : unknown;
  if (!isStrings(ids)) return unknown;
  if (kind === "ended" && isStoredEndReason(reason))
    return { kind: "change", change: { kind, publicIds: ids, ...endOf(reason, message) } };
  if (kind !== "changed") return unknown;
  const known = typeof write === "string" ? { write } : {};
  return { kind: "change", change: { kind, publicIds: ids, ...known } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // reported as `unknown`
  }
}

/** `message` if it is one: any writer of the database may have published it. */
export function endOf(
  reason: StoredEndReason,
  message: unknown,
): Pick<SessionChange & { kind: "ended" }, "reason" | "message"> {
  return typeof message === "string" ? { reason, message } : { reason };
}

/** Whether the reason may be published; `unverified` may not. */
export function isStoredEndReason(value: unknown): value is StoredEndReason {
  return typeof value === "string" && value !== "unverified" && Object.hasOwn(endReasons, value);
}
