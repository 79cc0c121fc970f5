import type { ServerOptions } from "socket.io";
import { type DatabaseUrl, reasonOf } from "../database-url.ts";

export interface OpenAdapter {
  /** Undefined for no adapter: then the chat's messages stay on their node. */
  readonly adapter: ServerOptions["adapter"] | undefined;
  readonly note: string;
  /** Closes the clients made for the adapter. Call it after closing the Socket.IO server, which closes the adapter. */
  close(): Promise<void>;
}

/** Replaces the name `STORE` in messages if the address is the adapter's. */
export const variable = "the address for the Socket.IO adapter";

export const noteOf = (name: string) => `Socket.IO adapter: ${name}`;

export function tellLost(address: DatabaseUrl, error: unknown): void {
  console.error(`A message to other nodes was lost: ${reasonOf(error, address)}`);
}
