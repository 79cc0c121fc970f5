/**
 * A simulated Redis server: the commands that the store sends, scripts and their cache, publish and subscribe. A command,
 * a script with all that it does and publishes, is one step.
 */
import { documentIn } from "../../../../src/stores/common/documents.ts";
import { latest } from "../../../../src/stores/redis/connection.ts";
import type { Ledger } from "../../ledger.ts";
import { DatabaseServer } from "../../world/database-server.ts";
import { Journal } from "../../world/journal.ts";
import { epochMs } from "../../world/process.ts";
import type { Random } from "../../world/random.ts";
import type { World } from "../../world/world.ts";
import { type Entry, Keyspace, type KeyspaceObserver } from "./keyspace.ts";
import { type Reply, ReplyError } from "./reply.ts";
import { isRead, scriptOf, sha1 } from "./scripts.ts";

/** A connection, as the server has it. */
export interface Peer {
  /** The name of the process at the other end. */
  readonly name: string;
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  push(pushed: Pushed): void;
}

/** Messages that the server pushes. */
export interface Pushed {
  readonly pattern: string | undefined;
  readonly channel: string;
  readonly text: string;
}

/** The outcome of a command. */
export type Answer = { readonly reply: Reply } | { readonly error: ReplyError };

const prefix = "sess:";

export class RedisServer extends DatabaseServer implements KeyspaceObserver {
  readonly mayForget = true;
  readonly keyspace: Keyspace;
  /** `notify-keyspace-events`. */
  readonly keyspaceEvents: "" | "g$xK";
  readonly #entries: Journal<Entry>;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #cachedScripts = new Set<string>();
  readonly #peers = new Set<Peer>();
  /** Keys for which it is planned to look whether their time is over. */
  readonly #awaited = new Set<string>();
  #reads = 0;

