/**
 * The network between a node and its clients: TCP connections that delay bytes and keep their order. The node's end is
 * a stream that `node:http` accepts as a socket, so a node runs its production code.
 *
 * Some connections are lost: the client notices at once, the node then or much later.
 */
import type { Server } from "node:http";
import { Duplex } from "node:stream";
import { connectionError } from "../world/connection.ts";
import type { SimulatedProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";

export interface ClientNetworkOptions {
  /** Of each way, in milliseconds. */
  readonly latencyMs: readonly [low: number, high: number];
  /** How likely it is that a connection gets lost within its first minute. */
  readonly losses: number;
}

/** The events at a client's end of a connection. */
export interface ClientEvents {
  receive(bytes: Buffer): void;
  /** Without an error, the node has closed it. */
  closed(error?: Error): void;
}

/** Sees what leaves the node, as it leaves. */
export type Watch = (bytes: Buffer) => void;

export class ClientNetwork {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly random: Random;
  readonly watch: Watch;
  readonly connections = new Set<ClientConnection>();
  readonly #server: Server;
  readonly #latencyMs: ClientNetworkOptions["latencyMs"];
  #losses: number;

  constructor(
    world: World,
    process: SimulatedProcess,
    server: Server,
    { latencyMs, losses }: ClientNetworkOptions,
    watch: Watch = () => {},
  ) {
    this.world = world;
    this.process = process;
    this.random = world.random.fork(`clients of ${process.name}`);
    this.watch = watch;
    this.#server = server;
    this.#latencyMs = latencyMs;
    this.#losses = losses;
    process.onKill(() => {
      for (const connection of [...this.connections]) connection.lose("ECONNRESET", latencyMs[1]);
    });
  }

  /** Opens a connection: what is written to it until the node takes it waits. */
  connect(client: ClientEvents): ClientConnection {
    const connection = new ClientConnection(this, client);
    const { world, process, random } = this;
    if (process.isDead) connection.lose("ECONNREFUSED", this.latency());
    else connection.open((end) => void this.#server.emit("connection", end));
    if (random.chance(this.#losses)) {
      const lateMs = random.pick([0, 1_000, 20_000]);
      world.after(random.int(0, 60_000), () => this.#losses > 0 && connection.loseBoth(lateMs));
    }
    return connection;
  }

  latency(): number {
    return this.random.int(...this.#latencyMs);
  }

  /** Nothing gets lost any more. */
  heal(): void {
    this.#losses = 0;
  }
}

/** One connection, as its client has it. */
export class ClientConnection {
  readonly #network: ClientNetwork;
  readonly #client: ClientEvents;
  readonly #end: NodeEnd;
  #thereAt = 0;
  #backAt = 0;
  #isOpen = true;
  #hasEnded = false;
  /** Bytes that the node sends at one moment travel together, however many writes it makes. */
  #packet: { readonly step: number; readonly parts: Buffer[] } | undefined;

  constructor(network: ClientNetwork, client: ClientEvents) {
    this.#network = network;
    this.#client = client;
    this.#end = new NodeEnd({
      sent: (bytes) => this.#sent(bytes),
      ended: () => this.#ended(),
    });
    network.connections.add(this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(accept: (end: Duplex) => void): void {
    this.#atNode(() => accept(this.#end));
  }

  write(bytes: string | Buffer): void {
    if (this.#isOpen) this.#atNode(() => this.#end.destroyed || this.#end.push(bytes));
  }

  /** The client closes it, and takes nothing from it any more. */
  close(): void {
    if (!this.#isOpen) return;
    this.#shut();
    const isReset = this.#network.random.chance(0.5);
    this.#atNode(() => {
      if (isReset) this.#end.destroy(connectionError("ECONNRESET"));
      else if (!this.#end.destroyed) this.#end.push(null);
    });
  }

  /** The connection breaks for the client after `lateMs`; the node does not notice. */
  lose(code: string, lateMs: number): void {
    this.#network.connections.delete(this);
    this.#network.world.after(lateMs, () => {
      if (!this.#isOpen) return;
      this.#shut();
      this.#client.closed(connectionError(code));
    });
  }

  /** It breaks for the client now, and for the node after `lateMs`. */
  loseBoth(lateMs: number): void {
    if (!this.#isOpen) return;
    this.lose("ECONNRESET", 0);
    const reset = () => this.#atNode(() => this.#end.destroy(connectionError("ECONNRESET")));
    this.#network.world.after(lateMs, reset);
  }

  #shut(): void {
    this.#isOpen = false;
    this.#network.connections.delete(this);
  }

  #atNode(happen: () => void): void {
    const { world, process } = this.#network;
    this.#thereAt = Math.max(this.#thereAt, world.now + this.#network.latency());
    world.after(this.#thereAt - world.now, happen, process);
  }

  #atClient(happen: () => void): void {
    const { world } = this.#network;
    this.#backAt = Math.max(this.#backAt, world.now + this.#network.latency());
    world.after(this.#backAt - world.now, () => this.#isOpen && happen());
  }

  #sent(bytes: Buffer): void {
    if (this.#network.process.isDead) return;
    this.#network.watch(bytes);
    const { steps } = this.#network.world;
    if (this.#packet?.step === steps) {
      this.#packet.parts.push(bytes);
      return;
    }
    const parts = [bytes];
    this.#packet = { step: steps, parts };
    this.#atClient(() => this.#client.receive(Buffer.concat(parts)));
  }

  #ended(): void {
    if (this.#hasEnded || this.#network.process.isDead) return;
    this.#hasEnded = true;
    this.#atClient(() => {
      this.#shut();
      this.#client.closed();
    });
  }
}

interface NodeEvents {
  sent(bytes: Buffer): void;
  ended(): void;
}

/** The node's end: what Node has of a TCP socket. */
class NodeEnd extends Duplex {
  readonly remoteAddress = "192.0.2.1";
  readonly #events: NodeEvents;

  constructor(events: NodeEvents) {
    super();
    this.#events = events;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#events.sent(bytes);
    done();
  }

  override _final(done: () => void): void {
    this.#events.ended();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#events.ended();
    done(error);
  }
}
