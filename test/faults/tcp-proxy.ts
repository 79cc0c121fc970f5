/**
 * What stands between one node and its database, and can be told to fail as networks do.
 *
 * ```ts
 * const proxy = await TcpProxy.start(database, { marks: ["SUBSCRIBE\r\n"], isSticky: true });
 * proxy.cut("visible");    // connections are reset, new ones refused
 * proxy.cut("silent");     // connections stay, nothing arrives
 * proxy.dropFeed("silent") // the same for the connection of the change feed alone
 * proxy.delay(250);        // each way
 * proxy.heal();            // what was held back arrives
 * ```
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../../scripts/services/ports.mjs";

/** Whether the two sides learn that they are cut off. A silent cut loses nothing: TCP sends again until it is healed. */
export type Cut = "visible" | "silent";

/** How the connection of a change feed is known. */
export interface FeedMarks {
  /** What only a feed sends. */
  readonly marks: readonly string[];
  /** Whether a connection that was a feed stays one; else what it has sent last decides, as it comes from a pool. */
  readonly isSticky: boolean;
}

const host = "127.0.0.1";

export class TcpProxy {
  readonly port: number;
  readonly #target: { host: string; port: number };
  readonly #feed: FeedMarks;
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #cut: Cut | undefined;
  #feedCut: Cut | undefined;
  #delayMs = 0;
  /** How often a feed's connection was reset since the start. */
  feedsCut = 0;

  private constructor(port: number, target: { host: string; port: number }, feed: FeedMarks) {
    this.port = port;
    this.#target = target;
    this.#feed = feed;
  }

  static async start(target: { host: string; port: number }, feed: FeedMarks): Promise<TcpProxy> {
    const proxy = new TcpProxy(await freePort(), target, feed);
    await proxy.#listen();
    return proxy;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  cut(how: Cut): void {
    this.#cut = how;
    if (how === "silent") return;
    this.#server?.close();
    this.#server = undefined;
    for (const link of this.#links) link.reset();
  }

  dropFeed(how: Cut): void {
    this.#feedCut = how;
    for (const link of this.#links) this.#look(link);
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async heal(): Promise<void> {
    this.#cut = undefined;
    this.#feedCut = undefined;
    this.#delayMs = 0;
    if (!this.#server) await this.#listen();
    for (const link of this.#links) link.flush();
  }

  close(): void {
    this.#server?.close();
    for (const link of this.#links) link.reset();
  }

  /** Whether nothing passes on this connection at the moment. */
  holds(link: Link): boolean {
    return this.#cut === "silent" || (link.isFeed && this.#feedCut === "silent");
  }

  async #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen(this.port, host);
    await once(server, "listening");
  }

  #accept(client: Socket): void {
    const link = new Link(this, client, connect({ ...this.#target, noDelay: true }), this.#feed);
    this.#links.add(link);
    client.once("close", () => this.#links.delete(link));
    client.on("data", () => this.#look(link));
    if (this.#cut === "visible") link.reset();
  }

  #look(link: Link): void {
    if (!link.isFeed || this.#feedCut !== "visible") return;
    this.feedsCut++;
    link.reset();
  }
}

/** One connection, from both sides. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #ways: readonly [Way, Way];
  readonly #feed: FeedMarks;
  #isFeed = false;
  #said = "";

  constructor(proxy: TcpProxy, client: Socket, server: Socket, feed: FeedMarks) {
    this.#client = client;
    this.#server = server;
    this.#feed = feed;
    client.on("data", (chunk) => this.#sniff(chunk)); // before it is on its way
    this.#ways = [new Way(this, proxy, client, server), new Way(this, proxy, server, client)];
  }

  get isFeed(): boolean {
    return this.#isFeed;
  }

  flush(): void {
    for (const way of this.#ways) way.flush();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  #sniff(chunk: Buffer): void {
    const { marks, isSticky } = this.#feed;
    // A mark may come in two pieces.
    this.#said = (isSticky ? this.#said.slice(-longestMark) : "") + chunk.toString("latin1");
    const isMarked = marks.some((mark) => this.#said.includes(mark));
    this.#isFeed = isMarked || (isSticky && this.#isFeed);
  }
}

const longestMark = 32;

/** What one side sends to the other, in order: a chunk, or null for its end. */
class Way {
  readonly #link: Link;
  readonly #proxy: TcpProxy;
  readonly #to: Socket;
  readonly #waiting: { readonly chunk: Buffer | null; readonly dueAt: number }[] = [];

  constructor(link: Link, proxy: TcpProxy, from: Socket, to: Socket) {
    this.#link = link;
    this.#proxy = proxy;
    this.#to = to;
    from.on("error", () => {}); // its close follows
    from.on("data", (chunk) => this.#take(chunk));
    from.once("close", () => this.#take(null));
  }

  flush(): void {
    if (this.#proxy.holds(this.#link)) return;
    const now = performance.now();
    for (;;) {
      const [first] = this.#waiting;
      if (!first || first.dueAt > now) return;
      this.#waiting.shift();
      if (first.chunk) this.#to.write(first.chunk);
      else this.#to.destroySoon();
    }
  }

  #take(chunk: Buffer | null): void {
    const { delayMs } = this.#proxy;
    this.#waiting.push({ chunk, dueAt: performance.now() + delayMs });
    if (delayMs === 0) this.flush();
    else setTimeout(() => this.flush(), delayMs + 1);
  }
}
