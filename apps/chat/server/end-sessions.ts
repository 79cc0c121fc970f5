import type { LiveSessions } from "socket-session";
import type { FormAnswer } from "../shared/events.ts";

type Selection = NonNullable<Parameters<ReturnType<LiveSessions["user"]>["end"]>[0]>;

/** Ends sessions of a user, and says which, where, and how long it took. */
export async function endSessions(
  sessions: LiveSessions,
  userId: string,
  selection: Selection,
  nodeName = "this server",
): Promise<FormAnswer> {
  const startedAt = performance.now();
  const ended = await sessions.user(userId).end(selection);
  const tookMs = Math.round(performance.now() - startedAt);
  if (ended === 0 && "publicId" in selection) return { ok: false, problem: "gone" };
  if (ended === 0) return { ok: true, story: "There were no others." };
  const what = ended === 1 ? "Revoked" : `${ended} sessions revoked`;
  return { ok: true, story: `${what} on ${nodeName} in ${tookMs} ms.` };
}
