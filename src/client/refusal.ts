import { codeIn, fieldsOf } from "./received.ts";
import type { Help } from "./snapshot.ts";

/** Other codes, and those of the application, need another page, server or visitor. */
export function helpFor(code = ""): Help {
  if (/^SESSION_(REQUIRED|INVALID|ENDED)$/.test(code)) return "login";
  return /^(TICKET_INVALID|STORE_UNAVAILABLE|COOKIE_MIS.+)$/.test(code) ? "retry" : "stop";
}

/**
 * The code of a `connect_error`: of the server's packet, or in the body of an HTTP answer, which the stock client has if it polls.
 * To be read within the listener. Undefined by WebSocket, and for the answers of others, such as proxies.
 */
export function codeOf(error: unknown): string | undefined {
  try {
    return codeIn(error) ?? codeIn(JSON.parse(String(fieldsOf(fieldsOf(error).context).responseText)));
  } catch {
    return undefined; // no JSON: it is not from the library
  }
}
