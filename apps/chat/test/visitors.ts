import { fileURLToPath } from "node:url";
import { io as connect, type Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import type { StateMessage } from "socket-session/protocol";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { type ChatOptions, createChat } from "../server/create-chat.ts";
import type { ClientToServer, FormAnswer, ServerToClient, SharedData } from "../shared/events.ts";

/** A chat with the time in the tests' hands, and visitors for it. */
export async function startChat(options: Partial<ChatOptions> = {}) {
  const clock = new ManualClock();
  const pageDir = fileURLToPath(new URL("../page", import.meta.url));
  const store = memoryStore({ clock });
  const chat = createChat({ store, secret: "a secret of thirty-two characters", pageDir, clock, ...options });
  const url = `http://localhost:${await chat.listen(0)}`;
  await clock.advance(1_000); // within the first second, receipts wait for other nodes
  const visitors: Visitor[] = [];
  const visitor = () => {
    const one = new Visitor(url);
    visitors.push(one);
    return one;
  };
  return {
    clock,
    sessions: chat.sessions,
    visitor,
    /** A visitor who has logged in. */
    async member(name: string): Promise<Visitor> {
      const one = visitor();
      await one.post("/login", { name });
      return one;
    },
    async close() {
      for (const one of visitors) one.close();
      await chat.close();
    },
  };
}

export interface OpenOptions {
  readonly transports?: string[];
  /** Instead of the cookie. */
  readonly extraHeaders?: Record<string, string>;
}

/** A visitor with a browser: one cookie for all forms and tabs. */
export class Visitor {
  readonly #url: string;
  readonly #tabs: Tab[] = [];
  cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie) headers.set("cookie", this.cookie);
    const response = await fetch(new URL(path, this.#url), { ...init, redirect: "manual", headers });
    for (const line of response.headers.getSetCookie()) this.cookie = line.split(";")[0] ?? "";
    return response;
  }

  /** Sends a form: the response's status, and where it leads. */
  async post(path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) {
    const response = await this.request(path, { method: "POST", body: new URLSearchParams(fields), headers });
    await response.text(); // to the end: the session is saved before it
    return `${response.status} ${response.headers.get("location") ?? ""}`.trim();
  }

  /** Does something as the page's scripts do: the answer. */
  async act(path: string, fields: Record<string, string> = {}): Promise<FormAnswer> {
    const body = new URLSearchParams(fields);
    const response = await this.request(path, {
      method: "POST",
      body,
      headers: { accept: "application/json" },
    });
    return (await response.json()) as FormAnswer;
  }

  /** A tab that is connected. */
  async open(options: OpenOptions = {}): Promise<Tab> {
    const jar = this;
    const extraHeaders = {
      get cookie() {
        return jar.cookie;
      },
    };
    const tab = new Tab(
      connect(this.#url, { forceNew: true, reconnectionDelay: 20, extraHeaders, ...options }),
    );
    this.#tabs.push(tab);
    const state = await tab.until("session:state");
    tab.publicId = state.state === "live" ? state.publicId : "";
    return tab;
  }

  close(): void {
    for (const { socket } of this.#tabs) socket.disconnect();
  }
}

/** Whether a state is that of a session with this name. */
export const isNamed = (name: string) => (message: StateMessage<SharedData>) => message.data?.name === name;

type News<E extends keyof ServerToClient> = Parameters<ServerToClient[E]>[0];
type Listener = { event: string; hear: (news: unknown) => boolean };

/** A stock client that records the events it receives. */
export class Tab {
  readonly socket: Socket<ServerToClient, ClientToServer>;
  /** Of its session; empty for a guest. */
  publicId = "";
  readonly #heard: { event: string; news: unknown }[] = [];
  #listeners: Listener[] = [];

  constructor(socket: Socket<ServerToClient, ClientToServer>) {
    this.socket = socket;
    socket.onAny((event: string, news: unknown) => {
      this.#heard.push({ event, news });
      this.#listeners = this.#listeners.filter((one) => one.event !== event || !one.hear(news));
    });
  }

  say(text: string) {
    return this.socket.emitWithAck("message", text);
  }

  /** The first event that `isIt` accepts, among those received since the last call or still to come. */
  until<E extends keyof ServerToClient>(
    event: E,
    isIt: (news: News<E>) => boolean = () => true,
  ): Promise<News<E>> {
    const matches = (news: unknown) => isIt(news as News<E>);
    const at = this.#heard.findIndex((one) => one.event === event && matches(one.news));
    if (at >= 0) {
      const [found] = this.#heard.splice(0, at + 1).slice(-1);
      return Promise.resolve(found?.news as News<E>);
    }
    return new Promise((resolve) => {
      const hear = (news: unknown) => {
        if (!matches(news)) return false;
        this.#heard.length = 0;
        resolve(news as News<E>);
        return true;
      };
      this.#listeners.push({ event, hear });
    });
  }
}
