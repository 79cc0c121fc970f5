/**
 * The revisions of this process's own recent writes, by the random name of each write. The feed names a write where it
 * can't tell the revision (of an object, or without publishing what a session holds): so our own echo is known.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { ExpiringMap } from "../core/expiring-map.ts";

const keptMs = 60_000;

export class OwnWrites {
  readonly #clock: Clock;
  readonly #writes: ExpiringMap<{ readonly revision: string; readonly expiresAt: number }>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#writes = new ExpiringMap(clock, { maxEntries: 1_000 });
  }

  /** The name of a write that is about to be made. */
  add(revision: string): string {
    const write = randomUUID();
    this.#writes.set(write, { revision, expiresAt: this.#clock.now() + keptMs });
    return write;
  }

  revision(write: unknown): string | undefined {
    return typeof write === "string" ? this.#writes.get(write)?.revision : undefined;
  }

  stop(): void {
    this.#writes.stop();
  }
}
