/** The `auth` payload of a `CONNECT` packet, as the client sent it. */
type Auth = Record<string, unknown>;

/** Whether a ticket, of whatever kind, is in the payload. */
export function carriesTicket(auth: unknown): auth is Auth & { readonly ticket: unknown } {
  return typeof auth === "object" && auth !== null && Object.hasOwn(auth, "ticket");
}

/** The payload as middleware and handlers may see it. */
export function withoutTicket({ ticket: _ticket, ...auth }: Auth): Auth {
  return auth;
}
