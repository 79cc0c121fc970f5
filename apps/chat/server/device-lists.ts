import type { LifecycleEvent, LiveSessions } from "socket-session";
import type { ChatServer, ChatSocket } from "./serve-sockets.ts";

const userRoom = (userId: string) => `user ${userId}`;
const sessionRoom = (publicId: string) => `session ${publicId}`;

export interface DeviceListsOptions {
  readonly io: ChatServer;
  readonly sessions: LiveSessions;
  readonly now: () => number;
  /** Whether an adapter connects this node with others. */
  readonly hasOtherNodes: boolean;
}

/**
 * Shows each user their sessions, in all their tabs on all devices: at once when one is added, renamed, used or over.
 * Announces a new one to the others.
 */
export class DeviceLists {
  readonly #options: DeviceListsOptions;
  /** Users whose list is being read; true if it has changed since. */
  readonly #reading = new Map<string, boolean>();

  constructor(options: DeviceListsOptions) {
    this.#options = options;
    const { io, sessions } = options;
    // a listener that rejects is reported by the sessions' `error` event
    sessions.on("lifecycle", (event) => this.#follow(event));
    io.on("devices", (userId) => void this.#send(userId).catch(report));
  }

  /** Sends the list to a socket for as long as it has a user. */
  admit(socket: ChatSocket): void {
    const { session } = socket;
    let user: string | undefined;
    const enter = () => {
      if (session.userId === user) return;
      if (user !== undefined) {
        void socket.leave(userRoom(user));
        this.#changed(user);
      }
      user = session.userId;
      if (user === undefined) return;
      void socket.join([userRoom(user), sessionRoom(session.publicId)]);
      this.#changed(user);
    };
    enter();
    session.on("change", enter);
    session.on("extend", () => {
      if (user !== undefined) this.#changed(user);
    });
  }

  async #follow(event: LifecycleEvent): Promise<void> {
    if (event.type === "refused" || event.type === "created" || event.userId === undefined) return;
    if (event.type === "login") await this.#announce(event.userId, event.publicId);
    this.#changed(event.userId);
  }

  async #announce(userId: string, publicId: string): Promise<void> {
    const { io, sessions } = this.#options;
    const found = (await sessions.user(userId).list()).find((one) => one.publicId === publicId);
    if (!found) return; // over already
    io.to(userRoom(userId))
      .except(sessionRoom(publicId))
      .emit("story", `A new device is signed in as you: ${found.device}. If it is not yours, sign it out.`);
  }

  #changed(userId: string): void {
    const { io, hasOtherNodes } = this.#options;
    void this.#send(userId).catch(report);
    if (hasOtherNodes) io.serverSideEmit("devices", userId);
  }

  /** Each node sends the list to its own sockets. Reads it once for several changes at the same time. */
  async #send(userId: string): Promise<void> {
    const { io, sessions, now } = this.#options;
    const room = userRoom(userId);
    if (!io.sockets.adapter.rooms.has(room)) return;
    if (this.#reading.has(userId)) return void this.#reading.set(userId, true);
    try {
      do {
        this.#reading.set(userId, false);
        const found = await sessions.user(userId).list();
        const devices = found.map(({ publicId, device, lastSeenAt, expiresAt }) => ({
          publicId,
          name: String(device ?? ""),
          seenAgoMs: Math.max(now() - lastSeenAt, 0),
          leftMs: Math.max(expiresAt - now(), 0),
        }));
        io.local.to(room).emit("devices", devices);
      } while (this.#reading.get(userId));
    } finally {
      this.#reading.delete(userId);
    }
  }
}

/** The next change sends the list again. */
function report(error: unknown): void {
  console.error("A list of devices was not sent:", error instanceof Error ? error.message : error);
}
