declare module "express-session" {
  interface SessionData {
    /** The name that the visitor chose at login; absent before. */
    name?: string;
  }
}

export type {};
