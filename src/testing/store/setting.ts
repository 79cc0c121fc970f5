/** The traits that a store's author declares, and the setting in which a case of the suite runs. */
import type { SessionDocument, SessionStore } from "../../session-store.ts";

/** One new, empty database for one case. */
export interface StoreHarness {
  /** The store as another connection sees it; the same object where connections would not see each other. */
  open(): SessionStore;
  /** The time that the store uses, in milliseconds since the epoch. */
  now(): number;
  /** Moves that time. */
  advance(ms: number): void | Promise<void>;
  /** Writes `text` in place of a stored session, bypassing the store. Needed with the trait `damage`. */
  damage?(sid: string, text: string): unknown;
  /** The database answers nothing until the returned function is called; then it answers. Needed with the trait `stalls`. */
  stall?(): Promise<() => unknown> | (() => unknown);
  /** Closes what was opened, and removes the database. */
  end(): Promise<void>;
}

export interface StoreTraits {
  /** The store's own `atomic`. */
  readonly atomic: boolean;
  /** It has `changes`. */
  readonly feed: boolean;
  /** Each write has its own revision; otherwise revisions name content, and equal content has an equal revision. */
  readonly uniqueRevisions: boolean;
  /** A session expires at its exact millisecond; otherwise within the second. */
  readonly exactExpiry: boolean;
  /** Time also passes by itself, so that a case can't observe a session's last millisecond. Default: false. */
  readonly timePasses?: boolean;
  /** Keeps any key of any object; otherwise rejects the keys that its format can't hold. Default: true. */
  readonly anyKey?: boolean;
  /** Keeps texts that are not well-formed; otherwise replaces each lone surrogate with U+FFFD. Default: true. */
  readonly anyText?: boolean;
  /** Longer ids are refused with an error that says so. Absent: none is refused. */
  readonly maxIdBytes?: number;
  /** How deeply the tested data are nested. Default: 64, the deepest that the library writes. */
  readonly levels?: number;
  /** What the harness's `damage` can write in place of a session. Absent: the harness has no `damage`. */
  readonly damage?: "any text" | "JSON";
  /** The harness has `stall`. Default: false. */
  readonly stalls?: boolean;
  /**
   * The store object is shared, by several `liveSessions` or with its maker. `close` then only releases what keeps the
   * process alive, and operations go on. Default: false.
   */
  readonly outlivesClose?: boolean;
  /** It has `listByUser`. Default: false. */
  readonly users?: boolean;
  /** How many sessions of one user are tested. Default: 1,200. */
  readonly manySessions?: number;
  /** It has `putTicket` and `takeTicket`. Default: false. */
  readonly tickets?: boolean;
  /** It has `tell`. Default: false. */
  readonly notes?: boolean;
}

export type ResolvedTraits = Required<Omit<StoreTraits, "damage">> & Pick<StoreTraits, "damage">;

export function resolveTraits(traits: StoreTraits): ResolvedTraits {
  return {
    timePasses: false,
    anyKey: true,
    anyText: true,
    maxIdBytes: Number.POSITIVE_INFINITY,
    levels: 64,
    stalls: false,
    outlivesClose: false,
    users: false,
    manySessions: 1_200,
    tickets: false,
    notes: false,
    ...traits,
  };
}

export const HOUR = 3_600_000;

/** Two connections to one database, and its clock. */
export class Setting {
  readonly harness: StoreHarness;
  readonly store: SessionStore;
  readonly other: SessionStore;
  /** How far a stored time may be from the given time. */
  readonly toleranceMs: number;

  constructor(harness: StoreHarness, { exactExpiry }: ResolvedTraits) {
    this.harness = harness;
    this.store = harness.open();
    this.other = harness.open();
    this.toleranceMs = exactExpiry ? 0 : 1000;
  }

  readonly later = (ms = HOUR): number => this.harness.now() + ms;

  /** A document whose cookie has the deadline, which some wrapped stores use. */
  readonly lasting = (ms: number): SessionDocument => ({
    cookie: { originalMaxAge: ms, expires: new Date(this.later(ms)).toISOString() },
  });
}

/** A case without its database. */
export interface Check {
  readonly name: string;
  readonly timeoutMs?: number;
  readonly run: (setting: Setting) => Promise<void>;
}
