// Everything that must pass before a change lands, by the commands that a developer would use. The last line has all
// the counts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closingLine, total } from "./counts.mjs";
import { run } from "./run.mjs";

const scratch = mkdtempSync(join(tmpdir(), "socket-session-ci-"));

/** A run of tests: its counts. One that left none, or failed for another reason than a test, is one failure. @param {string} name */
async function test(name) {
  const file = join(scratch, `${name.replaceAll(":", "-")}.json`);
  const code = await run("npm", ["run", name], { env: { SOCKET_SESSION_COUNTS: file } });
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: 0, skipped: 0 };
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Static checks are not tests: only their failures are counted. */
async function check() {
  return { passed: 0, failed: (await run("npm", ["run", "check"])) === 0 ? 0 : 1, skipped: 0 };
}

const counts = total([await test("test"), await check(), await test("test:package")]);
rmSync(scratch, { recursive: true, force: true });
console.log(`\n${closingLine(counts)}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
