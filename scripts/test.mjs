// Builds, opens what the tests need, runs them with the arguments given, and ends on a line with the counts. With
// --without-services it opens nothing. A caller that adds up several runs names a file in SOCKET_SESSION_COUNTS and gets the
// counts there instead of the line.
import "./needs-node.mjs";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { closingLine } from "./counts.mjs";
import { run } from "./run.mjs";
import { howToGet, openServices, services } from "./services.mjs";

const withoutServices = "--without-services";
const args = process.argv.slice(2).filter((arg) => arg !== withoutServices);
const wanted = process.argv.includes(withoutServices) ? [] : services;

const { env, missing, close } = await openServices(wanted);
const scratch = mkdtempSync(join(tmpdir(), "socket-session-"));
const countsFile = process.env.SOCKET_SESSION_COUNTS ?? join(scratch, "counts.json");

try {
  process.exitCode = await test();
} finally {
  await close();
  rmSync(scratch, { recursive: true, force: true });
}

async function test() {
  if (missing.length > 0 && process.env.CI === "true") {
    tellMissing("REFUSED TO RUN: in CI no test may be skipped for want of a service.");
    return 1;
  }
  if ((await build()) !== 0) return 1;

  const reporters = ["--reporter=default", "--reporter=./scripts/counts-reporter.mjs"];
  const code = await run("vitest", ["run", ...reporters, ...args], {
    env: { ...env, SOCKET_SESSION_COUNTS: countsFile },
  });

  if (missing.length > 0) tellMissing("SKIPPED: the tests that need what this machine has not got.");
  if (!existsSync(countsFile)) return code || 1;
  const counts = JSON.parse(readFileSync(countsFile, "utf8"));
  if (process.env.SOCKET_SESSION_COUNTS === undefined) console.log(closingLine(counts));
  const executed = counts.passed + counts.failed;
  return code || (counts.failed > 0 || executed === 0 ? 1 : 0);
}

/** @param {string} headline */
function tellMissing(headline) {
  const bar = "!".repeat(78);
  console.error(
    [bar, headline, ...missing.map((one) => `  ${one.service.name}: ${howToGet(one)}`), bar].join("\n"),
  );
}
