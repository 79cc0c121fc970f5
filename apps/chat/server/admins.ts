import type { LiveSessions } from "socket-session";
import { admins } from "../shared/events.ts";
import type { ChatServer, ChatSocket } from "./serve-sockets.ts";

const figuresEveryMs = 1_000;

/** The room of the admins, who see this node's figures for as long as they have the right. */
export class Admins {
  readonly #rule;
  readonly #figures: NodeJS.Timeout;

  constructor(io: ChatServer, sessions: LiveSessions) {
    this.#rule = sessions.require(({ isAdmin }) => isAdmin === true, { code: admins.code });
    this.#figures = setInterval(() => {
      if (!io.sockets.adapter.rooms.has(admins.room)) return;
      const { live, connections } = sessions.stats();
      io.local.to(admins.room).emit("figures", { sessions: live, connections });
    }, figuresEveryMs);
  }

  /** Lets the socket in as soon as it has the right; the rule puts it out again. */
  admit(socket: ChatSocket): void {
    const join = () => this.#rule.room(socket, admins.room);
    join();
    socket.session.on("change", join);
  }

  close(): void {
    clearInterval(this.#figures);
  }
}
