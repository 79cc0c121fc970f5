declare module "express-session" {
  interface SessionData {
    name?: string;
    n?: number;
    m?: number;
    userId?: string;
    list?: number[];
    nested?: { deep: { value: number } };
    big?: string;
    passport?: { user?: string };
  }
}

export type {};
