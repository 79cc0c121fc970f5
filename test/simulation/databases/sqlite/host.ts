/**
 * The machine that a session file is on, in the place of a server: a restart is, as a hang, another program that keeps
 * the file locked for a while; slow is one that locks it again and again; failing, a disk that does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DatabaseServer } from "../../world/database-server.ts";
import type { World } from "../../world/world.ts";

export class SqliteHost extends DatabaseServer {
  readonly mayForget = false;
  readonly path: string;
  readonly #directory: string;
  /** Of another program. */
  readonly #locker: DatabaseSync;
  #lockedUntil = 0;
  #isLocked = false;
  #contendedUntil = 0;
  #failsUntil = 0;

  constructor(world: World) {
    super(world);
    this.#directory = mkdtempSync(join(tmpdir(), "simulated-sessions-"));
    this.path = join(this.#directory, "sessions.db");
    this.#locker = new DatabaseSync(this.path);
  }

  override hang(ms: number): void {
    this.#lockedUntil = Math.max(this.#lockedUntil, this.world.now + ms);
    if (!this.#isLocked) this.#locker.exec("BEGIN IMMEDIATE");
    this.#isLocked = true;
    this.world.after(ms, () => this.#unlock());
  }

  override restart(ms: number): void {
    this.hang(ms);
  }

  override slow(ms: number, byMs: number): void {
    this.#contendedUntil = this.world.now + ms;
    const lock = () => {
      if (this.#contendedUntil <= this.world.now) return;
      this.hang(byMs);
      this.world.after(2 * byMs, lock);
    };
    lock();
  }

  override fail(ms: number): void {
    this.#failsUntil = this.world.now + ms;
  }

  override heal(): void {
    super.heal();
    this.#failsUntil = 0;
    this.#contendedUntil = 0;
    this.#lockedUntil = 0;
    this.#unlock();
  }

  /** The current error of every statement, if any. */
  readonly refuse = (): void => {
    if (this.#failsUntil > this.world.now) throw this.failure();
  };

  close(): void {
    this.#locker.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  protected override failure(): Error {
    const errstr = "disk I/O error";
    return Object.assign(new Error(errstr), { code: "ERR_SQLITE_ERROR", errcode: 10, errstr });
  }

  protected forget(): void {}

  #unlock(): void {
    if (!this.#isLocked || this.#lockedUntil > this.world.now) return;
    this.#isLocked = false;
    this.#locker.exec("ROLLBACK");
  }
}
