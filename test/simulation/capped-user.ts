/** A user whose sessions have a cap, and who logs in on several nodes at the same time. */
import type { Cluster } from "./cluster.ts";
import type { Mix } from "./mix.ts";
import type { Random } from "./world/random.ts";
import type { World } from "./world/world.ts";

/** Between two logins, or some at the same time. */
const waitsMs = [100, 20_000] as const;
/** After the last fault: nothing of before it is under way any more. */
const calmMs = 60_000;

export class CappedUser {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #sids: string[] = [];
  #isResting = false;

  constructor(world: World, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork("capped user");
    this.#plan();
  }

  /** Nothing goes wrong any more: the user logs in, out everywhere, and in again. */
  rest(): void {
    this.#isResting = true;
    this.#world.after(calmMs, () => this.#logIn());
    this.#world.after(calmMs + 5_000, () => this.#logOut());
    this.#world.after(calmMs + 10_000, () => this.#logIn());
  }

  #plan(): void {
    this.#world.after(this.#random.int(...waitsMs), () => {
      if (this.#isResting) return;
      this.#logIn();
      this.#plan();
    });
  }

  #logIn(): void {
    for (let times = this.#random.int(1, 4); times > 0; times--)
      this.#cluster.reach((node) => {
        void node.logIn?.().then((sid) => sid !== undefined && this.#sids.push(sid));
      });
  }

  #logOut(): void {
    for (const sid of this.#sids.splice(0)) this.#cluster.reach((node) => void node.end(sid));
  }
}

export function cappedUser(world: World, cluster: Cluster, { cap }: Mix): CappedUser | undefined {
  return cap && new CappedUser(world, cluster);
}
