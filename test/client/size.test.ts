import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle } from "./bundle.ts";

test("the page's half is below 3 KB, minified and gzipped, and has sources of its own and the protocol alone", async () => {
  const { code, modules } = await bundle("src/client/index.ts");
  expect(code).toMatch(/export\{\w+ as sessionClient,\w+ as ticketAuth\}/);
  expect(gzipSync(code).length).toBeLessThan(3_072);
  const own = modules.filter((id) => /\/src\/(client\/[\w-]+|protocol)\.ts$/.test(id));
  expect(own).not.toEqual([]);
  expect(modules).toEqual(own);
});
