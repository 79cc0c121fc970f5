import type { RequestHeaders } from "../live/actors.ts";

/**
 * The address of a client, `peer` being the one that the connection comes from. Behind a trusted proxy, the last address of
 * `X-Forwarded-For`, which that proxy added: a client can choose the others.
 */
export function clientAddress(
  headers: RequestHeaders | undefined,
  peer: string | undefined,
  trustProxy: boolean,
): string | undefined {
  const forwarded = trustProxy ? headers?.["x-forwarded-for"] : undefined;
  const last = String(forwarded ?? "")
    .split(",")
    .at(-1)
    ?.trim();
  return last || peer;
}
