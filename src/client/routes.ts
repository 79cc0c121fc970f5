import { codeIn, type Told, toldIn } from "./received.ts";

/** Both are undefined if the server can't be reached, or if it was not the library that answered. */
export interface Answer {
  readonly told?: Told | undefined;
  readonly code?: string | undefined;
}

/** Asks one of the server's `sessions.routes()`, with the session cookie. Never rejects. */
export async function ask(url: string, method: "GET" | "POST" = "GET"): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      credentials: "include",
      signal: AbortSignal.timeout?.(10_000), // a proxy may never answer; browsers of 2021 have no timeout
    });
    if (response.status === 503) return { code: "STORE_UNAVAILABLE" }; // also from an error handler of the application
    const body: unknown = await response.json();
    return { told: toldIn(body), code: codeIn(body) };
  } catch {
    return {};
  }
}
