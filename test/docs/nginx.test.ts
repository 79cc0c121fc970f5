/** The configuration of the guide to nginx, run as it is before three nodes. */
import { afterEach, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { describeProxy } from "./describe-proxy.ts";
import { startNginx } from "./nginx.ts";

describeProxy("nginx", { start: startNginx, spreads: "requests" });

describe("a node behind a proxy that ends TLS", () => {
  let node: World | undefined;
  afterEach(() => node?.close());

  test.each([
    { given: "`trust proxy`", trust: 1, isSet: true },
    { given: "`proxy: true`", trust: false, proxy: true, isSet: true },
    { given: "neither", trust: false, isSet: false },
  ])("with $given sets a secure cookie: $isSet", async ({ trust, proxy, isSet }) => {
    node = await startWorld({
      cookie: { secure: true },
      ...(proxy === undefined ? {} : { proxy }),
      routes: (app) => app.set("trust proxy", trust),
    });
    const headers = { "content-type": "application/json", "x-forwarded-proto": "https" };
    const response = await fetch(`${node.url}/login`, { method: "POST", headers, body: "{}" });
    expect(response.headers.has("set-cookie")).toBe(isSet);
  });
});
