/** The servers of this run, by the names and variables of `scripts/services.mjs`. */
import { MongoClient } from "mongodb";
import { services } from "../../scripts/services.mjs";

/** Undefined if the machine has none. */
export function urlOf(service: string): string | undefined {
  const found = services.find(({ name }) => name === service);
  if (!found) throw new Error(`There is no service "${service}" in scripts/services.mjs.`);
  return process.env[found.variable] || undefined;
}

/** The actual server behind "MongoDB": results of another server are not reported as those of a `mongod`. */
export async function mongodbProgram(url: string): Promise<string> {
  const client = await new MongoClient(url).connect();
  const { version, ferretdbVersion, gitVersion } = await client.db("admin").command({ buildInfo: 1 });
  await client.close();
  if (ferretdbVersion !== undefined) return "FerretDB";
  return gitVersion === undefined ? "mongo-java-server" : `mongod ${version}`;
}
