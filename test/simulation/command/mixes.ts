/** The mix of a seed, and how it is changed by the command line. */
import { databaseKinds } from "../databases/kinds.ts";
import { faultNames, type Layer, layers, type Mix, mixOf } from "../mix.ts";

const text = { type: "string" } as const;

/** `without`: faults to leave out, separated by commas. */
export const mixArguments = {
  ...{ without: text, minutes: text, nodes: text, visitors: text },
  ...{ skewMs: text, drift: text, layer: text, database: text },
};

type MixArguments = { readonly [Name in keyof typeof mixArguments]?: string | undefined };

export function mixOfSeed(seed: number): Mix {
  return mixOf(
    seed,
    databaseKinds.map(({ name }) => name),
  );
}

/** The number that an argument of the command line gives. */
export function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error(`Expected a number for --${name}; it was ${text}.`);
  return number;
}

export function adjusted(mix: Mix, args: MixArguments): Mix {
  const number = (name: "minutes" | "nodes" | "visitors" | "skewMs" | "drift") =>
    args[name] === undefined ? mix[name] : numberOf(name, args[name]);
  return {
    ...mix,
    faults: without(mix.faults, args.without?.split(",") ?? []),
    minutes: number("minutes"),
    nodes: number("nodes"),
    visitors: number("visitors"),
    skewMs: number("skewMs"),
    drift: number("drift"),
    layer: args.layer === undefined ? mix.layer : layerNamed(args.layer),
    database: args.database ?? mix.database,
  };
}

function without(faults: Mix["faults"], names: readonly string[]): Mix["faults"] {
  const unknown = names.find((name) => !faultNames.some((one) => one === name));
  if (unknown !== undefined)
    throw new Error(`Expected faults of ${faultNames.join(", ")}; it was ${unknown}.`);
  return Object.fromEntries(Object.entries(faults).filter(([name]) => !names.includes(name)));
}

function layerNamed(name: string): Layer {
  const layer = layers.find((one) => one === name);
  if (!layer) throw new Error(`Expected a layer of ${layers.join(", ")}; it was ${name}.`);
  return layer;
}