  constructor(world: World, ledger: Ledger, keyspaceEvents: boolean) {
    super(world);
    this.keyspaceEvents = keyspaceEvents ? "g$xK" : "";
    this.#ledger = ledger;
    this.#random = world.random.fork("redis expiry");
    this.#entries = new Journal(() => world.now);
    this.keyspace = new Keyspace(this.#entries, () => this.now, this);
  }

  /** Milliseconds since the epoch, by its clock. */
  get now(): number {
    return Math.floor(epochMs + this.world.now);
  }

  /** Commands that have come together. */
  answer(peer: Peer, commands: readonly (readonly string[])[]): Answer[] {
    this.#reads = 0;
    const answers = commands.map((command) => this.#answerOne(peer, command));
    if (this.#reads > 0) this.#ledger.read(peer.name, this.#reads);
    return answers;
  }

  forgetPeer(peer: Peer): void {
    this.#peers.delete(peer);
  }

  stored(key: string, text: string, endsAt = latest): void {
    const sid = sidOf(key);
    if (sid !== undefined) this.#ledger.stored(sid, documentIn(JSON.parse(text)), endsAt);
    this.#lookAgainAt(key, endsAt);
  }

  expires(key: string, endsAt: number): void {
    const sid = sidOf(key);
    if (sid !== undefined) this.#ledger.touched(sid, endsAt);
    this.#lookAgainAt(key, endsAt);
  }

  removed(key: string): void {
    const sid = sidOf(key);
    if (sid !== undefined) this.#ledger.removed(sid);
  }

  event(key: string, name: string): void {
    if (this.keyspaceEvents) this.#publish(`__keyspace@0__:${key}`, name);
  }

  protected override failure(): Error {
    return new ReplyError("LOADING Redis is loading the dataset in memory");
  }

  protected override restarted(): void {
    this.#cachedScripts.clear();
    this.#peers.clear();
  }

  protected forget(since: number): void {
    for (const key of this.#entries.forget(since)) {
      const sid = sidOf(key);
      if (sid === undefined) continue;
      const entry = this.#entries.get(key);
      const text = entry?.value.type === "string" ? entry.value.text : undefined;
      const document = text === undefined ? undefined : documentIn(JSON.parse(text));
      this.#ledger.forgotten(sid, document, text === undefined ? epochMs : (entry?.endsAt ?? latest));
      if (entry?.endsAt !== undefined) this.#lookAgainAt(key, entry.endsAt);
    }
  }

  #answerOne(peer: Peer, command: readonly string[]): Answer {
    try {
      return { reply: this.#run(peer, command) };
    } catch (error) {
      if (error instanceof ReplyError) return { error };
      throw error;
    }
  }

  #run(peer: Peer, [name = "", ...args]: readonly string[]): Reply {
    const [first = "", second = ""] = args;
    switch (name.toUpperCase()) {
      case "HELLO":
      case "PING":
        return "OK";
      case "EVALSHA":
        if (!this.#cachedScripts.has(first))
          throw new ReplyError("NOSCRIPT No matching script. Please use EVAL.");
        return this.#runScript(first, args.slice(1));
      case "EVAL":
        this.#cachedScripts.add(sha1(first));
        return this.#runScript(sha1(first), args.slice(1));
      case "PUBLISH":
        return this.#publish(first, second);
      case "SUBSCRIBE":
        return this.#subscribe(peer, peer.channels, first);
      case "PSUBSCRIBE":
        return this.#subscribe(peer, peer.patterns, first);
      case "DEL":
        return args.filter((key) => this.keyspace.del(key)).length;
      case "PTTL":
        return this.keyspace.pttl(first);
      case "SCAN":
        return [
          "0",
          this.keyspace.keys.filter((key) => matches(key, args[args.indexOf("MATCH") + 1] ?? "*")),
        ];
      case "CONFIG":
        return [second, this.keyspaceEvents];
      case "CLIENT":
        return "id=1 db=0";
      default:
        return this.#unknown(`the command ${name}`);
    }
  }

  #runScript(sha: string, [count = "0", ...rest]: readonly string[]): Reply {
    const run = scriptOf(sha);
    if (!run) return this.#unknown(`a script of the hash ${sha}`);
    if (isRead(sha)) this.#reads++;
    const context = {
      keyspace: this.keyspace,
      publish: (channel: string, text: string) => void this.#publish(channel, text),
    };
    return run(context, rest.slice(0, Number(count)), rest.slice(Number(count)));
  }

  #subscribe(peer: Peer, subscriptions: Set<string>, name: string): Reply {
    this.#peers.add(peer);
    subscriptions.add(name);
    return 1;
  }

  #publish(channel: string, text: string): number {
    let receivers = 0;
    for (const peer of this.#peers) {
      const patterns = [...peer.patterns].filter((pattern) => matches(channel, pattern));
      for (const pattern of [...(peer.channels.has(channel) ? [undefined] : []), ...patterns]) {
        receivers++;
        peer.push({ pattern, channel, text });
      }
    }
    return receivers;
  }

  /** Redis looks at some keys ten times a second. */
  #lookAgainAt(key: string, endsAt: number): void {
    if (endsAt === latest || this.#awaited.has(key)) return;
    this.#awaited.add(key);
    this.world.after(endsAt - this.now + this.#random.int(1, 100), () => {
      this.#awaited.delete(key);
      this.keyspace.expire(key);
      const later = this.#entries.get(key)?.endsAt;
      if (later !== undefined) this.#lookAgainAt(key, later);
    });
  }

  /** The simulation has to learn it: no failure that a store could take for the server's. */
  #unknown(what: string): never {
    const text = `The simulated Redis does not know ${what}.`;
    this.world.trace.add({ kind: "crash", node: "redis", text });
    throw new ReplyError(text);
  }
}

function sidOf(key: string): string | undefined {
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Of a glob, what the store uses: an escaped text, and a star at its end. */
function matches(text: string, glob: string): boolean {
  const plain = glob.replaceAll(/\\(.)/g, "$1");
  return plain.endsWith("*") ? text.startsWith(plain.slice(0, -1)) : text === plain;
}
