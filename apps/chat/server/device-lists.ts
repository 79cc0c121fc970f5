import type { LifecycleEvent, LiveSessions } from "socket-session";
import type { Device } from "../shared/events.ts";
import type { ChatServer, ChatSocket } from "./serve-sockets.ts";

const userRoom = (userId: string) => `user ${userId}`;
const sessionRoom = (publicId: string) => `session ${publicId}`;

export interface DeviceListsOptions {
  readonly io: ChatServer;
  readonly sessions: LiveSessions;
  readonly now: () => number;
}

/**
 * Shows each user their sessions, in all their tabs on all devices: at once when one is added, renamed, used, closed or over.
 * Announces a new one to the others. The adapter carries it to the tabs on other nodes.
 */
export class DeviceLists {
  readonly #options: DeviceListsOptions;
  /** Users whose list is being read; true if it has changed since. */
  readonly #reading = new Map<string, boolean>();
  #isClosed = false;

  constructor(options: DeviceListsOptions) {
    this.#options = options;
    // a listener that rejects is reported by the sessions' `error` event
    options.sessions.on("lifecycle", (event) => this.#follow(event));
  }

  /** Sends the list to a socket for as long as it has a user. */
  admit(socket: ChatSocket): void {
    const { session } = socket;
    let user: string | undefined;
    const changed = () => {
      if (user !== undefined) void this.#send(user).catch(report);
    };
    const enter = () => {
      if (session.userId === user) return;
      if (user !== undefined) void socket.leave(userRoom(user));
      changed();
      user = session.userId;
      if (user !== undefined) void socket.join([userRoom(user), sessionRoom(session.publicId)]);
      changed();
    };
    enter();
    session.on("change", enter);
    session.on("extend", changed);
    socket.on("disconnect", changed);
  }

  /** The store is about to close. */
  close(): void {
    this.#isClosed = true;
  }

  async #follow(event: LifecycleEvent): Promise<void> {
    if (event.type === "refused" || event.type === "created" || event.userId === undefined) return;
    if (event.type === "login" && !this.#isClosed) await this.#announce(event.userId, event.publicId);
    await this.#send(event.userId);
  }

  async #announce(userId: string, publicId: string): Promise<void> {
    const { io, sessions } = this.#options;
    const found = (await sessions.user(userId).list()).find((one) => one.publicId === publicId);
    if (!found) return; // over already
    io.to(userRoom(userId))
      .except(sessionRoom(publicId))
      .emit("story", `A new device is signed in as you: ${found.device}. If it is not yours, sign it out.`);
  }

  /** Reads the list once for several changes at the same time. */
  async #send(userId: string): Promise<void> {
    if (this.#isClosed) return;
    if (this.#reading.has(userId)) return void this.#reading.set(userId, true);
    try {
      do {
        this.#reading.set(userId, false);
        this.#options.io.to(userRoom(userId)).emit("devices", await this.#list(userId));
      } while (this.#reading.get(userId));
    } finally {
      this.#reading.delete(userId);
    }
  }

  async #list(userId: string): Promise<Device[]> {
    const { sessions, now } = this.#options;
    const found = await sessions.user(userId).list({ sockets: true });
    return found.map(({ publicId, device, lastSeenAt, expiresAt, sockets: { here, others = 0 } }) => ({
      publicId,
      name: String(device ?? ""),
      tabs: here + others,
      seenAgoMs: Math.max(now() - lastSeenAt, 0),
      leftMs: Math.max(expiresAt - now(), 0),
    }));
  }
}

/** The next change sends the list again. */
function report(error: unknown): void {
  console.error("A list of devices was not sent:", error instanceof Error ? error.message : error);
}
