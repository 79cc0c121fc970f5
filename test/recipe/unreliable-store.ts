import session, { type SessionData } from "express-session";

/** A store that can be out of reach. Whether it says so by itself, as stores over a network do, is up to the test. */
export class UnreliableStore extends session.MemoryStore {
  readonly #announces: boolean;
  #isDown = false;

  constructor({ announces }: { announces: boolean }) {
    super();
    this.#announces = announces;
  }

  fail(): void {
    this.#isDown = true;
    if (this.#announces) this.emit("disconnect");
  }

  recover(): void {
    this.#isDown = false;
    if (this.#announces) this.emit("connect");
  }

  override get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    if (this.#isDown) setImmediate(callback, new Error("connection refused"));
    else super.get(sid, callback);
  }
}
