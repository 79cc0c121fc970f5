/**
 * Calls the methods of an `express-session` store as promises that always settle, even if the store throws
 * synchronously, calls back twice, rejects instead of calling back, or never answers (`STORE_TIMEOUT`).
 *
 * "Not found" has several forms, and is an answer rather than an error: no session, `false`, an error with the code
 * `ENOENT` (as in `express-session`), and an error of `touch` for a session that `get` does not find either.
 */
import type { Clock } from "../../base/clock.ts";
import { SocketSessionError } from "../../base/errors.ts";
import type { ExpressStore } from "./shape.ts";

type Callback<Value> = (error?: unknown, value?: Value) => void;

export class ExpressStoreCalls {
  readonly storeName: string;
  readonly #store: ExpressStore;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(store: ExpressStore, clock: Clock, timeoutMs: number) {
    const className = store.constructor?.name;
    this.storeName = className && className !== "Object" ? className : "express-session store";
    this.#store = store;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async get(sid: string): Promise<object | null> {
    const session = await this.#call<unknown>("get", (callback) => this.#store.get(sid, callback)).catch(
      nothingIfMissing,
    );
    return typeof session === "object" ? session : null;
  }

  async set(sid: string, session: object): Promise<void> {
    await this.#call("set", (callback) => this.#store.set(sid, session, callback));
  }

  async destroy(sid: string): Promise<void> {
    await this.#call("destroy", (callback) => this.#store.destroy(sid, callback)).catch(nothingIfMissing);
  }

  /** False if the session is gone. If the store has no `touch`, its `set` writes the whole session. */
  async touch(sid: string, session: object): Promise<boolean> {
    try {
      await this.#call("touch", (callback) =>
        this.#store.touch
          ? this.#store.touch(sid, session, callback)
          : this.#store.set(sid, session, callback),
      );
      return true;
    } catch (error) {
      if ((await this.get(sid)) === null) return false;
      throw error;
    }
  }

  all(): Promise<unknown> {
    return this.#call("all", (callback) => this.#store.all?.(callback));
  }

  async length(): Promise<number> {
    return (await this.#call<number>("length", (callback) => this.#store.length?.(callback))) ?? 0;
  }

  async clear(): Promise<void> {
    await this.#call("clear", (callback) => this.#store.clear?.(callback));
  }

  connectivity(listener: (state: "connected" | "disconnected") => void): () => void {
    const connected = () => listener("connected");
    const disconnected = () => listener("disconnected");
    this.#store.on?.("connect", connected);
    this.#store.on?.("disconnect", disconnected);
    return () => {
      this.#store.removeListener?.("connect", connected);
      this.#store.removeListener?.("disconnect", disconnected);
    };
  }

  #call<Value>(method: string, call: (callback: Callback<Value>) => unknown): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.after(this.#timeoutMs, () => reject(this.#timeoutError(method)));
      const settle: Callback<Value> = (error, value) => {
        cancelTimeout();
        if (error) reject(error);
        else resolve(value);
      };
      const fail = (error: unknown) =>
        settle(error || new Error(`${this.storeName}.${method} failed without an error.`));
      try {
        const returned = call(settle);
        // Async functions call back and also return a promise; only its rejection adds anything.
        if (isPromiseLike(returned)) returned.then(undefined, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  #timeoutError(method: string): SocketSessionError {
    return new SocketSessionError(
      "STORE_TIMEOUT",
      `Expected ${this.storeName}.${method} to call back, but it has not within ${this.#timeoutMs} ms. ` +
        "Check that its database answers, or raise operationTimeoutMs.",
    );
  }
}

function nothingIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
