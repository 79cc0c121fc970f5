import { describe, expect, inject, test } from "vitest";
import { documentAt } from "../../docs/markdown.ts";
import { makeFolder, run } from "./install.ts";

/** What npm says when the package is installed into an application that has other packages already. */

const flags = ["--package-lock-only", "--no-audit", "--no-fund"];

/** The output of `npm install ...asked` in an application that has `present`. Rejects where npm refuses. */
async function installInto(name: string, present: string[], asked: string[]): Promise<string> {
  const cwd = await makeFolder(name, present);
  await run("npm", ["install", ...flags], { cwd });
  const packages = asked.map((one) => (one === "socket-session" ? inject("tarball").path : one));
  const { stdout, stderr } = await run("npm", ["install", ...flags, ...packages], { cwd });
  return stdout + stderr;
}

test("npm installs it beside older drivers and types, for which it has no range", async () => {
  const others = ["redis@2", "ioredis@4", "mongodb@3", "pg@7", "@types/express-session@1.17.10"];
  const present = ["express-session@1", "socket.io@4", ...others];
  expect(await installInto("older drivers", present, ["socket-session"])).not.toContain("ERESOLVE");
});

describe("in an application with an older Express session", () => {
  const blocks = documentAt("docs/guide/from-the-recipe.md").blocks.map(({ code }) => code);
  const [, , ...asked] =
    blocks.find((code) => code.startsWith("npm install socket-session "))?.split(" ") ?? [];

  test.each(["2", "3"])(
    "and Socket.IO %s npm refuses it, and installs the line of the guide",
    async (version) => {
      const present = ["express-session@~1.17.0", `socket.io@${version}`, `socket.io-client@${version}`];
      await expect(installInto(`with ${version}`, present, ["socket-session"])).rejects.toThrow("ERESOLVE");
      expect(asked).toContain("socket-session");
      expect(await installInto(`with ${version}`, present, asked)).not.toContain("ERESOLVE");
    },
  );
});
