/** The story that every example tells: a login, a counter that all tabs see, and a logout that closes them. */
import { expect } from "vitest";
import { Browser, disconnected, refused } from "./browser.ts";

export interface ExampleOptions {
  /** The path of the login and of the logout. */
  readonly login?: string;
  readonly logout?: string;
  /** What the form of the login sends. */
  readonly form?: Readonly<Record<string, string>>;
  /** The name that the page shows then. */
  readonly name?: string;
  /** The server sends the session's state by `share`, instead of an event of its own. */
  readonly shares?: boolean;
}

/** Is a browser with two tabs of the example at `url`. Its sockets name the page's origin, as browsers do. */
export async function tellExample(
  url: string,
  {
    login = "/login",
    logout = "/logout",
    form = { name: "Ada" },
    name = "Ada",
    shares = false,
  }: ExampleOptions = {},
): Promise<void> {
  const ada = new Browser(url);
  const extraHeaders = {
    origin: url,
    get cookie() {
      return ada.cookie;
    },
  };
  const tab = () => ada.socket("/", { extraHeaders });
  try {
    expect(await ada.get("/")).toContain("One session, all tabs");
    expect((await refused(tab())).data).toEqual({ code: "SESSION_REQUIRED" });

    const body = new URLSearchParams(form);
    expect((await ada.request(login, { method: "POST", body })).status).toBeLessThan(400);
    const tabs = [tab(), tab()];
    const shownIn = (socket: (typeof tabs)[number]) =>
      new Promise((resolve) => {
        if (shares) socket.once("session:state", ({ data }) => resolve(data));
        else socket.once("session", resolve);
      });
    const shown = () => Promise.all(tabs.map(shownIn));
    const both = (clicks: number) => tabs.map(() => ({ name, clicks }));
    expect(await shown()).toEqual(both(0));
    const next = shown();
    tabs[0]?.emit("click");
    expect(await next).toEqual(both(1));

    const ends = tabs.map((socket) =>
      Promise.all([new Promise((resolve) => socket.once("session:end", resolve)), disconnected(socket)]),
    );
    expect((await ada.request(logout, { method: "POST" })).status).toBeLessThan(400);
    const end = [{ reason: "destroyed" }, "io server disconnect"];
    expect(await Promise.all(ends)).toEqual(tabs.map(() => end));
    expect((await refused(tab())).data).toEqual({ code: "SESSION_REQUIRED" });
  } finally {
    ada.close();
  }
}
