/**
 * A database with some processes that have its store open, without any of the application: for tests of a
 * `DatabaseKind`.
 *
 * ```ts
 * await play(redis, 1, async (scene) => {
 *   const node = scene.start("a");
 *   const heard = await scene.listen(node);
 *   await scene.done(node.store.create(key, document, scene.later(60_000)));
 * });
 * ```
 */
import type { FeedListener, SessionChange, SessionKey, SessionStore } from "../../../src/session-store.ts";
import { Ledger } from "../ledger.ts";
import { epochMs, SimulatedProcess } from "../world/process.ts";
import type { Route } from "../world/route.ts";
import { runtime } from "../world/runtime.ts";
import { World } from "../world/world.ts";
import type { Database, DatabaseKind } from "./database.ts";

export interface SceneNode {
  readonly process: SimulatedProcess;
  readonly route: Route;
  readonly store: SessionStore;
}

/** A listener that records the changes it receives, by the session's name in the ledger. */
export class HeardChanges implements FeedListener {
  readonly events: string[] = [];
  readonly #nameOf: (change: SessionChange) => string;

  constructor(nameOf: (change: SessionChange) => string) {
    this.#nameOf = nameOf;
  }

  changed(change: SessionChange): void {
    this.events.push(`${change.kind} ${this.#nameOf(change)}`);
  }

  broken(): void {
    this.events.push("broken");
  }

  missed(): void {
    this.events.push("missed");
  }
}

export class Scene {
  readonly world: World;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly #sidByPublicId = new Map<string, string>();

  constructor(world: World, kind: DatabaseKind) {
    this.world = world;
    this.ledger = new Ledger(world.trace);
    this.database = kind.make(world, this.ledger);
  }

  start(name: string, { lostReplies = 0 } = {}): SceneNode {
    const process = new SimulatedProcess(this.world, name);
    const route = this.database.server.route(process, { latencyMs: [1, 5], lostReplies });
    return { process, route, store: this.database.open(process, route) };
  }

  /** A session that changes are known by from now on. */
  key(sid: string): SessionKey {
    this.#sidByPublicId.set(`public ${sid}`, sid);
    return { sid, publicId: `public ${sid}`, publicIds: [`public ${sid}`] };
  }

  /** Milliseconds since the epoch. */
  later(ms: number): number {
    return Math.floor(epochMs + this.world.now) + ms;
  }

  /** Lets time go on. */
  pass(ms: number): Promise<void> {
    return this.world.run(this.world.now + ms);
  }

  /** Lets time go on until the promise is settled, and settles likewise. */
  async done<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await runtime.rest();
    const givesUpAt = this.world.now + 120_000;
    while (!isSettled) {
      if (this.world.now >= givesUpAt)
        throw new Error("Expected an outcome within two minutes, but there is none.");
      await this.pass(1);
    }
    return promise;
  }

  /** As `done`, again and again until it succeeds. */
  async succeeds<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      const [outcome] = await this.done(Promise.allSettled([attempt()]));
      if (outcome.status === "fulfilled") return outcome.value;
      await this.pass(100);
    }
  }

  /** Lets time go on until the server has stored so many versions of sessions, and breaks the connections of the writer. */
  async resetOnceStored(versions: number, { route }: SceneNode): Promise<void> {
    const stored = () => this.world.trace.events.filter(({ kind }) => kind === "stored").length;
    while (stored() < versions) await this.pass(1);
    route.reset();
  }

  /** Resolves once nothing can be missed silently. */
  async listen({ store }: SceneNode): Promise<HeardChanges> {
    const heard = new HeardChanges(({ sid, publicIds }) =>
      this.ledger.nameOf(sid ?? this.#sidByPublicId.get(publicIds?.[0] ?? "") ?? "unknown"),
    );
    await this.succeeds(async () => store.changes?.(heard, { heartbeatMs: 1_000 }));
    return heard;
  }
}

/** Plays a scene in a world of its own, and resolves to it. */
export async function play(
  kind: DatabaseKind,
  seed: number,
  act: (scene: Scene) => Promise<void>,
): Promise<World> {
  const world = new World(seed);
  await runtime.within(world, async () => {
    const scene = new Scene(world, kind);
    try {
      await act(scene);
    } finally {
      scene.database.close?.();
    }
  });
  return world;
}
