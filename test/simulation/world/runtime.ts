/**
 * Replaces what code takes from the runtime without being given it: the date, the elapsed time, timers, random numbers.
 * `express-session`, Socket.IO and the SQLite store do so. While a world runs, these come from that world, and from the
 * process whose event runs.
 */
import crypto from "node:crypto";
import timers from "node:timers";
import { epochMs } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const real = {
  Date: globalThis.Date,
  timers: {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    setImmediate: globalThis.setImmediate,
  },
  random: Math.random,
  randomBytes: crypto.randomBytes,
  emitWarning: process.emitWarning,
};

/** Immediates that have not run yet. */
let pending = 0;

/** Resolves when all that can run without time going on has run. */
async function rest(): Promise<void> {
  do await new Promise<void>((resolve) => real.timers.setImmediate(resolve));
  while (pending > 0);
}

/** A timer as Node gives it, as far as it is used. */
class SimulatedTimeout {
  #cancel: () => void;

  constructor(world: World, run: () => void, ms: number, isRepeated: boolean) {
    const { current } = world;
    const start = () =>
      world.after(
        Math.max(1, ms),
        () => {
          if (isRepeated) this.#cancel = start();
          run();
        },
        current,
      );
    this.#cancel = start();
    this.refresh = () => {
      this.#cancel();
      this.#cancel = start();
      return this;
    };
  }

  readonly refresh: () => this;
  readonly ref = () => this;
  readonly unref = () => this;
  readonly hasRef = () => false;

  cancel(): void {
    this.#cancel();
  }
}

const bytesByWorld = new WeakMap<World, Map<number, Random>>();

/** A stream for each size: makers of ids keep some in stock, and that must not move what others draw. */
function bytesOf(world: World, size: number): Buffer {
  const bytesBySize = bytesByWorld.get(world) ?? new Map<number, Random>();
  bytesByWorld.set(world, bytesBySize);
  const random = bytesBySize.get(size) ?? world.random.fork(`${size} bytes`);
  bytesBySize.set(size, random);
  return Buffer.from(Array.from({ length: size }, () => random.int(0, 255)));
}

function install(world: World): () => void {
  const now = () => world.current?.now ?? Math.floor(epochMs + world.now);
  const random = world.random.fork("Math.random");
  // Its instances are Dates like any other, such as those that `structuredClone` makes.
  const SimulatedDate = new Proxy(real.Date, {
    construct: (_target, args) => Reflect.construct(real.Date, args.length === 0 ? [now()] : args),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
  });
  const timer =
    (isRepeated: boolean) =>
    (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      new SimulatedTimeout(world, () => run(...args), ms, isRepeated);
  const clear = (timeout: unknown) => {
    if (timeout instanceof SimulatedTimeout) timeout.cancel();
  };
  const immediate = (run: (...args: unknown[]) => void, ...args: unknown[]) => {
    pending++;
    return real.timers.setImmediate(() => {
      pending--;
      run(...args);
    });
  };
  const ofTimers = {
    setTimeout: timer(false),
    setInterval: timer(true),
    clearTimeout: clear,
    clearInterval: clear,
    setImmediate: immediate,
  };
  const randomBytes = (size: number, take?: (error: null, bytes: Buffer) => void) => {
    const drawn = bytesOf(world, size);
    return take ? process.nextTick(take, null, drawn) : drawn;
  };
  Object.assign(globalThis, ofTimers, { Date: SimulatedDate });
  Object.assign(timers, ofTimers); // where Engine.IO takes them from
  Object.assign(crypto, { randomBytes });
  Math.random = () => random.next();
  process.emitWarning = (...args: unknown[]) => {
    // advice to a developer, for each node that starts
    const isAdvice = args.some((arg) => JSON.stringify(arg)?.includes("SOCKET_SESSION_"));
    if (!isAdvice) Reflect.apply(real.emitWarning, process, args);
  };
  Object.defineProperty(performance, "now", { value: () => world.now, configurable: true, writable: true });
  return () => {
    Reflect.deleteProperty(performance, "now");
    Object.assign(globalThis, real.timers, { Date: real.Date });
    Object.assign(timers, real.timers);
    Object.assign(crypto, { randomBytes: real.randomBytes });
    Math.random = real.random;
    process.emitWarning = real.emitWarning;
  };
}

export const runtime = {
  rest,
  /** Runs `run` with the world's date, timers and random numbers in the place of the real ones. */
  async within<T>(world: World, run: () => Promise<T>): Promise<T> {
    const uninstall = install(world);
    try {
      return await run();
    } finally {
      uninstall();
    }
  },
};
