/**
 * A client of Socket.IO: one connection, and one socket or several over it, each in a namespace of its own. As the stock
 * client does, it closes the connection when all its sockets are refused or disconnected.
 */
import type { ClientNetwork } from "../clients/client-network.ts";
import { EngineClient, type EngineClientOptions } from "../clients/engine-client.ts";
import type { Answer } from "../clients/http-request.ts";
import type { SimulatedSocket } from "../node.ts";
import { Failure } from "../operations.ts";
import type { Values } from "../trace.ts";
import type { Random } from "../world/random.ts";
import type { SocketRecord } from "./socket-record.ts";

export interface ClientOptions extends EngineClientOptions {
  /** How long the client waits before it joins each namespace but the first. */
  readonly joinMs: number;
  /** Has the node send something to a socket. */
  readonly tell: (record: SocketRecord) => void;
}

export type AppendOutcome = { readonly saw: Values } | { readonly code: string };

type State = SimulatedSocket["state"];

export class Client implements SimulatedSocket {
  readonly #network: ClientNetwork;
  readonly #random: Random;
  readonly #options: ClientOptions;
  readonly #engine: EngineClient;
  readonly #states: Map<SocketRecord, State>;
  readonly #asked = new Map<number, PromiseWithResolvers<AppendOutcome>>();
  #lastAsked = 0;
  /** The sockets that received a refusal or end at which the client stops. */
  readonly #stopped = new Set<SocketRecord>();

  constructor(
    network: ClientNetwork,
    random: Random,
    records: readonly SocketRecord[],
    options: ClientOptions,
  ) {
    this.#network = network;
    this.#random = random;
    this.#options = options;
    this.#states = new Map(records.map((record) => [record, "asking"]));
    this.#engine = new EngineClient(network, options, {
      opened: () => this.#join(),
      message: (text) => this.#receive(text),
      closed: (answer) => this.#lost(answer),
    });
  }

  get state(): State {
    const states = [...this.#states.values()];
    return states.find((state) => state === "open") ?? states.find((state) => state === "asking") ?? "closed";
  }

  /** Of its connection, if it has one. */
  get connection(): string | undefined {
    return this.#engine.id;
  }

  get isFinal(): boolean {
    return this.#stopped.size === this.#states.size; // of the others, each tries again
  }

  say(): void {
    this.#send(["say"], this.#random.chance(0.3) ? 0 : undefined);
  }

  tell(): void {
    const record = this.#anyOpen();
    if (record) this.#options.tell(record);
  }

  /** Has the node append to a list of the session; rejects if the connection is over before the answer. */
  append(list: string, op: string): Promise<AppendOutcome> {
    const id = ++this.#lastAsked;
    if (!this.#send(["append", list, op], id)) return Promise.reject(new Failure("NOT_CONNECTED"));
    const asked = Promise.withResolvers<AppendOutcome>();
    this.#asked.set(id, asked);
    return asked.promise;
  }

  leave(): void {
    for (const record of this.#states.keys()) record.left();
    const isPolite = this.#random.chance(0.5);
    if (isPolite)
      for (const { namespace } of this.#states.keys()) this.#engine.send(`1${prefixOf(namespace)}`);
    this.#engine.close(this.#random.chance(0.7));
    this.#lost();
  }

  #join(): void {
    let afterMs = 0;
    for (const record of this.#states.keys()) {
      const join = () => {
        if (this.#states.get(record) !== "asking") return;
        this.#engine.send(`0${prefixOf(record.namespace)}${JSON.stringify(record.auth)}`);
      };
      if (afterMs === 0) join();
      else this.#network.world.after(afterMs, join);
      afterMs += this.#options.joinMs;
    }
  }

  #receive(text: string): void {
    const { type, namespace, id, data } = packetOf(text);
    const record = [...this.#states.keys()].find((one) => one.namespace === namespace);
    if (!record) return;
    if (type === "0") this.#open(record, data);
    else if (type === "2") this.#heard(record, data);
    else if (type === "1") this.#stop(record);
    else if (type === "3") this.#answered(id, data);
    else if (type === "4") {
      record.refused(JSON.parse(data).data?.code ?? "none", true);
      this.#stop(record);
    }
  }

  #open(record: SocketRecord, data: string): void {
    record.connected(JSON.parse(data).pid);
    this.#states.set(record, "open");
  }

  /** What it has missed comes before the answer to its `CONNECT`. */
  #heard(record: SocketRecord, data: string): void {
    const [event, name = "", offset]: string[] = JSON.parse(data);
    if (event === "told") record.received(name, offset);
  }

  #answered(id: number, data: string): void {
    this.#asked.get(id)?.resolve(JSON.parse(data)[0]);
    this.#asked.delete(id);
  }

  #stop(record: SocketRecord): void {
    this.#stopped.add(record);
    this.#states.set(record, "closed");
    if (this.state !== "closed") return;
    this.#engine.close(true);
    this.#forget();
  }

  #lost(answer?: Answer): void {
    for (const record of this.#states.keys()) {
      record.goesAway();
      record.refused(answer ? codeOf(answer) : "lost", false);
      this.#states.set(record, "closed");
    }
    this.#forget();
  }

  #forget(): void {
    for (const { reject } of this.#asked.values()) reject(new Failure("ECONNRESET"));
    this.#asked.clear();
  }

  #send(event: readonly string[], id: number | undefined): boolean {
    const record = this.#anyOpen();
    if (!record) return false;
    this.#engine.send(`2${prefixOf(record.namespace)}${id ?? ""}${JSON.stringify(event)}`);
    return true;
  }

  #anyOpen(): SocketRecord | undefined {
    const open = [...this.#states].filter(([, state]) => state === "open").map(([record]) => record);
    return open.length > 0 ? this.#random.pick(open) : undefined;
  }
}

function prefixOf(namespace: string): string {
  return namespace === "/" ? "" : `${namespace},`;
}

function packetOf(text: string): { type: string; namespace: string; id: number; data: string } {
  const [, type = "", namespace = "/", id = "", data = ""] =
    /^(\d)(?:(\/[^,]*),)?(\d*)(.*)$/s.exec(text) ?? [];
  return { type, namespace, id: Number(id), data };
}

/** Of a handshake that was refused. */
function codeOf({ status, body }: Answer): string {
  return /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? `HTTP ${status}`;
}
