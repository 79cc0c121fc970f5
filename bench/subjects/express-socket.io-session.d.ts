declare module "express-socket.io-session" {
  import type { RequestHandler } from "express";
  import type { ExtendedError, Socket } from "socket.io";

  /** Sets `socket.handshake.session`. */
  export default function shareSession(
    middleware: RequestHandler,
    options?: { autoSave?: boolean; saveUninitialized?: boolean },
  ): (socket: Socket, next: (error?: ExtendedError) => void) => void;
}
