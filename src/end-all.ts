import type { AppData, DeepReadonly } from "./api.ts";
import { checkPlainOptions, invalid, refuseCallback } from "./base/arguments.ts";
import { mapInTurns } from "./base/batches.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { Core } from "./core.ts";
import { startOf } from "./data/absolute-life.ts";
import { type Snapshot, snapshotFrom } from "./data/snapshot.ts";
import type { Actor } from "./live/actors.ts";
import { endMany } from "./session/end-many.ts";
import { messageOf } from "./session/end-options.ts";
import type { SessionDocument, SessionKey } from "./session-store.ts";

/** Which sessions `sessions.endAll()` ends; without options, all. */
export interface EndAllOptions {
  /**
   * Only sessions that were made, or got a new id, before this time, in milliseconds since the epoch. Needs the option
   * `absoluteMs`, with which a session holds that time; one that has none yet is older, and ended.
   */
  before?: number;
  /** Only sessions whose data satisfy this: it returns true for them. */
  where?: (data: DeepReadonly<AppData>) => boolean;
  /** Not these, such as the administrator's own. */
  exceptPublicIds?: readonly string[];
  /** Words for the pages: 1 to 200 characters. */
  message?: string;
}

const method = "sessions.endAll()";
const known: Readonly<Record<keyof EndAllOptions, true>> = {
  ...{ before: true, where: true, exceptPublicIds: true, message: true },
};

/** Every session is looked at before one is ended: if `where` throws, none is. */
export async function endAll(core: Core, options: EndAllOptions, none: readonly unknown[]): Promise<number> {
  const { isMeant, words } = selectionOf(core, options, none);
  const { hub, nameOf, handles } = core;
  const found = await mapInTurns(asEntries(await hub.store.all()), ([sid, document]) => {
    const key = nameOf(sid);
    const startedAt = startOf(document);
    const snapshot = () => snapshotFrom({ document, expiresAt: 0, revision: "" });
    return isMeant(key, startedAt, snapshot) ? [{ key, snapshot }] : [];
  });
  return endMany(found.flat(), ({ key, snapshot }) => {
    const actor: Actor = {
      by: "application",
      get userId() {
        return userOf(handles, snapshot); // asked for only while the log of life cycles is followed
      },
    };
    return hub.actors.run(actor, () => hub.end(key, "revoked", words));
  });
}

/** Undefined also for a session with values that JSON can't hold: it ends all the same. */
function userOf({ userId }: Core["handles"], snapshot: () => Snapshot): string | undefined {
  try {
    return userId(snapshot().data);
  } catch {
    return undefined;
  }
}

/** Some wrapped stores return a list, and not all put the id on its items. */
function asEntries(all: Record<string, SessionDocument> | SessionDocument[]): [string, SessionDocument][] {
  if (!Array.isArray(all)) return Object.entries(all);
  return all.map(({ id, ...document }) => {
    if (typeof id === "string") return [id, document];
    const message = `${method} needs a store that lists sessions with their ids, and this one lists them without. Use a store of this package.`;
    throw new SocketSessionError("STORE_UNSUPPORTED", message);
  });
}

function selectionOf({ options: { absoluteMs } }: Core, options: EndAllOptions, none: readonly unknown[]) {
  refuseCallback(method, none);
  if (none.length > 0) throw invalid(`${method} expects one argument, its options`, none[0], "Leave it out.");
  checkPlainOptions(method, options, Object.keys(known));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined)
      throw invalid(`${method} expects a value for \`${name}\``, value, "Leave it out to select by nothing.");
  }
  const { before, where, exceptPublicIds = [] } = options;
  if (before !== undefined && (typeof before !== "number" || !Number.isFinite(before)))
    throw invalid(
      `${method} expects \`before\` in milliseconds since the epoch`,
      before,
      "Write Date.now().",
    );
  if (before !== undefined && absoluteMs === Number.POSITIVE_INFINITY) {
    const cure = "Set absoluteMs, or select by `where` and a time that your login stores.";
    throw invalid(
      `${method} expects the option \`absoluteMs\` of liveSessions() for \`before\``,
      undefined,
      cure,
    );
  }
  if (where !== undefined && typeof where !== "function")
    throw invalid(
      `${method} expects a function as \`where\``,
      where,
      "Write where: (data) => data.role === …",
    );
  if (!Array.isArray(exceptPublicIds) || !exceptPublicIds.every((id) => typeof id === "string" && id !== ""))
    throw invalid(
      `${method} expects \`exceptPublicIds\`, a list of public ids`,
      exceptPublicIds,
      "Leave it out for none.",
    );
  const isMeant = (key: SessionKey, startedAt = 0, snapshot: () => Snapshot) =>
    (before === undefined || startedAt < before) &&
    (where === undefined || where(snapshot().data) === true) &&
    !key.publicIds.some((id) => exceptPublicIds.includes(id)); // last: it hashes the id
  return { isMeant, words: messageOf(method, options.message) };
}
