import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { folder, install, run } from "./install.ts";

/** The declarations as they would be published. Nothing here has `skipLibCheck`, which would hide what is wrong in them. */

/** An old TypeScript can't read the types of today: it gets those of its time, and the oldest packages that are accepted. */
const typescripts = [
  ["5.0", "oldest"],
  ["5.4", "oldest"],
  ["5.9", "newest"],
  ["6.0", "newest"],
  ["7.0", "newest"],
] as const;

const consumers = {
  oldest: [
    ...["express-session@1.18.0", "socket.io@4.8.0", "engine.io@6.6.4"],
    ...["@types/express@4.17.21", "@types/express-serve-static-core@4.19.5"],
    ...["@types/express-session@1.17.10", "@types/node@20.17.28"],
  ],
  newest: [
    ...["express-session@1", "socket.io@4"],
    ...["@types/express@5", "@types/express-session@1", "@types/node@22"],
  ],
};

interface Mode {
  options: object;
  files: string[];
  /** The versions of TypeScript, from the first to the last. */
  from?: string;
  to?: string;
}
type Modes = Record<string, Mode>;

const serverModes: Modes = {
  // No resolution by `exports` before TypeScript 6.
  commonjs: { options: { module: "commonjs", esModuleInterop: true }, files: ["consumer.ts"] },
  "commonjs-without-interop": { options: { module: "commonjs" }, files: ["consumer.cts"], to: "5.9" },
  node16: { options: { module: "node16" }, files: ["consumer.mts", "consumer.cts", "consumer.ts"] },
  nodenext: { options: { module: "nodenext" }, files: ["consumer.mts", "consumer.cts", "consumer.ts"] },
  esnext: {
    options: { module: "esnext", moduleResolution: "bundler" },
    files: ["consumer.mts", "consumer.ts"],
    to: "5.3",
  },
  // The same resolution, and `import x = require()` as well.
  preserve: {
    options: { module: "preserve" },
    files: ["consumer.mts", "consumer.cts", "consumer.ts"],
    from: "5.4",
  },
};

const pageModes: Modes = {
  "page-commonjs": { options: { module: "commonjs" }, files: ["page.ts"] },
  "page-nodenext": { options: { module: "nodenext" }, files: ["page.ts"] },
  "page-esnext": { options: { module: "esnext", moduleResolution: "bundler" }, files: ["page.ts"] },
};

const configOf = (mode: string) => `tsconfig.${mode}.json`;

async function writeConfigs(name: string, modes: Modes, environment: object): Promise<void> {
  for (const [mode, { options, files }] of Object.entries(modes)) {
    const common = { target: "es2022", strict: true, skipLibCheck: false, noEmit: true };
    const config = { compilerOptions: { ...common, ...environment, ...options }, files };
    await writeFile(join(folder(name), configOf(mode)), JSON.stringify(config));
  }
}

const copy = (file: string, name: string, as = file) =>
  cp(join(import.meta.dirname, "fixtures", file), join(folder(name), as));

/** The errors of one TypeScript, in all modes: it reads what they share once. */
async function errorsIn(name: string, version: string, modes: string[]): Promise<string> {
  const tsc = join(folder("typescripts"), `node_modules/typescript-${version}/bin/tsc`);
  const args = [tsc, "--build", "--pretty", "false", ...modes.map(configOf)];
  const { stdout } = await run(process.execPath, args, { cwd: folder(name) }).catch((error) => error);
  return stdout;
}

beforeAll(async () => {
  const aliases = typescripts.map(([version]) => `typescript-${version}@npm:typescript@~${version}.0`);
  await Promise.all([
    install("typescripts", aliases),
    // A front end has no use for what the server needs.
    install("page", ["socket-session"], "--legacy-peer-deps"),
    ...Object.entries(consumers).map(([name, packages]) => install(name, ["socket-session", ...packages])),
  ]);
  for (const name of Object.keys(consumers)) {
    await copy("consumer.mts", name);
    await copy("consumer.mts", name, "consumer.ts");
    await copy("consumer.cts", name);
    await writeConfigs(name, serverModes, { lib: ["es2023"], types: ["node"] });
  }
  await copy("page.ts", "page");
  await writeConfigs("page", pageModes, { lib: ["es2022", "dom"], types: [] });
});

describe.each(typescripts)("with TypeScript %s", (version, consumer) => {
  test("a server compiles as CommonJS and as ES modules, by every resolution", async () => {
    const modes = Object.entries(serverModes).filter(
      ([, { from = version, to = version }]) => from <= version && version <= to,
    );
    expect(modes.length).toBeGreaterThanOrEqual(4);
    expect(
      await errorsIn(
        consumer,
        version,
        modes.map(([mode]) => mode),
      ),
    ).toBe("");
  });
});

test.each(["5.0", "7.0"])(
  "with TypeScript %s a page compiles without the types of Node, Express session and Socket.IO",
  async (version) => {
    expect(await errorsIn("page", version, Object.keys(pageModes))).toBe("");
  },
);
