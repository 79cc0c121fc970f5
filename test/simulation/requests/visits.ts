/** Visitors' actions by requests, for `SimulatedNode`. The trace records what their clients learn. */
import type { ClientNetwork } from "../clients/client-network.ts";
import { type Answer, SentRequest } from "../clients/http-request.ts";
import type { Page } from "../clients/pages.ts";
import { cookieOf, sidOf } from "../clients/session-cookies.ts";
import { issuedTicket, type TicketAnswer } from "../held-ticket.ts";
import type { NodeContext } from "../node-context.ts";
import { codeOf, Failure } from "../operations.ts";
import type { Operation, Values } from "../trace.ts";
import type { Random } from "../world/random.ts";
import type { LateFailures } from "./application.ts";

interface Asked {
  readonly method: "GET" | "POST";
  readonly route: string;
  readonly op: string;
  readonly sid?: string;
  readonly key?: string;
  readonly how: string;
  /** Its client comes back at the head of the answer, as at a redirect. */
  readonly isFollowed?: boolean;
  /** For how long its handler works. */
  readonly ms?: number;
  readonly page?: Page;
}

/** A visitor waits no longer for an answer. */
const patienceMs = 30_000;

export class Visits {
  readonly #context: NodeContext;
  readonly #network: ClientNetwork;
  readonly #failures: LateFailures;
  readonly #random: Random;
  #aborts: number;
  #logins = 0;

  /** `aborts`: how likely it is that a client goes away before it has its answer. */
  constructor(context: NodeContext, network: ClientNetwork, failures: LateFailures, aborts: number) {
    this.#context = context;
    this.#network = network;
    this.#failures = failures;
    this.#random = context.random.fork("visits");
    this.#aborts = aborts;
  }

  /** Clients wait for their answers. */
  heal(): void {
    this.#aborts = 0;
  }

  async create(): Promise<string | undefined> {
    const op = `login-${this.#context.process.name}-${++this.#logins}`;
    const how = this.#random.pick(["implicit", "explicit"]);
    try {
      return sidOf((await this.#ask({ method: "POST", route: "/login", op, how })).head);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }

  append(sid: string, list: string): Promise<void> {
    return this.#run("append", sid, { method: "POST", route: "/append", key: list, how: "" });
  }

  /** As of a form that is sent twice, requests come side by side. */
  async save(sid: string, register: string): Promise<void> {
    const times = this.#random.chance(0.15) ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => this.#save(sid, register)));
  }

  #save(sid: string, key: string): Promise<void> {
    const how = this.#random.pick(["implicit", "explicit", "update"]);
    const isFollowed = this.#random.chance(0.5);
    const ms = this.#random.chance(0.3) ? this.#random.int(1, 300) : 0;
    return this.#run("save", sid, { method: "POST", route: "/save", key, how, isFollowed, ms });
  }

  /** Of a page with several parts, requests come side by side. */
  async load(sid: string): Promise<void> {
    const parts = this.#random.chance(0.1) ? 2 : 1;
    await Promise.all(Array.from({ length: parts }, () => this.#load(sid)));
  }

  #load(sid: string, follows?: string): Promise<void> {
    const how = this.#random.pick(["", "reload"]);
    return this.#run("load", sid, { method: "GET", route: "/", how }, { follows });
  }

  end(sid: string): Promise<void> {
    const how = this.#random.pick(["destroy", "handle", "id"]);
    return this.#run("end", sid, { method: "POST", route: "/logout", how });
  }

  async regenerate(sid: string): Promise<string | undefined> {
    const how = this.#random.pick(["implicit", "explicit"]);
    let head = "";
    const answered = (answer: Answer) => {
      head = answer.head;
    };
    await this.#run("regenerate", sid, { method: "POST", route: "/login", how }, { answered });
    return sidOf(head);
  }

  ticket(sid: string, page: Page): Promise<TicketAnswer> {
    return issuedTicket(this.#context, sid, page, async (op) => {
      const { body } = await this.#ask({ method: "POST", route: "/session/ticket", op, sid, how: "", page });
      return JSON.parse(body);
    });
  }

  async #run(
    what: Operation,
    sid: string,
    asked: Omit<Asked, "op" | "sid">,
    {
      answered = () => {},
      follows,
    }: { answered?: (answer: Answer) => void; follows?: string | undefined } = {},
  ): Promise<void> {
    const { operations, process } = this.#context;
    const run = async (op: string) => {
      const answer = await this.#ask({ ...asked, op, sid });
      answered(answer);
      return sawOf(answer);
    };
    await operations.run(what, process, sid, run, asked.key, follows);
  }

  async #ask({ method, route, op, sid, key, how, isFollowed, ms = 0, page = "own" }: Asked): Promise<Answer> {
    const { world } = this.#context;
    const query = new URLSearchParams({ op, how, ms: String(ms), ...(key === undefined ? {} : { key }) });
    const sender = { cookie: sid === undefined ? undefined : cookieOf(sid), page };
    const onHead = () => {
      if (isFollowed && sid !== undefined) void this.#load(sid, op);
    };
    const sent = new SentRequest(this.#network, { method, path: `${route}?${query}`, sender }, onHead);
    const isAborted = this.#random.chance(this.#aborts);
    const abortsMs = isAborted ? this.#random.int(0, 50) : patienceMs;
    const cancel = world.after(abortsMs, () => sent.abort(isAborted ? "ECONNABORTED" : "ETIMEDOUT"));
    try {
      const answer = await sent.answer.catch((error: NodeJS.ErrnoException) => {
        throw new Failure(error.code ?? codeOf(error));
      });
      const late = this.#failures.take(op);
      const code = refusalOf(answer) ?? (how === "implicit" || how === "update" ? late : undefined);
      if (code !== undefined) throw new Failure(code);
      return answer;
    } finally {
      cancel();
    }
  }
}

function refusalOf({ status, body }: Answer): string | undefined {
  if (status === 200) return undefined;
  const { code, data } = JSON.parse(body);
  return String(code ?? data?.code);
}

function sawOf({ body }: Answer): Values | null {
  return JSON.parse(body).saw;
}
