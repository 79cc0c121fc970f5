import type { RefusalCode, StateMessage } from "socket-session/protocol";
import { vi } from "vitest";

type Answer = StateMessage | RefusalCode | "unreachable" | "a proxy";

/** Stands for `sessions.routes()`: `answer` is what it says next, `asked` what it was asked. */
export class FakeRoutes {
  answer: Answer = "unreachable";
  readonly asked: string[] = [];
  /** Answers wait for it. */
  held = Promise.resolve();

  constructor() {
    vi.stubGlobal("fetch", this.#fetch);
  }

  readonly #fetch = async (url: string, { method, credentials, signal }: RequestInit): Promise<Response> => {
    if (credentials !== "include") throw new Error("expected a request with cookies");
    this.asked.push(`${method} ${url}`);
    const { answer } = this;
    const aborted = new Promise<never>((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason)),
    );
    await Promise.race([this.held, aborted]);
    if (answer === "unreachable") throw new TypeError("Failed to fetch");
    if (answer === "a proxy") return new Response("<h1>502</h1>", { status: 502 });
    if (typeof answer === "object") return Response.json(answer);
    return Response.json({ message: "…", data: { code: answer } }, { status: statusOf(answer) });
  };
}

function statusOf(code: RefusalCode): number {
  if (code === "STORE_UNAVAILABLE") return 503;
  return code === "ORIGIN_REFUSED" ? 403 : 401;
}
