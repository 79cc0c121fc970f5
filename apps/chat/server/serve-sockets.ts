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

type ChatServer = Server<ClientToServer, ServerToClient>;
type ChatSocket = Socket<ClientToServer, ServerToClient>;

const room = "chat";

/** Extensions of a session raise no event, so they are looked for: a comparison per socket, without any I/O. */
const lookIntervalMs = 1_000;

/** What happens on a socket. The returned function stops what was started. */
export function serveSockets(io: ChatServer, now: () => number): () => void {
  const conversation = new Conversation(now);
  const deadlines = new WeakMap<ChatSocket, number>();
  const tellSession = (socket: ChatSocket) => {
    deadlines.set(socket, socket.session.expiresAt);
    socket.emit("session", viewOf(socket.session, now()));
  };
  const tellWhoIsHere = () => io.to(room).emit("here", whoIsHere(io.sockets.sockets.values()));

  io.on("connection", (socket) => {
    const { session } = socket;
    socket.join(room);
    tellSession(socket);
    socket.emit("history", conversation.last);
    tellWhoIsHere();

    session.on("change", () => {
      tellSession(socket);
      tellWhoIsHere();
    });
    socket.on("disconnect", tellWhoIsHere);

    socket.on("message", (text, answer) => {
      const said = conversation.say(text, session, socket.handshake.address);
      if (said.ok) io.to(room).emit("message", said.message);
      if (typeof answer === "function") answer(said.ok ? { ok: true } : said);
    });
    socket.on("stay", (answer) => {
      if (typeof answer === "function") answer();
    });
  });

  const looking = setInterval(() => {
    for (const socket of io.sockets.sockets.values()) {
      if (deadlines.get(socket) !== socket.session.expiresAt) tellSession(socket);
    }
  }, lookIntervalMs);
  return () => clearInterval(looking);
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
