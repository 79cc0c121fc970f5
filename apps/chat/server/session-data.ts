declare module "express-session" {
  interface SessionData {
    /** What the visitor calls themself; there once they have logged in. */
    name?: string;
  }
}

export type {};
