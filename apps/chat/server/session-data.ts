import type { LiveSession } from "socket-session";
import { guestName, type SharedData } from "../shared/events.ts";

declare module "express-session" {
  interface SessionData {
    /** The name that the visitor chose at login; absent before. */
    name?: string;
    /** Browser, system and network, as at the login. */
    device?: string;
    isAdmin?: boolean;
    /** Whether the visitor has shortened the session. */
    isShort?: boolean;
  }
}

type Data = LiveSession["data"];

/** There are no passwords, so a name is a user, in capitals or not. Undefined before the login. */
export function userOf({ name }: { readonly name?: string }): string | undefined {
  return name?.normalize("NFKC").toLowerCase();
}

/** All that the page gets to know of the session's data. */
export function shareWithPage({ name = guestName, isAdmin = false, isShort = false }: Data): SharedData {
  return { name, isAdmin, isShort };
}
