/** Clients that leave a node, and what they may come back to. */
import type { Server, Socket as ServerSocket } from "socket.io";
import type { Socket, SocketOptions } from "socket.io-client";
import { until } from "../../recipe/waiting.ts";
import { type Browser, connected } from "../../support/browser.ts";
import type { Nodes, NodesOptions, RecoveryPlace } from "./nodes.ts";

/** Everything that the application did with sockets, in order. */
export type Steps = string[];

/** In each namespace, a new socket joins a room of its own and gets a seat. */
export function conversation(io: Server, steps: Steps): void {
  for (const name of ["/", "/admin", "/free"]) {
    const namespace = io.of(name);
    namespace.use((socket, next) => {
      steps.push(`middleware for ${socket.session.data.name}`);
      next();
    });
    namespace.on("connection", (socket) => {
      steps.push(`${socket.recovered ? "recovered" : "new"} for ${socket.session.data.name}`);
      if (!socket.recovered) {
        socket.join(roomOf(socket));
        socket.data.seat = 7;
      }
      socket.session.on("change", ({ name }) => socket.emit("renamed", name));
      socket.on("read", (done) => done(stateOf(socket)));
    });
  }
}

const roomOf = ({ id }: ServerSocket) => `room of ${id}`;

export interface SocketState {
  name: string | undefined;
  session: string;
  isInRoom: boolean;
  seat: number | undefined;
}

function stateOf(socket: ServerSocket): SocketState {
  const { data, state } = socket.session;
  return { name: data.name, session: state, isInRoom: socket.rooms.size > 1, seat: socket.data.seat };
}

export async function startNodes(
  place: RecoveryPlace,
  options: NodesOptions,
): Promise<{ nodes: Nodes; steps: Steps }> {
  const steps: Steps = [];
  const nodes = await place.start({ sockets: (io) => conversation(io, steps), ...options });
  return { nodes, steps };
}

/** A client that has left, with its way back: what a stock client sends to have its socket recovered. */
export interface Departed {
  readonly tab: Browser;
  readonly client: Socket;
  readonly received: string[];
  readonly pid: string;
  readonly offset: string;
  /** Publishes to the room that the client was in, by the node where it will come back. */
  publish(text: string): void;
}

interface Departure {
  readonly namespace?: string;
  /** Whether the event "missed" is published after the client has left. Default: true. */
  readonly misses?: boolean;
  /** What the client sends as its `auth`. */
  readonly auth?: SocketOptions["auth"];
}

/** Connects a client of `tab`, sends it the event "first", and cuts its connection. */
export async function departed(
  nodes: Nodes,
  tab: Browser,
  transport: string,
  { namespace = "/", misses = true, auth = {} }: Departure = {},
): Promise<Departed> {
  nodes.stay();
  const options = { transports: [transport], reconnection: false, auth };
  const client = await tab.connect(namespace, options);
  const received: string[] = [];
  client.on("news", (text) => received.push(text));
  client.on("renamed", (name) => received.push(`renamed ${name}`));
  const { room, gone } = serverSide(nodes, client, namespace);
  nodes.here.io.of(namespace).to(room).emit("news", "first");
  await until(() => received.length === 1);
  const { pid, offset } = wayBack(client);
  client.io.engine.close();
  await gone;
  await nodes.kept(pid);
  nodes.move();
  const publish = (text: string) => void nodes.there.io.of(namespace).to(room).emit("news", text);
  if (misses) publish("missed");
  return { tab, client, received, pid, offset, publish };
}

/** Cuts the connection of a client once more. */
export async function departAgain(nodes: Nodes, { client, pid }: Departed, namespace = "/"): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    const { id = "" } = client;
    nodes.there.io
      .of(namespace)
      .sockets.get(id)
      ?.once("disconnect", () => resolve());
  });
  client.io.engine.close();
  await gone;
  await nodes.kept(pid);
}

function serverSide({ here }: Nodes, client: Socket, namespace: string) {
  const socket = here.io.of(namespace).sockets.get(client.id ?? "");
  if (!socket) throw new Error("Expected the socket to be connected.");
  const gone = new Promise<void>((resolve) => socket.once("disconnect", () => resolve()));
  return { room: roomOf(socket), gone };
}

function wayBack(client: Socket): { pid: string; offset: string } {
  return { pid: String(Reflect.get(client, "_pid")), offset: String(Reflect.get(client, "_lastOffset")) };
}

/** Has the stock client connect again. */
export async function comeBack({ client }: Departed): Promise<void> {
  const back = connected(client);
  client.connect();
  await back;
}
