import type { SessionValues } from "./data/fields.ts";
import { sessionNames } from "./data/session-key.ts";
import { Hub } from "./live/hub.ts";
import type { HubOptions } from "./live/hub-options.ts";
import { noteSigner } from "./live/notes.ts";
import type { ResolvedOptions } from "./options/options.ts";
import { Activity } from "./session/activity.ts";
import { ConditionalWrites } from "./session/conditional-writes.ts";
import { Saves } from "./session/saves.ts";
import type { HandleContext } from "./session/session-handle.ts";
import { Tickets } from "./session/tickets.ts";
import { Updates } from "./session/updates.ts";
import { UserCap } from "./session/user-cap.ts";
import type { SessionKey } from "./session-store.ts";

type UserOf = (data: Readonly<SessionValues>) => string | undefined;

/** The sessions of one process, as requests and sockets use them. */
export interface Core {
  readonly options: ResolvedOptions;
  readonly nameOf: (sid: string) => SessionKey;
  readonly hub: Hub;
  readonly saves: Saves;
  readonly activity: Activity;
  readonly handles: HandleContext;
  readonly tickets: Tickets;
}

export function coreOf(
  options: ResolvedOptions,
  userId: UserOf,
  hooks: Pick<HubOptions, "actors" | "events">,
): Core {
  const nameOf = sessionNames(options.secrets);
  const hub = new Hub({ ...options, ...hooks, sign: noteSigner(options.secrets) });
  const userOf = options.store.listByUser ? userId : () => undefined;
  const { sessionsPerUser, maxSessionBytes } = options;
  const cap = sessionsPerUser && new UserCap(sessionsPerUser, { hub, nameOf, userId });
  const writes = new ConditionalWrites(hub, options, userOf, maxSessionBytes, cap);
  const saves = new Saves(hub, writes);
  const updates = new Updates(hub, writes, saves, options.updateTimeoutMs);
  return {
    options,
    nameOf,
    hub,
    saves,
    activity: new Activity(hub, saves, { ...options, userOf }),
    handles: { hub, updates, userId },
    tickets: new Tickets(hub.store, nameOf, options.clock, options.ticketMs),
  };
}
