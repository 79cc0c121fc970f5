/** A connection of a process to a server: calls, and what the server pushes. */
import { AsyncResource } from "node:async_hooks";
import type { Route } from "./route.ts";
import { Unsupported } from "./unsupported.ts";

/** TCP gives up what was not acknowledged for so long. */
export const patienceMs = 15_000;
/** So long after the server has given up a connection, its client finds that by itself. */
const keepAliveMs = 30_000;

export class Connection {
  readonly #route: Route;
  readonly #downs = new Set<(error: Error) => void>();
  readonly #closings = new Set<() => void>();
  readonly #waiting = new Set<(error: Error) => void>();
  #thereAt = 0;
  #backAt = 0;
  #isOpen = true;
  #isHalfOpen = false;
  #isDoomed = false;

  constructor(route: Route) {
    this.#route = route;
    route.connections.add(this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The server has given it up, and this end does not know yet. */
  get isHalfOpen(): boolean {
    return this.#isOpen && this.#isHalfOpen;
  }

  /** How many calls wait for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Does `work` at the server, at one moment, and resolves to its result. Rejects with what it throws, or when the
   * connection breaks: then it may have been done.
   */
  call<T>(work: () => T): Promise<T> {
    return this.callLate((answer) => answer(work));
  }

  /** As `call`, where the server waits before it answers: `start` calls `answer` when it can, with the work by then. */
  callLate<T>(start: (answer: (work: () => T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) return reject(connectionError("EPIPE"));
      const bound = AsyncResource.bind((settle: () => void) => settle()); // the caller's context, as drivers keep it
      const fail = (error: Error) => bound(() => reject(error));
      this.#waiting.add(fail);
      const answer = (work: () => T) => {
        const outcome = outcomeOf(work);
        if (this.#route.losesReply()) return this.#loseReply();
        this.#toProcess(this.#route.isOrdered, () => {
          this.#waiting.delete(fail);
          bound(() => ("value" in outcome ? resolve(outcome.value) : reject(outcome.error)));
        });
      };
      this.#send((failure) => {
        if (failure)
          answer(() => {
            throw failure;
          });
        else start(answer);
      });
    });
  }

  /** From the server: runs `receive` in the process, after all that was pushed before. */
  push(receive: () => void): void {
    this.#toProcess(true, receive);
  }

  #toProcess(isOrdered: boolean, receive: () => void): void {
    const { world, process } = this.#route;
    if (!this.#isOpen || this.#isHalfOpen) return;
    const arrival = this.#route.arrival();
    if (arrival === undefined) {
      world.after(patienceMs, () => this.#giveUp());
      return;
    }
    const at = isOrdered ? Math.max(this.#backAt, arrival) : arrival;
    this.#backAt = Math.max(this.#backAt, at);
    world.after(at - world.now, () => this.#isOpen && receive(), process);
  }

  /** As `push`, for a message of the feed. TCP loses nothing of a connection that goes on: one that was deaf breaks. */
  publish(receive: () => void): void {
    const { world, deafForMs } = this.#route;
    if (deafForMs === 0) this.push(receive);
    else if (!this.#isDoomed) {
      this.#isDoomed = true;
      world.after(deafForMs, () => this.break(connectionError("ECONNRESET")));
    }
  }

  /** Calls `down` when the connection breaks; not when this end closes it. */
  onDown(down: (error: Error) => void): void {
    this.#downs.add(down);
  }

  /** Calls `closing` when the server has lost the connection, for whatever reason. */
  onClosed(closing: () => void): void {
    this.#closings.add(closing);
  }

  close(): void {
    this.#end(connectionError("EPIPE"));
  }

  break(error: Error): void {
    if (!this.#isOpen) return;
    this.#end(error);
    const { world, process } = this.#route;
    world.after(0, () => this.#downs.forEach((down) => void down(error)), process);
  }

  #send(work: (failure?: Error) => void): void {
    const { world, server } = this.#route;
    const arrival = this.#route.arrival();
    if (arrival === undefined) {
      world.after(patienceMs, () => this.break(connectionError("ETIMEDOUT")));
      return;
    }
    const at = this.#route.isOrdered ? Math.max(this.#thereAt, arrival) : arrival;
    this.#thereAt = Math.max(this.#thereAt, at);
    world.after(at - world.now, () => {
      if (this.#isHalfOpen) this.break(connectionError("ECONNRESET"));
      else if (this.#isOpen) server.admit(work);
    });
  }

  #loseReply(): void {
    const { world, process } = this.#route;
    world.trace.add({ kind: "fault", fault: "lost reply", node: process.name, until: world.now });
    this.break(connectionError("ECONNRESET"));
  }

  #giveUp(): void {
    if (!this.#isOpen || this.#isHalfOpen) return;
    this.#isHalfOpen = true;
    this.#lost();
    this.#route.world.after(keepAliveMs, () => this.break(connectionError("ETIMEDOUT")));
  }

  #lost(): void {
    for (const closing of this.#closings) closing();
    this.#closings.clear();
  }

  #end(error: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#route.connections.delete(this);
    this.#lost();
    const { world, process } = this.#route;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    if (waiting.length > 0) world.after(0, () => waiting.forEach((fail) => void fail(error)), process);
  }
}

type Outcome<T> = { value: T } | { error: unknown };

function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof Unsupported) throw error;
    return { error };
  }
}

export function connectionError(code: string): Error {
  return Object.assign(new Error(`The connection failed (${code}).`), { code });
}
