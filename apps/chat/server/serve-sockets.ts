import type { Server, Socket } from "socket.io";
import type { LiveSessions } from "socket-session";
import {
  type ClientToServer,
  guestName,
  type Here,
  type Person,
  type ServerToClient,
} from "../shared/events.ts";
import { Admins } from "./admins.ts";
import { authorOf } from "./author.ts";
import type { ClientAddress } from "./client-address.ts";
import { Conversation } from "./conversation.ts";
import { DeviceLists } from "./device-lists.ts";
import { countedNetwork } from "./network.ts";
import { type BetweenNodes, OtherNodes } from "./other-nodes.ts";

export type ChatServer = Server<ClientToServer, ServerToClient, BetweenNodes>;
export type ChatSocket = Socket<ClientToServer, ServerToClient, BetweenNodes>;

/** How long visitors who come and go are collected before all are told. */
const hereEveryMs = 100;

/** All visitors' sockets. */
export const room = "chat";

export interface ServeOptions {
  readonly sessions: LiveSessions;
  readonly now: () => number;
  /** Whether an adapter connects this node with others. */
  readonly hasOtherNodes: boolean;
  readonly nodeName: string | undefined;
  readonly address: ClientAddress;
}

/** Handles the sockets' events. The returned function stops the timers. */
export function serveSockets(io: ChatServer, options: ServeOptions): () => void {
  const { sessions, now, hasOtherNodes, nodeName } = options;
  const conversation = new Conversation(now);
  const devices = new DeviceLists({ io, sessions, now });
  const admins = new Admins(io, sessions);
  /** Each node notifies its own visitors. */
  const tellWhoIsHere = () => io.local.to(room).emit("here", otherNodes.here);
  const otherNodes = new OtherNodes({
    own: () => whoIsHere(io.sockets.sockets.values()),
    announce: hasOtherNodes ? (announcement) => io.serverSideEmit("announce", announcement) : undefined,
    onChange: tellWhoIsHere,
  });
  hearOtherNodes(io, otherNodes, conversation);
  let telling: NodeJS.Timeout | undefined;
  /** Once for many that come and go at the same time, as each is told to all. */
  const hereChanged = () => {
    telling ??= setTimeout(() => {
      telling = undefined;
      tellWhoIsHere();
      otherNodes.announce();
    }, hereEveryMs);
  };

  io.on("connection", (socket) => {
    socket.join(room);
    socket.emit("author", authorOf(socket));
    if (nodeName) socket.emit("node", nodeName);
    socket.emit("history", conversation.last);
    tellOfTicket(socket);
    devices.admit(socket);
    admins.admit(socket);
    hereChanged();
    socket.session.on("change", () => {
      socket.emit("author", authorOf(socket));
      hereChanged();
    });
    socket.on("disconnect", hereChanged);
    takeMessages(io, socket, conversation, options);
  });

  return () => {
    clearTimeout(telling);
    admins.close();
    devices.close();
    otherNodes.close();
  };
}

function takeMessages(
  io: ChatServer,
  socket: ChatSocket,
  conversation: Conversation,
  { hasOtherNodes, address }: ServeOptions,
): void {
  socket.on("message", (text, answer) => {
    const { session } = socket;
    const { name = guestName } = session.data;
    const countedBy = session.publicId || countedNetwork(address.ofSocket(socket));
    const said = conversation.say(text, { author: authorOf(socket), name, countedBy });
    if (said.ok) {
      io.to(room).emit("message", said.message); // to the visitors of all nodes, if there is an adapter
      if (hasOtherNodes) io.serverSideEmit("said", said.message);
    }
    if (typeof answer === "function") answer(said.ok ? { ok: true } : said);
  });
}

/** A page on another host than its sockets has no cookie for them. */
function tellOfTicket(socket: ChatSocket): void {
  const { host, cookie } = socket.handshake.headers;
  if (socket.session.state !== "live" || cookie !== undefined) return;
  socket.emit(
    "story",
    `Connected to ${host} without a cookie: a ticket, good for one connection, let this tab in.`,
  );
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

function whoIsHere(sockets: Iterable<ChatSocket>): Here {
  const peopleByAuthor = new Map<string, Person>();
  let guests = 0;
  for (const socket of sockets) {
    const { state, data } = socket.session;
    const author = authorOf(socket);
    if (state === "guest") guests++;
    if (state !== "live" || peopleByAuthor.has(author)) continue;
    peopleByAuthor.set(author, { author, name: data.name ?? guestName });
  }
  return { people: [...peopleByAuthor.values()].sort((a, b) => a.name.localeCompare(b.name)), guests };
}
