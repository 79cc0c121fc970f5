/** Schedules the faults of a mix: each kind repeatedly, from a random stream of its own. */
import type { Cluster, Member } from "./cluster.ts";
import type { FaultName, Mix } from "./mix.ts";
import type { DatabaseServer } from "./world/database-server.ts";
import type { Random } from "./world/random.ts";
import type { World } from "./world/world.ts";

type Timed = Exclude<FaultName, "lost reply">;

const minuteMs = 60_000;
/** Some faults don't last long. */
const longestMs: Readonly<Partial<Record<Timed, number>>> = {
  ...{ reset: 10_000, kill: 20_000, failing: 20_000, restart: 10_000, failover: 10_000 },
};
/** How far from the right time a clock may be set. */
export const longestJumpMs = 2_000;

export class Chaos {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #server: DatabaseServer;
  #isOver = false;

  constructor(world: World, cluster: Cluster, server: DatabaseServer, { faults }: Mix) {
    this.#world = world;
    this.#cluster = cluster;
    this.#server = server;
    for (const [name, perMinute] of Object.entries(faults))
      if (name !== "lost reply") this.#plan(name as Timed, perMinute, world.random.fork(`fault ${name}`));
  }

  /** All that is wrong is right again, and stays so. */
  end(): void {
    this.#isOver = true;
    this.#server.heal();
    for (const { process } of this.#cluster.members) process.resume();
  }

  #plan(name: Timed, perMinute: number, random: Random): void {
    const ms = (-Math.log(1 - random.next()) * minuteMs) / perMinute;
    this.#world.after(ms, () => {
      if (this.#isOver) return;
      this.#happen(name, random);
      this.#plan(name, perMinute, random);
    });
  }

  #happen(name: Timed, random: Random): void {
    const usualMs = random.chance(0.6) ? random.int(50, 5_000) : random.int(5_000, 90_000);
    // what a process that was frozen for longer than `staleMs` finds is of too old a session
    const drawnMs = name === "pause" && random.chance(0.3) ? random.int(60_000, 90_000) : usualMs;
    const ms = Math.min(drawnMs, longestMs[name] ?? Number.POSITIVE_INFINITY);
    const ofDatabase = this.#ofDatabase(name, ms, random);
    if (ofDatabase) {
      this.#note(name, ms);
      ofDatabase();
      return;
    }
    const member = random.pick(this.#cluster.members);
    if (!member.process.isRunning) return;
    this.#note(name, ms, member.process.name);
    this.#toNode(name, member, ms, random);
  }

  #note(fault: Timed, ms: number, node?: string): void {
    const until = this.#world.now + ms;
    this.#world.trace.add({ kind: "fault", fault, until, ...(node === undefined ? {} : { node }) });
  }

  #ofDatabase(name: Timed, ms: number, random: Random): (() => void) | undefined {
    const server = this.#server;
    if (name === "slow") return () => server.slow(ms, random.int(5, 200));
    if (name === "failing") return () => server.fail(ms);
    if (name === "hanging") return () => server.hang(ms);
    if (name === "restart") return () => server.restart(ms);
    if (name !== "failover") return undefined;
    return () => {
      if (server.mayForget) server.failOver(ms, random.int(1, 1_000));
      else server.restart(ms);
    };
  }

  #toNode(name: Timed, member: Member, ms: number, random: Random): void {
    const { process, route } = member;
    if (name === "cut") route.silence(ms);
    else if (name === "reset") route.refuse(ms);
    else if (name === "deaf") route.deafen(ms);
    else if (name === "clock") process.setClock(random.int(-longestJumpMs, longestJumpMs));
    else if (name === "kill") this.#cluster.kill(member, ms);
    else {
      process.pause();
      this.#world.after(ms, () => process.resume());
    }
  }
}
