// Everything that must pass before a change lands, by the commands that a developer would use. The tests wait for databases
// and processes, and those of the tarball for the registry: they run side by side. What runs beside the tests is printed
// after them. The last line has all the counts.
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { closingLine, total } from "./counts.mjs";
import { run } from "./run.mjs";

const scratch = mkdtempSync(join(tmpdir(), "socket-session-ci-"));

/**
 * A run of tests: its counts. One that left none, or failed for another reason than a test, is one failure.
 *
 * @param {string} name @param {number} [output]
 */
async function test(name, output) {
  const file = join(scratch, `${name.replaceAll(":", "-")}.json`);
  const code = await run("npm", ["run", name], { env: { SOCKET_SESSION_COUNTS: file }, output });
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: 0, skipped: 0 };
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Static checks are not tests: only their failures are counted. @param {number} [output] */
async function check(output) {
  return { passed: 0, failed: (await run("npm", ["run", "check"], { output })) === 0 ? 0 : 1, skipped: 0 };
}

/** Beside the tests, and one after the other. @param {number} output */
async function beside(output) {
  return total([await test("test:package", output), await check(output)]);
}

async function everything() {
  if ((await build()) !== 0) return { passed: 0, failed: 1, skipped: 0 };
  process.env.SOCKET_SESSION_BUILT = "true";
  const log = join(scratch, "beside.log");
  const output = openSync(log, "w");
  const counts = total(await Promise.all([test("test"), beside(output)]));
  closeSync(output);
  console.log(readFileSync(log, "utf8"));
  return counts;
}

const counts = await everything();
rmSync(scratch, { recursive: true, force: true });
console.log(`\n${closingLine(counts)}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
