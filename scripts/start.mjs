import { build } from "./build.mjs";
import { run } from "./run.mjs";

const steps = [
  build,
  () => run("vite", ["build", "--logLevel", "warn"], { cwd: "apps/chat" }),
  () => run("node", ["apps/chat/server/main.ts", ...process.argv.slice(2)]),
];

for (const step of steps) {
  process.exitCode = await step();
  if (process.exitCode !== 0) break;
}
