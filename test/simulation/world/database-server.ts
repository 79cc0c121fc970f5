/**
 * The process of a database, with the failures of real ones: slow, failing, hanging, restarted; and a failover to a
 * replica that lacks the last writes, where the store's page allows that. A subclass defines its data and its requests.
 */
import { connectionError } from "./connection.ts";
import type { SimulatedProcess } from "./process.ts";
import { Route, type RouteOptions, type Server } from "./route.ts";
import type { World } from "./world.ts";

export abstract class DatabaseServer implements Server {
  /** Whether an acknowledged write may be lost with the server. */
  abstract readonly mayForget: boolean;
  /** Whether calls and answers of one connection keep their order, as over TCP. */
  protected readonly isOrdered: boolean = true;
  readonly world: World;
  readonly routes: Route[] = [];
  readonly #waiting: ((failure?: Error) => void)[] = [];
  #downUntil = 0;
  #hangsUntil = 0;
  #failsUntil = 0;
  #slowUntil = 0;
  #slowMs = 0;
  #freeAt = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** The way to it from a process. */
  route(process: SimulatedProcess, options: Omit<RouteOptions, "isOrdered">): Route {
    const route = new Route(this.world, process, this, { ...options, isOrdered: this.isOrdered });
    this.routes.push(route);
    return route;
  }

  get accepts(): boolean {
    return this.#downUntil <= this.world.now;
  }

  admit(work: (failure?: Error) => void): void {
    const { now } = this.world;
    if (!this.accepts) return;
    if (this.#hangsUntil > now) this.#waiting.push(work);
    else if (this.#failsUntil > now) work(this.failure());
    else if (this.#slowUntil > now || this.#freeAt > now) this.#admitLate(work);
    else work();
  }

  slow(ms: number, byMs: number): void {
    this.#slowUntil = this.world.now + ms;
    this.#slowMs = byMs;
  }

  fail(ms: number): void {
    this.#failsUntil = this.world.now + ms;
  }

  /** Connections stay, and nothing is answered; then all of it is done. */
  hang(ms: number): void {
    this.#hangsUntil = this.world.now + ms;
    this.world.after(ms, () => {
      if (this.#hangsUntil <= this.world.now) for (const work of this.#waiting.splice(0)) work();
    });
  }

  /** Gone for a while, and its connections with it; what it has acknowledged is still there. */
  restart(ms: number): void {
    this.#downUntil = this.world.now + ms;
    this.#waiting.length = 0;
    for (const route of this.routes) route.reset();
    this.restarted();
  }

  /** As `restart`, but what was written within the last `lostMs` is lost. */
  failOver(ms: number, lostMs: number): void {
    this.restart(ms);
    this.forget(this.world.now - lostMs);
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#downUntil = 0;
    this.#hangsUntil = 0;
    this.#failsUntil = 0;
    this.#slowUntil = 0;
    for (const route of this.routes) route.heal();
    for (const work of this.#waiting.splice(0)) work();
  }

  /** The error of such a server when it can't do its work. */
  protected failure(): Error {
    return connectionError("EFAILED");
  }

  /** The data that a restart loses, in addition to connections. */
  protected restarted(): void {}

  /** Undoes what was written since then. */
  protected abstract forget(since: number): void;

  #admitLate(work: (failure?: Error) => void): void {
    const { now } = this.world;
    this.#freeAt = Math.max(this.#freeAt, now + (this.#slowUntil > now ? this.#slowMs : 0));
    this.world.after(this.#freeAt - now, () => {
      if (this.accepts) work();
    });
  }
}
