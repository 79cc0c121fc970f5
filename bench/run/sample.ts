/**
 * One measurement of one case: a fresh process with the application, and its clients in this process. Each case of the
 * benchmark's run has a fresh process for its clients as well (`sample-process.ts`).
 */
import { TcpProxy } from "../../test/faults/tcp-proxy.ts";
import { Browser } from "../../test/support/browser.ts";
import type { Case, Measurement, Variant } from "../scenarios/scenario.ts";
import { storeNamed } from "../stores/all.ts";
import { closePlace, openPlaceOf } from "./places.ts";
import { type ServerAnswers, type ServerSetting, startServer } from "./server.ts";
import type { Turns } from "./turns.ts";
import { startWorker, type Worker, workerHere } from "./worker.ts";

export interface Sample {
  readonly subject: string;
  readonly url: string;
  readonly server: Worker<ServerAnswers>;
  readonly secrets: readonly string[];
  /** Between the application and its store, if the variant wants one. */
  readonly proxy: TcpProxy | undefined;
  /** Another node of the application, in this process. */
  startNode(): Promise<Worker<ServerAnswers>>;
  /** `full`, or `tiny`. */
  count(full: number, tiny: number): number;
  /** Resolves when the sample may be measured for a while, until the next call: see `Turns`. */
  turn(): Promise<void>;
}

export interface SampleOptions {
  /** Where the library is loaded from. */
  readonly checkout: string;
  /** In one process and with a few clients: where only correctness matters. */
  readonly isTiny: boolean;
  /** Default: it is always the sample's turn. */
  readonly turns?: Turns;
}

const secrets = ["a secret of thirty-two characters", "an old one of thirty-two letters"];

export async function takeSample(
  variant: Variant,
  { subject, store }: Case,
  { checkout, isTiny, turns }: SampleOptions,
): Promise<Measurement> {
  const kind = storeNamed(store);
  const address = kind.address && openPlaceOf(kind);
  const proxy = variant.isProxied && address ? await startProxy(address.url) : undefined;
  const setting: ServerSetting = {
    subject,
    store,
    place: { url: "", place: "", ...address, ...(proxy && address && { url: proxied(address.url, proxy) }) },
    secrets: secrets.slice(0, variant.secrets ?? 1),
    checkout,
    times: variant.times ?? {},
    isCounted: variant.isCounted ?? false,
  };
  try {
    const server = await (isTiny ? serverHere(setting) : serverProcess(setting));
    return await measured(variant, {
      subject,
      server,
      secrets: setting.secrets,
      proxy,
      startNode: () => serverHere(setting),
      count: (full, tiny) => (isTiny ? tiny : full),
      turn: async () => turns?.next(),
    });
  } finally {
    await proxy?.close();
    if (address) await closePlace(address);
  }
}

async function measured(variant: Variant, sample: Omit<Sample, "url">): Promise<Measurement> {
  const { server, proxy } = sample;
  try {
    const measurement = await variant.measure({ ...sample, url: await server.ask("url") });
    const errors = await server.ask("errors");
    if (!proxy) assertEqual("the errors of the subject", errors.join("; "), "");
    return measurement;
  } finally {
    await server.end();
  }
}

/** A visible cut needs no knowledge of which connection is the feed. */
function startProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  return TcpProxy.start({ host: hostname, port: Number(port) }, { marks: [], isSticky: true });
}

function proxied(url: string, { port }: TcpProxy): string {
  return Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
}

function serverProcess(setting: ServerSetting): Worker<ServerAnswers> {
  return startWorker<ServerAnswers>(new URL("server-process.ts", import.meta.url), setting);
}

async function serverHere(setting: ServerSetting): Promise<Worker<ServerAnswers>> {
  const { answers, close } = await startServer(setting);
  return workerHere(answers, close);
}

/** A browser that has logged in. */
export async function visitor({ url }: Sample, data: Record<string, unknown> = { name: "ada" }) {
  const browser = new Browser(url);
  if ((await browser.post("/login", data)) !== "in" || browser.cookie === "")
    throw new Error("Expected to be logged in.");
  return browser;
}

/** A time in which compiled code, caches and what drivers do later have settled: node-redis has a timer for each command, of 5 s. */
const unsteadyMs = 6_000;

export interface Repetitions {
  /** A multiple of ten: it is done in ten turns, after twice as many that warm the application up. */
  readonly times: number;
  /** How many things `work` does each time. */
  readonly each?: number;
}

/**
 * The time of one thing that `work` does, of the application's CPU and of the clock. The warm-up comes after the collection of
 * what the preparations have left: a forced one discards compiled code, too, which an application in operation has. It takes turns as
 * well: V8 collects the garbage of an application that waits for long, and discards compiled code with it.
 */
export async function timed(
  { server, count, turn }: Sample,
  { times, each = 1 }: Repetitions,
  work: (times: number) => Promise<unknown>,
): Promise<{ cpuUs: number; wallUs: number }> {
  await server.ask("memory");
  const parts = count(10, 1);
  const part = async () => {
    await turn();
    const before = await server.ask("cpuUs");
    const start = performance.now();
    await work(times / parts);
    const wallUs = (performance.now() - start) * 1000;
    return { cpuUs: (await server.ask("cpuUs")) - before, wallUs };
  };
  const coldUntil = performance.now() + count(unsteadyMs, 0);
  for (let done = 0; done < 2 * parts || performance.now() < coldUntil; done++) await part();
  const sum = { cpuUs: 0, wallUs: 0 };
  for (let done = 0; done < parts; done++) {
    const { cpuUs, wallUs } = await part();
    sum.cpuUs += cpuUs;
    sum.wallUs += wallUs;
  }
  return { cpuUs: sum.cpuUs / (times * each), wallUs: sum.wallUs / (times * each) };
}

/** Resolves once the application has no connection left. */
export async function emptied({ server }: Sample): Promise<void> {
  while ((await server.ask("connections")) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Does `work` so many times, by `workers` that each begin again when they are done. */
export async function inParallel(
  times: number,
  workers: number,
  work: (worker: number) => Promise<unknown>,
): Promise<void> {
  let begun = 0;
  const workOn = async (worker: number) => {
    while (begun++ < times) await work(worker);
  };
  await Promise.all(Array.from({ length: Math.min(workers, times) }, (_, worker) => workOn(worker)));
}

/** Throws unless the application did what is measured. */
export function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected)
    throw new Error(`Expected ${what} to be ${String(expected)}, but it was ${String(actual)}.`);
}
