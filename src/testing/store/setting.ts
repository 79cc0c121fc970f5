/** What the author of a store says of it, and what a case of the suite gets to work with. */
import type { SessionDocument, SessionStore } from "../../session-store.ts";

/** One new, empty database for one case. */
export interface StoreHarness {
  /** The store as another connection sees it; the same object where connections would not see each other. */
  open(): SessionStore;
  /** The time that the store goes by, in milliseconds since the epoch. */
  now(): number;
  /** Moves that time. */
  advance(ms: number): void | Promise<void>;
  /** Writes `text` in the place of a stored session, past the store. Needed with the trait `damage`. */
  damage?(sid: string, text: string): unknown;
  /**
   * From now on the database answers nothing, until the returned function is called: then the answers come. Needed with
   * the trait `stalls`.
   */
  stall?(): Promise<() => unknown> | (() => unknown);
  /** Closes what was opened, and removes the database. */
  end(): Promise<void>;
}

export interface StoreTraits {
  /** What the store says of itself. */
  readonly atomic: boolean;
  /** It has `changes`. */
  readonly feed: boolean;
  /** Revisions name writes; else content, and equal content has an equal revision. */
  readonly uniqueRevisions: boolean;
  /** A session ends at its millisecond; else within the second. */
  readonly exactExpiry: boolean;
  /** Time also passes by itself, so that nothing can be seen in a session's last millisecond. Default: false. */
  readonly timePasses?: boolean;
  /** Keeps any key of any object; else what its format refuses is refused with an error. Default: true. */
  readonly anyKey?: boolean;
  /** Keeps texts that are not well-formed; else U+FFFD stands for each lone surrogate. Default: true. */
  readonly anyText?: boolean;
  /** Ids that take more bytes are refused with an error that says so; else none is. */
  readonly maxIdBytes?: number;
  /** How deep a session is nested that is tried. Default: 64, the deepest that the library writes. */
  readonly levels?: number;
  /** What the harness's `damage` can write in the place of a session. Absent: it has none. */
  readonly damage?: "any text" | "JSON";
  /** The harness has `stall`. Default: false. */
  readonly stalls?: boolean;
  /**
   * The store object is shared, by several `liveSessions` or with its maker: `close` then releases what keeps the process
   * alive and no more, and operations go on. Default: false.
   */
  readonly outlivesClose?: boolean;
  /** It has `listByUser`. Default: false. */
  readonly users?: boolean;
  /** How many sessions of one user are tried. Default: 1,200. */
  readonly manySessions?: number;
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
    ...traits,
  };
}

export const HOUR = 3_600_000;

/** Two connections to one database, and its time. */
export class Setting {
  readonly harness: StoreHarness;
  readonly store: SessionStore;
  readonly other: SessionStore;
  /** How far a stored time may be from the one that was given. */
  readonly toleranceMs: number;

  constructor(harness: StoreHarness, { exactExpiry }: ResolvedTraits) {
    this.harness = harness;
    this.store = harness.open();
    this.other = harness.open();
    this.toleranceMs = exactExpiry ? 0 : 1000;
  }

  readonly later = (ms = HOUR): number => this.harness.now() + ms;

  /** A document whose cookie says when it ends, which some wrapped stores go by. */
  readonly lasting = (ms: number): SessionDocument => ({
    cookie: { originalMaxAge: ms, expires: new Date(this.later(ms)).toISOString() },
  });
}

/** A case before it has a database. */
export interface Check {
  readonly name: string;
  readonly timeoutMs?: number;
  readonly run: (setting: Setting) => Promise<void>;
}
