import { IoAdapter } from "@nestjs/platform-socket.io";
import type { Server, ServerOptions } from "socket.io";
import { sessions } from "./sessions.js";

/** Nest calls it once for each server, before any client connects: the sockets of all gateways have their session. */
export class SessionIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: ServerOptions): Server {
    const io: Server = super.createIOServer(port, options);
    sessions.attach(io);
    return io;
  }
}
