import type { Server, Socket } from "socket.io";
import type { LiveSession } from "socket-session";
import {
  type ClientToServer,
  guestName,
  type Here,
  type ServerToClient,
  type SessionView,
} from "../shared/events.ts";
import { Conversation } from "./conversation.ts";
import { type BetweenNodes, OtherNodes } from "./other-nodes.ts";

export type ChatServer = Server<ClientToServer, ServerToClient, BetweenNodes>;
type ChatSocket = Socket<ClientToServer, ServerToClient, BetweenNodes>;

const room = "chat";

/** Extensions of a session raise no event, so each socket's deadline is polled: a comparison, without I/O. */
const lookIntervalMs = 1_000;

export interface ServeOptions {
  readonly now: () => number;
  /** Whether an adapter connects this node with others. */
  readonly hasOtherNodes: boolean;
  readonly nodeName: string | undefined;
  /** The visitor's own address. */
  readonly addressOf: (handshake: ChatSocket["handshake"]) => string;
}

/** Handles the sockets' events. The returned function stops the timers. */
export function serveSockets(io: ChatServer, options: ServeOptions): () => void {
  const { now, hasOtherNodes } = options;
  const conversation = new Conversation(now);
  const deadlines = new WeakMap<ChatSocket, number>();
  const tellSession = (socket: ChatSocket) => {
    deadlines.set(socket, socket.session.expiresAt);
    socket.emit("session", viewOf(socket.session, now()));
  };
  /** Each node notifies its own visitors. */
  const tellWhoIsHere = () => io.local.to(room).emit("here", otherNodes.here);
  const otherNodes = new OtherNodes({
    own: () => whoIsHere(io.sockets.sockets.values()),
    announce: hasOtherNodes ? (announcement) => io.serverSideEmit("announce", announcement) : undefined,
    onChange: tellWhoIsHere,
  });
  hearOtherNodes(io, otherNodes, conversation);
  const hereChanged = () => {
    tellWhoIsHere();
    otherNodes.announce();
  };

  io.on("connection", (socket) => {
    socket.join(room);
    tellSession(socket);
    socket.emit("history", conversation.last);
    if (options.nodeName) socket.emit("node", options.nodeName);
    hereChanged();
    socket.session.on("change", () => {
      tellSession(socket);
      hereChanged();
    });
    socket.on("disconnect", hereChanged);
    takeMessages(io, socket, conversation, options);
  });

  const looking = setInterval(() => {
    for (const socket of io.sockets.sockets.values()) {
      if (deadlines.get(socket) !== socket.session.expiresAt) tellSession(socket);
    }
  }, lookIntervalMs);
  return () => {
    clearInterval(looking);
    otherNodes.close();
  };
}

function takeMessages(
  io: ChatServer,
  socket: ChatSocket,
  conversation: Conversation,
  { hasOtherNodes, addressOf }: ServeOptions,
): void {
  socket.on("message", (text, answer) => {
    const said = conversation.say(text, socket.session, addressOf(socket.handshake));
    if (said.ok) {
      io.to(room).emit("message", said.message); // to the visitors of all nodes, if there is an adapter
      if (hasOtherNodes) io.serverSideEmit("said", said.message);
    }
    if (typeof answer === "function") answer(said.ok ? { ok: true } : said);
  });
  socket.on("stay", (answer) => {
    if (typeof answer === "function") answer();
  });
}

function hearOtherNodes(io: ChatServer, otherNodes: OtherNodes, conversation: Conversation): void {
  io.on("announce", (announcement) => {
    if (announcement.isNew) io.serverSideEmit("told", conversation.last);
    otherNodes.hear(announcement);
  });
  io.on("said", (message) => conversation.remember([message]));
  io.on("told", (messages) => {
    otherNodes.settle();
    if (conversation.remember(messages)) io.local.to(room).emit("history", conversation.last);
  });
}

function viewOf({ state, publicId, data, expiresAt }: LiveSession, now: number): SessionView {
  if (state === "guest") return { state };
  return { state: "live", publicId, name: data.name ?? guestName, leftMs: Math.max(expiresAt - now, 0) };
}

function whoIsHere(sockets: Iterable<ChatSocket>): Here {
  const namesByPublicId = new Map<string, string>();
  let guests = 0;
  for (const { session } of sockets) {
    if (session.state === "guest") guests++;
    if (session.state === "live") namesByPublicId.set(session.publicId, session.data.name ?? guestName);
  }
  const people = [...namesByPublicId].map(([publicId, name]) => ({ publicId, name }));
  return { people: people.sort((a, b) => a.name.localeCompare(b.name)), guests };
}
