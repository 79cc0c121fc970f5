/** The headers of a response leave once its session is stored: whoever has them may go to any node. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import { connect, createServer as createHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import express, { type Express } from "express";
import express4 from "express4";
import { liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { listen } from "../support/listen.ts";
import { secret, startWorld, type World } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const large = "x".repeat(1_000_000);

function routes(app: Express): void {
  const login = (path: string, answer: (res: express.Response) => void) =>
    app.get(path, (req, res) => {
      req.session.name = "ada";
      answer(res);
    });
  login("/sent", (res) => res.send("in"));
  login("/redirected", (res) => res.redirect("/session"));
  login("/written", (res) => {
    res.write("i");
    res.write("n");
    res.end("!");
  });
  login("/empty", (res) => res.status(204).end());
  login("/large", (res) => res.send(large));
  login("/twice", (res) => {
    res.end("in");
    res.end("and in again");
  });
}

/** Each session that is made costs the visitor a request first: all that had been sent to the visitor has arrived then. */
async function start(framework: typeof express): Promise<{ world: World; order: string[] }> {
  const order: string[] = [];
  const store = memoryStore();
  const { create } = store;
  store.create = async (...args: Parameters<SessionStore["create"]>) => {
    await (await fetch(new URL("/nothing", world.url))).text();
    const revision = await create.apply(store, args);
    order.push("stored");
    return revision;
  };
  const world = await startWorld({ store, framework, routes });
  closing.push(() => world.close());
  return { world, order };
}

describe.each([
  ["5", express],
  ["4", express4],
])("Express %s", (_version, framework) => {
  test.each([
    ["/sent", "in"],
    ["/redirected", "Found. Redirecting to /session"],
    ["/written", "in!"],
    ["/empty", ""],
    ["/large", large],
    ["/twice", "in"],
  ])("%s: the session is stored before the headers arrive, and the body is whole", async (path, body) => {
    const { world, order } = await start(framework);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let n = 0; n < 3; n++) {
      const sent = get(new URL(path, world.url), { agent });
      const [response]: IncomingMessage[] = await once(sent, "response");
      order.push("headers");
      ports.add(response?.socket.localPort);
      expect(await text(response as IncomingMessage)).toBe(body);
      expect(response?.headers["set-cookie"]).toHaveLength(1);
    }
    expect(order).toEqual(["stored", "headers", "stored", "headers", "stored", "headers"]);
    expect(ports.size).toBe(1); // the next response on a connection is not held by the one before
  });
});

test("a second end of a response that was sent does not hold the next on its connection", async () => {
  const world = await startWorld({
    routes: (app) => {
      app.get("/ended", (_req, res) => {
        res.end("once");
        res.end("twice");
      });
      app.get("/streamed", async (req, res) => {
        res.write("first");
        await once(req.app, "arrived");
        res.end(", last");
      });
      app.get("/arrived", (req, res) => {
        req.app.emit("arrived");
        res.end();
      });
    },
  });
  closing.push(() => world.close());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closing.push(() => agent.destroy());
  const load = async (path: string): Promise<IncomingMessage> => {
    const [response] = await once(get(new URL(path, world.url), { agent }), "response");
    return response;
  };
  expect(await text(await load("/ended"))).toBe("once");
  const streamed = await load("/streamed");
  await fetch(new URL("/arrived", world.url));
  expect(await text(streamed)).toBe("first, last");
});

test("a response whose session can't be stored is sent, and so is the next on its connection", async () => {
  const store = memoryStore();
  store.create = async () => {
    throw new Error("boom!");
  };
  const failed: unknown[] = [];
  const sessions = liveSessions({ store, secret });
  closing.push(() => sessions.close());
  const middleware = sessions.express();
  const http = createServer((req, res) => {
    middleware(req as express.Request, res as express.Response, (error?: unknown) => {
      if (error) return void failed.push(error);
      (req as express.Request).session.name = "ada";
      res.end("in");
    });
  });
  const url = await listen(http);
  closing.push(() => http.close());
  for (let n = 0; n < 2; n++) expect(await (await fetch(url)).text()).toBe("in");
  await expect.poll(() => failed).toMatchObject([{ code: "STORE_FAILED" }, { code: "STORE_FAILED" }]);
});

/** As the package `compression`: it writes no more until the response has drained, and ends it when all is written. */
const compressed: express.RequestHandler = (_req, res, next) => {
  const { write, writeHead, end } = res;
  const gzip = createGzip();
  gzip.on("data", (chunk) => write.call(res, chunk, "utf8") || gzip.pause());
  gzip.on("end", () => end.call(res, undefined, "utf8"));
  res.on("drain", () => gzip.resume());
  const override = {
    writeHead: (status: number) => {
      res.setHeader("Content-Encoding", "gzip");
      res.removeHeader("Content-Length");
      return writeHead.call(res, status);
    },
    write: (chunk: unknown) => gzip.write(chunk),
    end: (chunk: unknown) => {
      if (!res.headersSent) res.writeHead(res.statusCode);
      gzip.end(chunk);
      return res;
    },
  };
  Object.assign(res, override);
  next();
};

test.each([
  ["stored", "/changed"],
  ["not stored", "/same"],
])("a large response that a middleware before compresses is sent, its session %s", async (_what, path) => {
  const body = randomBytes(1_000_000).toString("base64"); // more than a socket takes at once
  const sessions = liveSessions({ store: memoryStore(), secret });
  closing.push(() => sessions.close());
  const app = express();
  app.use(compressed, sessions.express());
  app.get("/same", (_req, res) => void res.send(body));
  app.get("/changed", (req, res) => {
    req.session.name = "ada";
    res.send(body);
  });
  const http = createServer(app);
  const url = await listen(http);
  closing.push(() => http.close());
  closing.push(() => http.closeAllConnections());
  for (let n = 0; n < 2; n++) expect(await (await fetch(new URL(path, url))).text()).toBe(body);
});

test("over HTTP/2, whose responses share a socket, responses are sent as before", async () => {
  const sessions = liveSessions({ store: memoryStore(), secret });
  closing.push(() => sessions.close());
  const middleware = sessions.express();
  const server = createHttp2((req, res) => {
    const [request, response] = [req as unknown as express.Request, res as unknown as express.Response];
    middleware(request, response, () => {
      request.session.name = "ada";
      response.writeHead(200); // express-session can't do that itself over HTTP/2
      response.end("in");
    });
  }).listen(0);
  closing.push(() => server.close());
  await once(server, "listening");
  const address = server.address();
  const client = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  closing.push(() => client.close());
  const bodies = Array.from({ length: 3 }, () => text(client.request({ ":path": "/" })));
  expect(await Promise.all(bodies)).toEqual(["in", "in", "in"]);
});
