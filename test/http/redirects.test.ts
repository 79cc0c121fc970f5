/**
 * A browser follows a redirect at its headers. Where they go out before the session is saved, as those of a streamed response
 * do, the next request still reads the write.
 */
import { request as httpRequest } from "node:http";
import type { Response } from "express";
import session, { type SessionData } from "express-session";
import { afterEach, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(() => world?.close());

type Answer = (error: unknown, value?: SessionData) => void;

/** Answers in the order that it was asked in, as a database on one connection does; each way takes a few turns of the event loop. */
class OrderedStore extends session.Store {
  readonly #texts = new Map<string, string>();

  override get(sid: string, answer: Answer): void {
    this.#travel(() => JSON.parse(this.#texts.get(sid) ?? "null") ?? undefined, answer);
  }

  override set(sid: string, data: SessionData, answer: Answer = () => {}): void {
    const text = JSON.stringify(data);
    this.#travel(() => void this.#texts.set(sid, text), answer);
  }

  override destroy(sid: string, answer: Answer = () => {}): void {
    this.#travel(() => void this.#texts.delete(sid), answer);
  }

  #travel(run: () => SessionData | undefined, answer: Answer): void {
    const after = (turns: number, then: () => void): void => {
      if (turns === 0) then();
      else setImmediate(() => after(turns - 1, then));
    };
    after(20, () => {
      const value = run();
      after(20, () => answer(null, value));
    });
  }
}

function redirectEarly(res: Response): void {
  res.status(302).location("/session").flushHeaders();
  res.end("This way.");
}

/** Resolves when the headers have come. */
function headersOf(path: string, cookie: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      new URL(path, world?.url),
      { method: "POST", headers: { cookie } },
      (response) => {
        response.resume();
        resolve();
      },
    );
    sent.once("error", reject).end();
  });
}

test.each(["as it is", "over a wrapped store"])("after a write and after a logout, %s", async (which) => {
  const ordered = which === "as it is" ? {} : { store: new OrderedStore() };
  world = await startWorld({
    ...ordered,
    routes: (app) => {
      app.post("/write-and-redirect", (req, res) => {
        req.session.name = "lovelace";
        redirectEarly(res);
      });
      app.post("/log-out-and-redirect", (req, res) => {
        req.session.destroy(() => {});
        redirectEarly(res);
      });
    },
  });
  for (let i = 0; i < 10; i++) {
    const ada = await world.visitor({ name: "ada" });
    await headersOf("/write-and-redirect", ada.cookie);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "lovelace" });
    await headersOf("/log-out-and-redirect", ada.cookie);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  }
});

test("after two concurrent writes, of which one waits for the other", async () => {
  world = await startWorld({
    store: new OrderedStore(),
    routes: (app) => {
      app.post("/write/:key", (req, res) => {
        Reflect.set(req.session, req.params.key, "written");
        redirectEarly(res);
      });
    },
  });
  for (let i = 0; i < 10; i++) {
    const ada = await world.visitor({ name: "ada" });
    await Promise.all(["first", "second"].map((key) => headersOf(`/write/${key}`, ada.cookie)));
    expect(JSON.parse(await ada.get("/session")).data).toEqual({
      name: "ada",
      first: "written",
      second: "written",
    });
  }
});
