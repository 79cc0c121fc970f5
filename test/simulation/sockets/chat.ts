/** The application's Socket.IO part: three kinds of namespaces, slow middleware, handlers, and its messages. */
import type { Server as HttpServer } from "node:http";
import { Server, type Socket } from "socket.io";
import { sessionNames } from "../../../src/data/session-key.ts";
import { secret } from "../clients/session-cookies.ts";
import type { Ledger } from "../ledger.ts";
import type { NodeContext } from "../node-context.ts";
import { codeOf } from "../operations.ts";
import { appendTo } from "../requests/application.ts";
import type { Random } from "../world/random.ts";
import type { AppendOutcome } from "./client.ts";
import type { SocketRecord } from "./socket-record.ts";

const keyOf = sessionNames([secret]);

/** The name by which clients ask that have no right to. */
const intruder = "intruder";

export class Chat {
  readonly io: Server;
  readonly #recovers: boolean;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #recordsByName = new Map<string, SocketRecord>();
  readonly #socketsByName = new Map<string, Socket>();

  /** `recoveries`: the probability that connection state recovery is on. */
  constructor({ ledger, random }: NodeContext, http: HttpServer, recoveries: number) {
    this.#ledger = ledger;
    this.#random = random.fork("chat");
    this.#recovers = this.#random.chance(recoveries);
    const recovery = { maxDisconnectionDuration: 60_000, skipMiddlewares: this.#random.chance(0.7) };
    this.io = new Server(http, {
      ...(this.#recovers ? { connectionStateRecovery: recovery } : {}),
      serveClient: false,
      httpCompression: false,
      cleanupEmptyChildNamespaces: this.#random.chance(0.5),
      // a handshake may take long after the session was read
      allowRequest: (_request, decide) => this.#thinkAbout(() => decide(null, true)),
    });
  }

  /** Once the sessions are attached. */
  start(): void {
    for (const namespace of [this.io.of("/"), this.io.of("/chat"), this.io.of(/^\/room-\d$/)]) {
      namespace.use((_socket, next) => this.#thinkAbout(next));
      namespace.on("connection", (socket) => this.#admit(socket));
    }
  }

  /** A client asks to be let in with it. */
  expect(record: SocketRecord): void {
    this.#recordsByName.set(record.name, record);
  }

  /** Sends something to the socket, if it is connected: by itself, or by its room. */
  tell({ name, namespace }: SocketRecord): void {
    const socket = this.#socketsByName.get(name);
    if (!socket) return;
    if (this.#random.chance(0.5)) socket.emit("told", name);
    else this.io.of(namespace).to(socket.id).emit("told", name);
  }

  /** `bytes` are leaving the node, with packets for the sockets named in them. */
  leaves(bytes: Buffer): void {
    for (const [, name = ""] of bytes.toString("latin1").matchAll(/\["told","(k\d+)"[\],]/g)) {
      const [socket, record] = [this.#socketsByName.get(name), this.#recordsByName.get(name)];
      if (socket && record && (!record.isOver || this.#isEnded(socket, record)))
        record.served(socket.session.data, "application");
    }
  }

  /** A client has to have received something before it can resume its socket; and to miss something while it is away. */
  #follow(socket: Socket, record: SocketRecord, session: string): void {
    if (socket.recovered) record.recovered(session, String(socket.data.line));
    else {
      socket.data.line = record.name;
      socket.emit("told", record.name);
    }
    socket.on("disconnect", () => {
      const ms = this.#random.int(0, 2_000);
      setTimeout(() => socket.nsp.to(socket.id).emit("told", record.name), ms);
    });
  }

  /** The name of the session that the node has given the socket. */
  #sessionOf({ session: { publicId } }: Socket, { sid }: SocketRecord): string {
    const isOf = (one: string) => keyOf(one).publicId === publicId;
    return this.#ledger.nameOf(isOf(sid) ? sid : ([...this.#ledger.sids].find(isOf) ?? "unknown"));
  }

  /**
   * Whether no packet may leave for it any more. What its client has closed may have some under way as long as the session
   * lives, and what is recovered has missed some: of these, `resent` is in the trace.
   */
  #isEnded({ session }: Socket, { mayComeBack }: SocketRecord): boolean {
    return session.state === "ended" && !(this.#recovers && mayComeBack);
  }

  #thinkAbout(next: () => void): void {
    const ms = this.#random.pick([0, 0, 0, 5, 50, 200, 3_000]);
    if (ms === 0) next();
    else setTimeout(next, ms);
  }

  #admit(socket: Socket): void {
    const name = String(socket.handshake.auth.name);
    if (name === intruder) return; // it knows that it is in
    const record = this.#recordsByName.get(name);
    if (!record) throw new Error("Expected a socket that a client of this node has asked for.");
    this.#socketsByName.set(name, socket);
    const session = this.#sessionOf(socket, record);
    record.admitted(session);
    if (this.#recovers) this.#follow(socket, record, session);
    record.served(socket.session.data, "application");
    socket.use((_event, next) => this.#thinkAbout(next));
    socket.on("say", (answer?: (...told: string[]) => void) => {
      record.served(socket.session.data, "client");
      answer?.("told", name);
    });
    socket.on("append", async (list: string, op: string, answer: (outcome: AppendOutcome) => void) => {
      record.served(socket.session.data, "client");
      answer(await append(socket, list, op));
    });
    socket.session.on("change", () => socket.emit("told", name));
    let ended: string | undefined;
    socket.session.on("end", (reason) => {
      ended = reason;
    });
    // the reason of an end is reported after the sockets are closed
    socket.on("disconnect", (reason) => void setImmediate(() => record.closed(ended ?? reason)));
  }
}

/** As the answer to the client has it. */
async function append({ session }: Socket, list: string, op: string): Promise<AppendOutcome> {
  try {
    return { saw: await session.update((draft) => appendTo(draft, list, op)) };
  } catch (error) {
    return { code: codeOf(error) };
  }
}
